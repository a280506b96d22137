"""Every default that is not a model's: flags borrow theirs from here, and the help shows them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Engine = Literal["tesseract", "none"]
RarePolicy = Literal["keep", "drop", "other"]
LabelForm = Literal["given", "flat", "closed"]
UnlabelledPolicy = Literal["stated", "keep", "drop"]
Orientation = Literal["detect", "none"]
Backend = Literal["local", "ray"]
Region = Literal["top", "bottom", "left", "right"]
Method = Literal["auto", "gradients", "occlusion"]
Decision = Literal["keep", "change", "several", "unclear"]
Objective = Literal["f1", "f2", "f0.5"]


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
    regions: tuple[Region, ...] = ()
    """Halves of each page that become working copies of their own, for models that look at them."""
    region_side: int = 256
    """Width and height of a region, pixels: the input size of the models that look at it."""
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
    unlabelled: UnlabelledPolicy = "stated"
    """What becomes of rows without labels where a row may have several.

    stated: an empty list says that none applies, and the row is kept; an empty text says nothing, and it is left out.
    keep, drop: both are kept, as rows to which no label applies, or both are left out.
    """
    undersample: float = 1.0
    """Share of the training rows that are kept; 1 means all."""
    oversample: float = 0.0
    """Share of the training rows that are added as altered copies of those with rare labels."""
    workers: int = 0
    """Processes that read images; 0 means one a core."""
    backend: Backend = "local"
    """Where text is read: by processes of this machine, or by the nodes of a Ray cluster."""


@dataclass(frozen=True)
class AugmentSettings:
    """Altered copies of training pages: how many a page, the odds of each alteration in a copy, and how far it goes."""

    copies: int = 0
    rotate_90: float = 0.1
    """Clockwise, as `rotate_270`: what a page that nobody set upright looks like."""
    rotate_270: float = 0.1
    flip_left_right: float = 0.0
    """As `flip_top_bottom`: no camera mirrors a page, so only where a study asks for it."""
    flip_top_bottom: float = 0.0
    turn: float = 0.5
    perspective: float = 0.5
    light: float = 0.5
    blur: float = 0.3
    jpeg: float = 0.3
    words: float = 0.0
    """Odds that a word of the text is left out, and of the caption; 0 leaves both as the page's."""
    turn_degrees: tuple[float, float] = (1.0, 5.0)
    """Least and most, to either side."""
    slant: float = 0.02
    """How far perspective moves a corner: standard deviation, as a share of the page's width."""
    gain: tuple[float, float] = (0.6, 1.2)
    """Darkest and brightest light; 1 leaves the page as it is."""
    tint: float = 0.04
    """Standard deviation of a colour channel's own gain."""
    shadow: tuple[float, float] = (0.0, 0.5)
    """Least and most light that is lost at the dark side."""
    blur_radius: tuple[float, float] = (0.6, 1.6)
    """Thousandths of the page's longest side."""
    quality: tuple[int, int] = (15, 50)
    """Of the lossy JPEG, 1 to 100."""


@dataclass(frozen=True)
class TrainSettings:
    """How a run is launched; what a model learns from is in its definition."""

    runs: Path = Path("runs")
    seed: int = 42
    backend: str = "local"
    resamples: int = 1000
    """Bootstrap resamples of groups behind every 95 % interval."""
    threshold_objective: Objective = "f1"
    """What the threshold of each of several labels is to be best at; f2 favours recall, f0.5 precision."""


@dataclass(frozen=True)
class ConfidenceSettings:
    """How it is shown what a run's confidence is worth."""

    targets: tuple[float, ...] = (0.9, 0.95, 0.99)
    """Precisions for which thresholds are fitted and judged."""


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


@dataclass(frozen=True)
class ExplainSettings:
    """How a prediction is explained, and how much of it is shown."""

    out: Path = Path("explanation.png")
    steps: int = 64
    """Steps of integrated gradients to begin with; they double until the weights sum up to what they should."""
    most_steps: int = 512
    tolerance: float = 0.05
    """How far the sum may be off, as a share of what it should be."""
    batch: int = 16
    """Rows that a model looks at together."""
    references: int = 32
    """Training pages whose mean is the average page that images are weighed against."""
    grid: int = 12
    """Cells a side in which the weights of an image's pixels are summed up; an area that is covered is two by two."""
    areas: int = 3
    """Areas of an image, and words of a text, that are named."""
    words: int = 12
    classes: int = 8
    """Classes whose probabilities are drawn, those that are predicted aside."""


