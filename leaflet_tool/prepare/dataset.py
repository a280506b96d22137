"""Dataset definitions: how an archive is read, declared in YAML and checked before a file of it is opened."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import REGIONS, SPLITS, Label
from leaflet_tool.prepare.augment import Augment
from leaflet_tool.prepare.section import Section, as_tuple, nearest, problem
from leaflet_tool.prepare.taxonomies import Stated, parents_of
from leaflet_tool.resources import parsed, shipped
from leaflet_tool.settings import PREPARE, Engine, LabelForm, Orientation, RarePolicy, Region, UnlabelledPolicy


def _shares(value: Any) -> Any:
    """Also the form a flag has: 0.7,0.15,0.15."""
    if not isinstance(value, str):
        return as_tuple(value)
    try:
        return tuple(float(share) for share in value.split(","))
    except ValueError:
        raise ValueError(f"{value!r} is not three numbers with commas between them") from None


def _regions(value: Any) -> Any:
    """Also the form a flag has, top,left; each once, in the order of REGIONS."""
    value = as_tuple([name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value)
    known = isinstance(value, tuple) and all(name in REGIONS for name in value)
    return tuple(name for name in REGIONS if name in value) if known else value


Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
Regions = Annotated[tuple[Region, ...], BeforeValidator(_regions)]
Fractions = Annotated[tuple[float, float, float], BeforeValidator(_shares)]


class Source(Section):
    """What the archive is: class folders, one table, or label files."""

    type: Literal["folders", "table", "label_files"]
    file: str = ""
    """The table, relative to the archive; empty when the archive is the table itself."""
    delimiter: str = Field(default="", max_length=1)
    """What separates a CSV's cells; empty means comma, or tab in a .tsv file."""
    files: dict[Literal["train", "validation", "test"], str] = Field(default={})
    """Label files by the split they declare, relative to the archive."""
    root: str = "."
    """Where the paths in label files start, relative to the archive."""
    categories: Names = ()
    """The names of the classes that label files number from 0."""


class Columns(Section):
    """The archive's names for what the manifest holds; an empty name means that the archive has none."""

    image: str = ""
    text: str = ""
    caption: str = ""
    label: str = ""
    labels: str = ""
    group: str = ""
    page: str = ""
    split: str = ""
    fold: str = ""
    id: str = ""

    @model_validator(mode="after")
    def _one_label(self) -> Self:
        if self.label and self.labels:
            raise ValueError("label and labels exclude each other: one class a row, or several")
        return self

    def named(self) -> dict[str, str]:
        """Meaning to the archive's column, of those that are declared."""
        return {meaning: column for meaning, column in self.model_dump().items() if column}


class Ocr(Section):
    """How text is read when the archive gives none."""

    engine: Engine = PREPARE.ocr
    language: str = Field(default=PREPARE.language, min_length=1)
    psm: int = Field(default=PREPARE.psm, ge=1, le=13)
    orientation: Orientation = PREPARE.orientation
    pdf_text: bool = PREPARE.pdf_text

    @field_validator("psm")
    @classmethod
    def _reads(cls, psm: int) -> int:
        if psm == 2:
            raise ValueError("Tesseract's page segmentation mode 2 finds where text is and reads none; 3 reads it too")
        return psm


class Images(Section):
    """How working copies are made."""

    max_side: int = Field(default=PREPARE.max_side, ge=16)
    jpeg_quality: int = Field(default=PREPARE.jpeg_quality, ge=1, le=100)
    max_pixels: int = Field(default=PREPARE.max_pixels, ge=1)


class Duplicates(Section):
    """Which pages count as the same, beside those of the same bytes: they share a group."""

    near: bool = True
    """Pictures that look the same."""
    distance: int = Field(default=PREPARE.near_distance, ge=0, le=16)
    """Bits, of 64, in which their perceptual hashes may differ."""
    text: bool = True
    """Pages that say the same."""


class Split(Section):
    """Shares of groups for train, validation and test, the number of folds, and the seed that places groups."""

    fractions: Fractions = PREPARE.fractions
    seed: int = PREPARE.seed
    folds: int = Field(default=PREPARE.folds, ge=0)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if min(self.fractions) < 0 or self.fractions[0] == 0 or abs(sum(self.fractions) - 1) > 1e-6:
            raise ValueError("fractions are three shares (train, validation, test) that sum to 1, with train above 0")
        return self


class Rare(Section):
    """What becomes of classes with fewer than `minimum` groups, or not among the `most_frequent` (0: no such limit)."""

    policy: RarePolicy = PREPARE.rare
    minimum: int = Field(default=PREPARE.rare_minimum, ge=1)
    most_frequent: int = Field(default=PREPARE.most_frequent, ge=0)

    @model_validator(mode="after")
    def _has_a_policy(self) -> Self:
        if self.most_frequent and self.policy == "keep":
            raise ValueError("most_frequent says which classes are rare, and the policy keeps those: drop or other?")
        return self


class Resample(Section):
    """Which training rows are taken out, as a share that is kept, and which are added, as a share of those left."""

    undersample: float = Field(default=PREPARE.undersample, gt=0, le=1)
    oversample: float = Field(default=PREPARE.oversample, ge=0, le=10)


