"""Transforms of channels from plain tables, such as those of a TOML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from numbers import Real
from typing import Any, Final

from bayes_attrib.citing import nearest, quote
from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.exposure.adstock_kinds import ADSTOCKS, Adstock
from bayes_attrib.exposure.channel_transform import ChannelTransform, TransformKey
from bayes_attrib.exposure.saturation_kinds import SATURATIONS, Saturation

_GEOS: Final = "geos"
_MISSING: Final = "missing-key"
_TRUTH_VALUES: Final = ("normalise", "saturation_first")
_OPTIONS: Final = ("adstock", "saturation", "scale", "saturation_first")


class _FaultError(Exception):
    """A fault that was found, on its way to the list of faults."""

    def __init__(self, code: str, where: str, message: str, remedy: str) -> None:
        self.finding = Finding(code, "error", where, message, remedy)
        super().__init__(message)


def parse_transforms(
    channels: Mapping[str, Any], *, path: str = "channels", further: tuple[str, ...] = ()
) -> dict[TransformKey, ChannelTransform]:
    """Read the transforms of channels, and where a geo has parameters of its own, of that geo.

    Parameters
    ----------
    channels : mapping
        By channel: a table with the keys ``adstock`` and ``saturation`` (tables with ``kind`` and
        the parameters of that kind; left out means none), ``scale``, ``saturation_first``, and
        ``geos``: by geo, a table with whatever differs there. A geo keeps the parameters of its
        channel that it does not name, unless it names another ``kind``. A channel that leaves a
        parameter to its geos serves no other geo.
    path : str
        Where the tables stand, for messages.
    further : tuple of str
        Keys of channels and geos that are somebody else's to read.

    Returns
    -------
    dict
        Transforms by channel, and by (channel, geo) where a geo has parameters of its own.

    Raises
    ------
    SpecError
        If a kind or a key is unknown, or a parameter is missing, no number or out of range; all
        faults are listed, each with its path.
    """
    found: dict[TransformKey, ChannelTransform] = {}
    faults: list[Finding] = []
    for key, where, table in _tables(channels, path, faults, further):
        try:
            found[key] = _transform(table, where)
        except _FaultError as fault:
            faults.append(fault.finding)
    if faults:
        raise SpecError("the transforms of delivery cannot be used:", faults)
    return found


def _tables(
    channels: Mapping[str, Any], path: str, faults: list[Finding], further: tuple[str, ...]
) -> Iterator[tuple[TransformKey, str, dict[str, Any]]]:
    """Yield key, path and table of every channel, and of every geo with that of its channel."""
    for channel, given in channels.items():
        where = f"{path}.{channel}"
        try:
            table = _without(_table(given, where), further)
            geos = _table(table.pop(_GEOS, {}), f"{where}.{_GEOS}")
            _known(table, (*_OPTIONS, _GEOS, *further), where)
            if not geos or _is_complete(table, where):
                yield channel, where, table
            for geo, own in geos.items():
                at = f"{where}.{_GEOS}.{geo}"
                yield (channel, geo), at, _merged(table, _without(_table(own, at), further), at)
        except _FaultError as fault:
            faults.append(fault.finding)


def _is_complete(table: Mapping[str, Any], where: str) -> bool:
    """Tell whether a channel with geos can serve others too: it has parameters, and lacks none."""
    try:
        _transform(table, where)
    except _FaultError as fault:
        return fault.finding.code != _MISSING
    return bool(table)


def _merged(channel: Mapping[str, Any], own: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the table of a channel with what a geo says instead."""
    merged = dict(channel)
    for key, value in own.items():
        before = channel.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            same = value.get("kind", before.get("kind")) == before.get("kind")
            merged[key] = {**before, **value} if same else value
        else:
            merged[key] = value
    _known(own, _OPTIONS, where)
    return merged


def _transform(table: Mapping[str, Any], where: str) -> ChannelTransform:
    adstock = _part(table, "adstock", ADSTOCKS, where)
    saturation = _part(table, "saturation", SATURATIONS, where)
    return _built(ChannelTransform, {**table, **adstock, **saturation}, where)


def _part(
    table: Mapping[str, Any],
    name: str,
    kinds: Mapping[str, type[Adstock | Saturation]],
    where: str,
) -> dict[str, Adstock | Saturation]:
    """Return the adstock or the saturation of a table under its name; nothing where it has none."""
    if name not in table:
        return {}
    where = f"{where}.{name}"
    parameters = dict(_table(table[name], where))
    kind = parameters.pop("kind", None)
    if kind not in kinds:
        close = nearest(kind, kinds) if isinstance(kind, str) else None
        message = "the kind is missing" if kind is None else f"unknown kind {kind!r}"
        guess = f"did you mean {close!r}? " if close else ""
        remedy = f"{guess}the kinds are {', '.join(kinds)}"
        raise _FaultError("unknown-kind", f"{where}.kind", message, remedy)
    return {name: _built(kinds[kind], parameters, where)}


def _built[T](cls: type[T], parameters: dict[str, Any], where: str) -> T:
    """Make an object of a class from its parameters, or say which of them are wrong."""
    wanted = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    _known(parameters, tuple(wanted), where)
    for name, field in wanted.items():
        if name in parameters:
            _check_type(parameters[name], name, f"{where}.{name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            keys = ", ".join(wanted)
            message = f"the parameter {quote(name)} is missing"
            raise _FaultError(_MISSING, f"{where}.{name}", message, f"add it; keys: {keys}")
    try:
        return cls(**parameters)
    except ValueError as error:
        raise _FaultError("bad-value", where, str(error), "correct the value") from error


def _check_type(value: Any, name: str, where: str) -> None:
    if name in _TRUTH_VALUES:
        if not isinstance(value, bool):
            message = f"must be true or false; got {value!r}"
            raise _FaultError("bad-value", where, message, "correct the value")
    elif isinstance(value, bool) or not isinstance(value, Real | Adstock | Saturation | None):
        message = f"must be a number; got {value!r}"
        raise _FaultError("bad-value", where, message, "correct the value")


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        remedy = "write a table, such as { kind = ... }"
        raise _FaultError("bad-value", where, f"must be a table; got {value!r}", remedy)
    return value


def _without(table: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def _known(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            close = nearest(key, known)
            guess = f"did you mean {quote(close)}? " if close else ""
            listed = ", ".join(known) or "none"
            message = f"unknown key {quote(key)}"
            raise _FaultError("unknown-key", f"{where}.{key}", message, f"{guess}keys: {listed}")
