"""What Ludwig lacks, entered in Ludwig's own registries: importing this package registers it all."""

from leaflet_tool.models.extensions import coherence, layers, log_pool, set_losses, tfidf, words

__all__ = ["coherence", "layers", "log_pool", "set_losses", "tfidf", "words"]
