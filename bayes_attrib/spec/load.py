"""Read specs from TOML, and turn every fault into a finding with the key's path."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.spec.schema import ModelSpec


def load_spec(path: str | Path) -> ModelSpec:
    """Load a spec from a TOML file.

    Parameters
    ----------
    path : str or Path
        A file such as ``models/hcp_brick.toml``.

    Returns
    -------
    ModelSpec
        The validated, frozen spec.

    Raises
    ------
    SpecError
        If the file cannot be read, is not TOML, or leaves the vocabulary. Every fault is listed.
    """
    text, source = _text_of(path)
    return parse_spec(text, source=source)


def load_closed[M: BaseModel](path: str | Path, model: type[M]) -> M:
    """Load a spec of another kind from a TOML file, with faults told as those of a model's spec.

    Parameters
    ----------
    path : str or Path
        The file.
    model : type
        Its vocabulary.

    Returns
    -------
    BaseModel
        An instance of ``model``.

    Raises
    ------
    SpecError
        As :func:`load_spec`.
    """
    text, source = _text_of(path)
    return _validated(model, _plain(text, source), source)


def _text_of(path: str | Path) -> tuple[str, str]:
    path = Path(path)
    try:
        return path.read_text(encoding="utf-8"), path.name
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _single(
            path.name, "unreadable-spec", f"cannot be read: {reason}", "check the path"
        ) from error


def parse_spec(text: str, *, source: str = "spec") -> ModelSpec:
    """Parse the text of a spec.

    Parameters
    ----------
    text : str
        TOML.
    source : str
        Name under which faults are reported.

    Returns
    -------
    ModelSpec
        The validated, frozen spec.

    Raises
    ------
    SpecError
        If the text is not TOML or leaves the vocabulary. Every fault is listed.
    """
    return parse_plain(_plain(text, source), source=source)


def _plain(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _single(
            source,
            "invalid-toml",
            f"is not TOML: {error}",
            "mend the line; text needs double quotes, a list needs brackets",
        ) from error


def parse_plain(raw: Mapping[str, Any], *, source: str) -> ModelSpec:
    """Check a spec that is already in plain TOML or JSON types.

    Parameters
    ----------
    raw : mapping
        Content of a spec.
    source : str
        Name under which faults are reported.

    Returns
    -------
    ModelSpec
        The validated, frozen spec.

    Raises
    ------
    SpecError
        If the content leaves the vocabulary. Every fault is listed.
    """
    return _validated(ModelSpec, raw, source)


def _validated[M: BaseModel](model: type[M], raw: Mapping[str, Any], source: str) -> M:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        findings = [f for details in error.errors() for f in _findings(model, source, details)]
        count = "one fault" if len(findings) == 1 else f"{len(findings)} faults"
        raise SpecError(f"the spec {source} has {count}:", findings) from error


def _single(source: str, code: str, message: str, remedy: str) -> SpecError:
    return SpecError(
        f"the spec {source} has one fault:", [Finding(code, "error", source, message, remedy)]
    )


def _findings(model: type[BaseModel], source: str, details: ErrorDetails) -> list[Finding]:
    """Return what an error says: one fault, or those that it carries under paths of their own."""
    if details["type"] == "spec_faults":
        return [replace(f, where=f"{source}, {f.where}") for f in details["ctx"]["findings"]]
    return [_finding(model, source, details)]


def _finding(model: type[BaseModel], source: str, details: ErrorDetails) -> Finding:
    path = ".".join(str(part) for part in details["loc"])
    where = f"{source}, {path}" if path else source
    kind, context = details["type"], details.get("ctx", {})
    given = details["input"]
    if kind == "extra_forbidden":
        known = sorted(_keys_at(model, details["loc"][:-1]))
        near = difflib.get_close_matches(str(details["loc"][-1]), known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        remedy = f"{hint}known keys here: {', '.join(known)}"
        return Finding("unknown-key", "error", where, f"unknown key {path!r}", remedy)
    if kind == "missing":
        return Finding(
            "missing-key", "error", where, "this key is required", f"add {path!r} to the spec"
        )
    if kind == "spec_fault":
        return Finding("invalid-value", "error", where, context["message"], context["remedy"])
    message = f"{_lower_first(details['msg'])}; got {given!r}"
    return Finding("invalid-value", "error", where, message, _remedy(details, path))


def _remedy(details: ErrorDetails, path: str) -> str:
    """Say what to write instead of a value that pydantic refused."""
    kind, given = details["type"], details["input"]
    if kind == "literal_error":
        known = details["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        near = difflib.get_close_matches(str(given), known, n=1)
        return f"did you mean {near[0]!r}?" if near else f"write one of {', '.join(known)}"
    if kind == "string_pattern_mismatch" and path == "name":
        return "use lower-case letters, digits and underscores, as in hcp_brick"
    if path == "report.interval.prob" and isinstance(given, int | float) and 1 < given < 100:
        return f"probabilities are fractions: write {given / 100:g}"
    return f"change {path} in the spec"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _keys_at(root: type[BaseModel], location: tuple[int | str, ...]) -> Iterator[str]:
    """Yield the keys that the schema knows at a location."""
    model: type[BaseModel] | None = root
    labelled = False  # the next part is a place in a list, or a label in a table of sections
    for part in location:
        if labelled:
            labelled = False
            continue
        if model is None or part not in model.model_fields:
            return
        annotation = model.model_fields[str(part)].annotation
        model, labelled = _nested_model(annotation), get_origin(annotation) in (tuple, dict)
    if model is not None:
        yield from model.model_fields


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    candidates = [annotation, *get_args(annotation)]
    found = (c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return next(found, None)
