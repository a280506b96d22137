"""Studies as declared: rows that differ from a base in stated settings and in nothing else, over the same seeds."""

import re
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from leaflet_tool.errors import InputError
from leaflet_tool.models import definitions
from leaflet_tool.models.definitions import first_comments, nearest
from leaflet_tool.prepare.section import Section
from leaflet_tool.resources import parsed, shipped

FOLDER = "studies"
"""Where the shipped studies are, below ludwig_configs."""
STACK = "stack"
"""The definition of rows that are stacks."""


class Base(Section):
    """What every row has unless it says otherwise."""

    config: str
    """A definition: a shipped name, or a file."""
    set: dict[str, Any] = Field(default={})
    """Overrides of the definition, as `--set` takes them."""
    data: dict[str, Any] = Field(default={})
    """Settings of the training rows, as prepare.variants takes them."""


class Row(Section):
    """What a row has that the base has not."""

    config: str = ""
    set: dict[str, Any] = Field(default={})
    data: dict[str, Any] = Field(default={})
    start_from: str = ""
    """`ROW[:FEATURE]`: another row, and its image feature, whose run at the same seed gives the encoder's weights."""
    stack: list[str] = Field(default=[])
    """Other rows: a stack learns from the probabilities that their runs at the same seed give to pages new to them."""


class Declaration(Section):
    """A study file."""

    base: Base
    seeds: list[int] = Field(min_length=1)
    rows: dict[str, Row] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        plain = [name for name, row in self.rows.items() if row == Row()]
        if len(plain) != 1:
            raise ValueError(f"one row is the base itself, with nothing changed ({{}}); here {len(plain)} are")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a seed is named twice")
        slugs = [slug(name) for name in self.rows]
        twice = [name for name, short in zip(self.rows, slugs, strict=True) if slugs.count(short) > 1 or not short]
        if twice:
            raise ValueError(f"these rows' runs would have the same names: {', '.join(map(repr, twice))}")
        self._check_sources()
        self.sources_first()
        return self

    def _check_sources(self) -> None:
        """A ValueError for rows that cannot start from, or stack, what they name."""
        known = {name: row for name, row in self.rows.items() if not row.stack}
        stacks = {name: row for name, row in self.rows.items() if row.stack}
        started = {name: self.start(name)[0] for name, row in self.rows.items() if row.start_from}
        bare = Row().model_dump(exclude={"stack", "set"})
        for problem, found in {
            "start from what may be a row, or a feature of another row": [
                name for name in started if self._ambiguous(self.rows[name].start_from)
            ],
            "start from one that is not there": [n for n, source in started.items() if source not in self.rows],
            "stack one that is not there": [n for n, row in stacks.items() if not set(row.stack) <= self.rows.keys()],
            "start from a stack, which has no encoder": [n for n, source in started.items() if source in stacks],
            "stack a stack, which has learned from the same pages": [
                name for name, row in stacks.items() if not set(row.stack) <= known.keys()
            ],
            "stack fewer than two different rows, or one twice": [
                name for name, row in stacks.items() if len(set(row.stack)) < max(2, len(row.stack))
            ],
            "are stacks, which have no config, start_from or data": [
                name for name, row in stacks.items() if row.model_dump(exclude={"stack", "set"}) != bare
            ],
        }.items():
            if found:
                raise ValueError(f"these rows {problem}: {', '.join(map(repr, found))}")

    def start(self, name: str) -> tuple[str, str]:
        """The row from which a row starts, and its image feature; empty where none is named.

        What stands behind the last colon is a feature, unless a row has the whole for its name.
        """
        whole = self.rows[name].start_from
        row, _, feature = whole.rpartition(":")
        return (row, feature) if row and feature and whole not in self.rows else (whole, "")

    def _ambiguous(self, whole: str) -> bool:
        row, _, feature = whole.rpartition(":")
        return whole in self.rows and bool(feature) and row in self.rows

    def sources(self, name: str) -> list[str]:
        """The rows that have to be trained before a row."""
        return self.rows[name].stack or list(filter(None, self.start(name)[:1]))

    def sources_first(self) -> list[str]:
        """The rows in their order, each after those it needs; a ValueError where they go in a circle."""
        before = {name: self.sources(name) for name in self.rows}
        try:
            TopologicalSorter(before).prepare()
        except CycleError as error:
            raise ValueError(f"these rows start from each other: {', '.join(map(repr, error.args[1][1:]))}") from None
        ordered: dict[str, None] = {}

        def place(name: str) -> None:
            for source in before[name]:
                place(source)
            ordered[name] = None

        for name in self.rows:
            place(name)
        return list(ordered)


