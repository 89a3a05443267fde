"""What all sections of a spec share: frozen, strict, closed; and faults that carry remedies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from bayes_attrib.errors import Finding


def fault(message: str, remedy: str) -> PydanticCustomError:
    """Make an error that carries its remedy; text goes in as context, so braces stay braces."""
    return PydanticCustomError("spec_fault", "{message}", {"message": message, "remedy": remedy})


def faults(findings: Iterable[Finding]) -> PydanticCustomError:
    """Make an error that carries several findings, each with its own path and remedy."""
    return PydanticCustomError("spec_faults", "several faults", {"findings": tuple(findings)})


def _one_or_many(value: Any) -> Any:
    """Let a single key column be written as a plain string; TOML arrays become tuples."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _array(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


ColumnName = Annotated[str, Field(min_length=1)]
KeyColumns = Annotated[tuple[ColumnName, ...], BeforeValidator(_one_or_many), Field(min_length=1)]
ColumnList = Annotated[tuple[ColumnName, ...], BeforeValidator(_array)]


class Closed(BaseModel):
    """Frozen, strict, and closed to keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
