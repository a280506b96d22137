"""What all parts of a dataset definition have in common."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


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
