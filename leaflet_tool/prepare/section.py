"""What all parts of a dataset definition have in common, and what is said of those that are wrong."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import ErrorDetails


class Section(BaseModel):
    """A part of a definition: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def as_tuple(value: Any) -> Any:
    """YAML's lists as tuples, so that a definition cannot change."""
    return tuple(value) if isinstance(value, list) else value


def _rising[Number: (int, float)](value: tuple[Number, Number]) -> tuple[Number, Number]:
    if value[0] > value[1]:
        raise ValueError(f"{value[0]} to {value[1]} is no range, the lower end comes first")
    return value


Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(ge=0)]
Percent = Annotated[int, Field(ge=1, le=100)]
Range = Annotated[tuple[Positive, Positive], BeforeValidator(as_tuple), AfterValidator(_rising)]
Shares = Annotated[tuple[Share, Share], BeforeValidator(as_tuple), AfterValidator(_rising)]
Percents = Annotated[tuple[Percent, Percent], BeforeValidator(as_tuple), AfterValidator(_rising)]


def nearest(name: str, known: Iterable[str]) -> str:
    """The most similar of `known`, or an empty string."""
    return next(iter(get_close_matches(name, list(known), 1)), "")


def problem(error: ErrorDetails, whole: type[Section]) -> str:
    """One line for one of pydantic's findings about a `whole`, with what helps to mend it."""
    where = ".".join(str(part) for part in error["loc"] if part != "[key]") or "the whole"
    if error["type"] == "extra_forbidden":
        near = nearest(str(error["loc"][-1]), _keys(error["loc"][:-1], whole))
        return f"unknown key {where}" + (f", did you mean {near!r}?" if near else "")
    value = error.get("input")
    if error["type"] == "string_type" and isinstance(value, bool | int | float):
        return f"{where}: YAML reads this as {value!r}; put it in quotes to keep it text"
    if error["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def _keys(section: tuple[int | str, ...], whole: type[Section]) -> list[str]:
    """Keys a section of the `whole` may have."""
    model: Any = whole
    for part in section:
        kinds = (model.model_fields[part].annotation, *get_args(model.model_fields[part].annotation))
        model = next(kind for kind in kinds if isinstance(kind, type))  # a section may also be None
    return list(model.model_fields)
