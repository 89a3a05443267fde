"""Options of a scenario: closed, frozen, and checked with findings like a spec."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.spec import Columns


class ScenarioOptions(BaseModel):
    """Base of every scenario's options: unknown keys and loose types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @property
    @abstractmethod
    def columns(self) -> Columns:
        """Column names of the tables that these options ask for, as a spec states them."""


def parse_options[O: ScenarioOptions](
    model: type[O], options: Mapping[str, Any], *, scenario: str
) -> O:
    """Validate the options of a scenario.

    Parameters
    ----------
    model : type
        The scenario's options.
    options : mapping of str to object
        Values by name; what is left out takes its default.
    scenario : str
        Name under which faults are reported.

    Returns
    -------
    ScenarioOptions
        An instance of ``model``.

    Raises
    ------
    SpecError
        If a name is unknown or a value is out of range. Every fault is listed.
    """
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        findings = [_finding(model, scenario, details) for details in error.errors()]
        raise SpecError(f"the options of scenario {scenario!r} do not hold:", findings) from error


def _finding(model: type[ScenarioOptions], scenario: str, details: ErrorDetails) -> Finding:
    name = ".".join(str(part) for part in details["loc"])
    where = f"scenario {scenario}, {name}" if name else f"scenario {scenario}"
    if details["type"] == "extra_forbidden":
        remedy = f"{did_you_mean(name, model.model_fields)}known: {', '.join(model.model_fields)}"
        return Finding("unknown-option", "error", where, f"unknown option {name!r}", remedy)
    if details["type"] == "value_error":
        message = str(details["ctx"]["error"])
        return Finding("invalid-option", "error", where, message, "change these options")
    reason = details["msg"][:1].lower() + details["msg"][1:]
    meaning = model.model_fields[str(details["loc"][0])].description
    message = f"{reason}; got {details['input']!r}"
    return Finding("invalid-option", "error", where, message, f"{name} is: {meaning}")


def did_you_mean(word: str, known: Mapping[str, object]) -> str:
    """Return a hint with the nearest known name, or nothing where none is near.

    Parameters
    ----------
    word : str
        What was written.
    known : mapping with str keys
        Names that exist.

    Returns
    -------
    str
        Such as ``"did you mean 'n_weeks'? "``, or an empty text.
    """
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}? " if near else ""
