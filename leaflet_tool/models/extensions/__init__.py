"""What Ludwig lacks, entered in Ludwig's own registries: importing this package registers it all."""

from leaflet_tool.models.extensions import tfidf, words

__all__ = ["tfidf", "words"]
