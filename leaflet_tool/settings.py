"""Every default that is not a model's: flags borrow theirs from here, and the help shows them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Engine = Literal["tesseract", "none"]
RarePolicy = Literal["keep", "drop", "other"]
Orientation = Literal["detect", "none"]


@dataclass(frozen=True)
class PrepareSettings:
    """How an archive becomes a prepared folder; a dataset definition may override each field, a flag overrides both."""

    fractions: tuple[float, float, float] = (0.7, 0.15, 0.15)
    """Shares of groups for train, validation and test; they sum to 1."""
    seed: int = 42
    max_side: int = 1600
    """Longest side of a working copy, pixels."""
    jpeg_quality: int = 90
    max_pixels: int = 100_000_000
    """Images of more pixels are skipped: a small file may unpack to more memory than there is."""
    image_timeout: float = 60.0
    """Seconds a worker may take for one image before it is skipped."""
    worker_memory: int = 1000
    """Megabytes a worker may take for one image before it is skipped."""
    ocr: Engine = "tesseract"
    """What reads the text of images when the archive gives none."""
    language: str = "eng"
    """Tesseract's language packs, joined by +."""
    psm: int = 3
    """Tesseract's page segmentation mode."""
    ocr_timeout: float = 180.0
    """Seconds Tesseract may take for a page."""
    orientation: Orientation = "detect"
    """Whether pages that lie on their side or head are found and turned upright."""
    pdf_text: bool = False
    """Whether the text layer of a PDF is taken instead of reading its picture."""
    near_distance: int = 8
    """Bits, of 64, in which the perceptual hashes of near duplicates differ at most."""
    folds: int = 0
    """Folds that every group is dealt to, beside its split; 0 means none."""
    rare: RarePolicy = "keep"
    """What becomes of classes with fewer than `rare_minimum` groups: keep, drop or other."""
    rare_minimum: int = 2
    most_frequent: int = 0
    """Only so many classes, those with most groups, are not rare; 0 means no such limit."""
    max_per_class: int = 0
    """Pages of one class that are kept at most; 0 means all."""
    workers: int = 0
    """Processes that read images; 0 means one a core."""


@dataclass(frozen=True)
class TrainSettings:
    """How a run is launched; what a model learns from is in its definition."""

    runs: Path = Path("runs")
    seed: int = 42
    backend: str = "local"
    resamples: int = 1000
    """Bootstrap resamples of groups behind every 95 % interval."""


@dataclass(frozen=True)
class HyperoptSettings:
    """Limits of a search; the space is declared in `ludwig_configs/search/`."""

    trials: int = 12
    """Samples of the space; a grid_search in it multiplies them."""
    minutes: float = 60.0
    """Time for all trials together, after which the running ones are stopped."""
    concurrent: int = 0
    """Trials at the same time; 0 means one a core, or one where a GPU is."""
    grace_period: int = 2
    """Epochs every trial may train before a bad one is stopped."""
    reduction_factor: int = 3
    """One in so many trials goes on past each stop (Li et al. 2020, ASHA)."""
    object_store: int = 512 * 1024**2
    """Bytes of shared memory for the local Ray cluster; what does not fit goes to disk."""


@dataclass(frozen=True)
class SampleSettings:
    """How large the built-in sample set is."""

    leaflets: int = 240
    seed: int = 1


PREPARE = PrepareSettings()
TRAIN = TrainSettings()
HYPEROPT = HyperoptSettings()
SAMPLE = SampleSettings()