class About(Section):
    """What the archive says of itself, for those it is passed on to; empty where it says nothing."""

    name: str = ""
    description: str = ""
    license: str = ""
    """Best the address of a known licence, as https://spdx.org/licenses/ lists them."""
    url: str = ""
    version: str = Field(default="", pattern=r"^(\d+\.\d+\.\d+.*)?$")
    """As in https://semver.org: MAJOR.MINOR.PATCH."""
    citation: str = ""


class Dataset(Section):
    """One definition, every default filled in."""

    source: Source
    about: About = About()
    columns: Columns | None = None
    """None: columns are taken by the manifest's own names, as far as the table has them."""
    label_name: str = ""
    label_delimiter: str = ""
    labels: LabelForm | None = None
    """Several labels a row as the archive has them, the most specific ones, or with all above them.

    None: closed where there is a taxonomy, else given.
    """
    taxonomy: Annotated[Stated, BeforeValidator(parents_of)] = ""
    unlabelled: UnlabelledPolicy = PREPARE.unlabelled
    split_words: dict[str, Literal["train", "validation", "test"]] = Field(default={})
    classes: Names = ()
    ocr: Ocr = Ocr()
    images: Images = Images()
    regions: Regions = PREPARE.regions
    """Halves of each page that models look at beside the whole, each a working copy of its own."""
    region_side: int = Field(default=PREPARE.region_side, ge=8)
    duplicates: Duplicates = Duplicates()
    split: Split = Split()
    rare: Rare = Rare()
    max_per_class: int = Field(default=PREPARE.max_per_class, ge=0)
    augment: Augment = Augment()
    resample: Resample = Resample()

    @model_validator(mode="after")
    def _columns_of_tables(self) -> Self:
        if self.source.type != "table" and self.named_columns.named():
            raise ValueError(f"a source of type {self.source.type} has no columns to name")
        return self

    @model_validator(mode="after")
    def _can_resample(self) -> Self:
        if self.resample.undersample < 1 and self.split.folds:
            raise ValueError("resample.undersample takes rows out of train, and folds test on each row: choose one")
        if self.resample.oversample and not (self.augment.draws or self.augment.words):
            raise ValueError("resample.oversample adds altered copies, and no alteration has odds above 0")
        return self

    @model_validator(mode="after")
    def _can_cut(self) -> Self:
        if self.regions and self.images.max_side < 2 * self.region_side:
            raise ValueError(
                f"a region of {self.region_side} pixels is half of {2 * self.region_side}, and images.max_side leaves "
                f"{self.images.max_side} of a page: raise it, or lower region_side"
            )
        return self

    @property
    def label_form(self) -> LabelForm:
        """`labels`, or what stands for it where it says nothing."""
        return self.labels or ("closed" if self.taxonomy else "given")

    @property
    def named_columns(self) -> Columns:
        """The declared columns, or none."""
        return self.columns or Columns()

    @property
    def label(self) -> Label:
        """The manifest's label column: `label_name`, else the archive's own name, else `label`."""
        columns = self.named_columns
        return Label(self.label_name or columns.label or columns.labels or "label", bool(columns.labels))

    def splits(self) -> dict[str, str]:
        """Every word that names a split, to the manifest's word."""
        return {split: split for split in SPLITS} | self.split_words


def names() -> dict[str, str]:
    """Shipped definitions by name, with their description."""
    paths = sorted(shipped("datasets").glob("*.yaml"))
    return {
        path.stem: description(path) for path in paths if "source" in (yaml.safe_load(path.read_text("utf-8")) or {})
    }


def description(path: Path) -> str:
    """A definition's first comment line."""
    first = path.read_text("utf-8").split("\n", 1)[0]
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def find(name: str) -> Path:
    """The definition of that name among the shipped ones, or the file itself."""
    known = names()
    if name in known:
        return shipped("datasets") / f"{name}.yaml"
    if Path(name).is_file():
        return Path(name)
    near = nearest(name, known)
    raise InputError(
        f"there is no dataset definition {name!r}" + (f", did you mean {near!r}?" if near else ""),
        hint=f"give a YAML file or one of: {', '.join(known)}",
    )


def load(name: str) -> Dataset:
    """The definition `name` (shipped, or a file), checked."""
    path = find(name)
    dataset = build(parsed(path, "dataset definition")[1], str(path))
    if isinstance(dataset.taxonomy, str) and dataset.taxonomy and (path.parent / dataset.taxonomy).is_file():
        return dataset.model_copy(update={"taxonomy": str((path.parent / dataset.taxonomy).resolve())})
    return dataset


def build(content: Any, name: str) -> Dataset:
    """The definition in `content`; an InputError lists every wrong key and value, with the nearest right ones."""
    try:
        return Dataset.model_validate(content)
    except ValidationError as error:
        problems = [problem(found, Dataset) for found in error.errors()]
        hint = f"the shipped definitions show what there is: {shipped('datasets')}"
        raise InputError.listing(f"{name} is not a valid dataset definition", problems, hint=hint) from None


def overridden(dataset: Dataset, changes: dict[str, Any]) -> Dataset:
    """`dataset` with values replaced by path, such as `{"ocr.language": "eng+cym"}`; None leaves a value as it is."""
    content = dataset.model_dump(exclude_none=True)
    for path, value in changes.items():
        if value is None:
            continue
        section, _, key = path.rpartition(".")
        (content.setdefault(section, {}) if section else content)[key] = value
    for one, other in (("label", "labels"), ("labels", "label")):
        if changes.get(f"columns.{one}"):
            content["columns"].pop(other, None)
            content.pop("label_name", None)
    return build(content, "the definition with these flags")