@dataclass(frozen=True)
class Study:
    """A study by its name, with what it says of itself."""

    name: str
    path: Path
    description: str
    declared: Declaration

    @property
    def plain(self) -> str:
        """The row that is the base itself, with which the others are compared."""
        return next(name for name, row in self.declared.rows.items() if row == Row())

    @property
    def rows(self) -> list[str]:
        """The rows, in their order."""
        return list(self.declared.rows)

    @property
    def sources_first(self) -> list[str]:
        """The rows in the order in which they can be trained."""
        return self.declared.sources_first()

    def start_from(self, row: str) -> str:
        """The row from whose run this one starts; empty where it starts from none."""
        return self.declared.start(row)[0]

    def feature(self, row: str) -> str:
        """The image feature of that row; empty where none is named."""
        return self.declared.start(row)[1]

    def stacked(self, row: str) -> list[str]:
        """The rows on whose runs a row is a stack; none where it is no stack."""
        return self.declared.rows[row].stack

    def sources(self, row: str) -> list[str]:
        """The rows whose runs one of this row needs."""
        return self.declared.sources(row)

    def config(self, row: str) -> str:
        """The row's definition."""
        return STACK if self.stacked(row) else self.declared.rows[row].config or self.declared.base.config

    def overrides(self, row: str) -> dict[str, Any]:
        """What the row overrides in its definition: the base's overrides, then its own.

        Where a row has a definition of its own, those of the base count as far as that one has the places. They are of
        models that see pages, and so a stack has its own alone.
        """
        shared = {} if self.stacked(row) else self.declared.base.set
        if self.declared.rows[row].config:
            content = definitions.find(self.config(row)).content
            shared = {path: value for path, value in shared.items() if definitions.has(content, path)}
        return {**shared, **self.declared.rows[row].set}

    def data(self, row: str) -> dict[str, Any]:
        """The settings of the row's training rows; a stack learns from others, which no setting touches."""
        return {} if self.stacked(row) else {**self.declared.base.data, **self.declared.rows[row].data}

    def changes(self, row: str) -> str:
        """What the row changes, in words."""
        declared = self.declared.rows[row]
        changed = [f"definition {declared.config}"] if declared.config else []
        changed += [f"starts from {declared.start_from!r}"] if declared.start_from else []
        changed += [f"stack of {', '.join(map(repr, declared.stack))}"] if declared.stack else []
        changed += [f"{path}={value}" for path, value in {**declared.set, **declared.data}.items()]
        return ", ".join(changed) or "nothing: the base"


def slug(name: str) -> str:
    """A row's name as part of a folder's."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def names() -> list[str]:
    """Names of the shipped studies."""
    return sorted(path.stem for path in (shipped("ludwig_configs") / FOLDER).glob("*.yaml"))


def find(name: str) -> Study:
    """The shipped study of that name, or the YAML file at that path."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        path = shipped("ludwig_configs") / FOLDER / f"{name}.yaml"
        if not path.is_file():
            raise InputError(f"there is no study called {name!r}", hint=nearest(name, names(), "studies"))
    return read(path)


def read(path: Path) -> Study:
    """Parses one file; an InputError names the file and every wrong key."""
    text, content = parsed(path, "study")
    try:
        declared = Declaration.model_validate(content)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, found['loc'])) or 'the whole'}: {found['msg'].removeprefix('Value error, ')}"
            for found in error.errors()
        ]
        hint = f"the shipped studies show how: {shipped('ludwig_configs') / FOLDER}"
        raise InputError.listing(f"{path} is no study", problems, hint=hint) from None
    return Study(path.stem, path, " ".join(first_comments(text)), declared)


def changed(study: Study, *, config: str = "", seeds: tuple[int, ...] = (), overrides: dict[str, Any]) -> Study:
    """The study with another base definition, other seeds, or more overrides of every row."""
    base = study.declared.base
    base = base.model_copy(update={"config": config or base.config, "set": {**base.set, **overrides}})
    update = {"base": base, "seeds": list(seeds) or study.declared.seeds}
    return Study(study.name, study.path, study.description, study.declared.model_copy(update=update))
