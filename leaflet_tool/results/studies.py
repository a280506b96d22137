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
    """Another row, whose run at the same seed gives the encoder's weights."""


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
        unknown = [name for name, row in self.rows.items() if row.start_from and row.start_from not in self.rows]
        if unknown:
            raise ValueError(f"these rows start from one that is not there: {', '.join(map(repr, unknown))}")
        self.sources_first()
        return self

    def sources_first(self) -> list[str]:
        """The rows in their order, each after the one it starts from; a ValueError where they go in a circle."""
        before = {name: [row.start_from] if row.start_from else [] for name, row in self.rows.items()}
        try:
            TopologicalSorter(before).prepare()
        except CycleError as error:
            raise ValueError(f"these rows start from each other: {', '.join(map(repr, error.args[1][1:]))}") from None
        ordered: dict[str, None] = {}
        for name in self.rows:
            chain = [name]
            while before[chain[-1]]:
                chain += before[chain[-1]]
            ordered |= dict.fromkeys(reversed(chain))
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
        return self.declared.rows[row].start_from

    def config(self, row: str) -> str:
        """The row's definition."""
        return self.declared.rows[row].config or self.declared.base.config

    def overrides(self, row: str) -> dict[str, Any]:
        """What the row overrides in its definition: the base's overrides, then its own.

        Where a row has a definition of its own, those of the base count as far as that one has the places.
        """
        shared = self.declared.base.set
        if self.declared.rows[row].config:
            content = definitions.find(self.config(row)).content
            shared = {path: value for path, value in shared.items() if definitions.has(content, path)}
        return {**shared, **self.declared.rows[row].set}

    def data(self, row: str) -> dict[str, Any]:
        """The settings of the row's training rows."""
        return {**self.declared.base.data, **self.declared.rows[row].data}

    def changes(self, row: str) -> str:
        """What the row changes, in words."""
        declared = self.declared.rows[row]
        changed = [f"definition {declared.config}"] if declared.config else []
        changed += [f"starts from {declared.start_from!r}"] if declared.start_from else []
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