@dataclass(frozen=True)
class AuditSettings:
    """From where on an audit lists a leaflet, and what it does not dare to judge."""

    out: Path = Path("audit")
    seed: int = 42
    least_groups: int = 5
    """Leaflets of a class below which its labels are not judged."""
    sure: float = 0.75
    """Score from which a label is listed, whether or not its class is suspected of so many: three to one against it."""
    telling_words: int = 8
    """Words that are shown for a finding."""
    poor_words: int = 8
    """Words below which a text is too poor to judge by."""
    poor_confidence: float = 50.0
    """Mean of Tesseract's confidence, 0 to 100, below which a text is too poor to judge by."""
    neighbours: int = 10
    """Nearest leaflets to which the distance of an outlier is measured."""
    outlier_spread: float = 3.0
    """Quartile distances above the upper quartile from which a leaflet is an outlier; Tukey calls it far out."""
    blank_sharpness: float = 20.0
    """Sharpness below which a page without words shows nothing: blank paper has 3 to 20, printed pages 130 and more."""
    blurred_sharpness: float = 45.0
    """Sharpness below which any page counts as blurred."""
    blurred_at_most: float = 130.0
    """Sharpness below which a page is blurred if it is far less sharp than the archive's other pages."""
    dark_brightness: float = 12.0
    """Mean grey level, 0 to 255, below which any page counts as dark: some film posters have 12, and are to be."""
    dark_at_most: float = 90.0
    """Mean grey level below which a page is dark if it is far darker than the archive's other pages."""
    page_spread: float = 3.5
    """What far means: robust standard deviations (1.4826 times the median absolute deviation) below the median."""
    sideways_confidence: float = 30.0
    """Mean of Tesseract's confidence below which nobody could tell how a page of some words lies: upright ones that are
    badly printed have 34 to 43."""
    sideways_words: int = 10
    """Words that it must have for that."""
    sideways_confidence_unlike: float = 60.0
    """The same for pages that are wide where most are high, or high where most are wide."""
    sideways_words_unlike: int = 3
    cue_lead: float = 0.05
    """Least lead in accuracy over the majority class with which an image property is a cue."""
    cue_folds: int = 5
    cue_depth: int = 4
    """Depth of the tree that predicts the label from a property."""
    resamples: int = 500
    """Bootstrap resamples of groups behind a cue's interval."""
    shown: int = 10
    """Findings that the command prints."""


@dataclass(frozen=True)
class RaySettings:
    """What a Ray cluster of our own takes."""

    object_store: int = 512 * 1024**2
    """Bytes of shared memory; what does not fit goes to disk."""


@dataclass(frozen=True)
class ReviewSettings:
    """How findings are shown to reviewers, and when a review has done its work."""

    port: int = 0
    """0: the one of the last time where it is free, else any free one."""
    quick: int = 9
    """Classes that a digit chooses."""
    presence: float = 300.0
    """Seconds for which a finding that one reviewer looks at is offered to the others after the rest."""
    window: int = 50
    """The last findings reviewed, in rank order, by which the next ones are judged."""
    ahead: int = 100
    """The next findings for which is said how many wrong labels are to be expected."""
    limit: float = 5.0
    """Expected wrong labels among those below which a review may stop."""


@dataclass(frozen=True)
class SampleSettings:
    """How large the built-in sample set is."""

    leaflets: int = 240
    seed: int = 1


PREPARE = PrepareSettings()
AUGMENT = AugmentSettings()
TRAIN = TrainSettings()
CONFIDENCE = ConfidenceSettings()
HYPEROPT = HyperoptSettings()
EXPLAIN = ExplainSettings()
AUDIT = AuditSettings()
RAY = RaySettings()
REVIEW = ReviewSettings()
SAMPLE = SampleSettings()
