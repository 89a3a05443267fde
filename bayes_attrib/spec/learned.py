"""Parameters of transforms that a spec leaves to be learned: their names, priors and curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from bayes_attrib.citing import nearest, quote
from bayes_attrib.errors import Finding
from bayes_attrib.exposure.channel_transform import ChannelTransform, TransformKey
from bayes_attrib.exposure.lagged import Curve
from bayes_attrib.exposure.saturation_kinds import MichaelisMentenSaturation
from bayes_attrib.spec.prior import PriorSpec, Support, distributions_on

LEARN: Final = "learn"
GEOS: Final = "geos"
_PARTS: Final = ("adstock", "saturation")

_SUPPORT: Final[Mapping[str, Support]] = MappingProxyType(
    {
        "decay": "unit",
        "peak": "positive",
        "scale": "positive",
        "shape": "positive",
        "half_saturation": "positive",
        "slope": "positive",
        "steepness": "positive",
        "ceiling": "positive",
        "cost": "positive",
        "exponent": "positive",
    }
)
"""Parameters of shape that can be unknown, and where they live."""

_MULTIPLE: Final = (
    "the ceiling multiplies all exposures of the channel, and rates take up any such multiple: no "
    "total can tell them apart"
)
_REDUNDANT: Final = (
    "ceiling and cost of tanh shape the curve by their product alone; a multiple is taken up by "
    "rates"
)


@dataclass(frozen=True)
class LearnedParameter:
    """A parameter of a transform that is unknown.

    Attributes
    ----------
    channel : str
        Channel.
    geo : str or None
        Geo, where it has an unknown of its own.
    name : str
        Parameter, such as ``"decay"``.
    prior : PriorSpec
        What is known of it before the totals are seen.
    value : float
        The fixed value beside it, with which exposures of tables are made.
    """

    channel: str
    geo: str | None
    name: str
    prior: PriorSpec
    value: float

    @property
    def label(self) -> str:
        """Name for reports and dimensions, such as ``"TV / decay"``; unique within a spec."""
        return " / ".join(filter(None, (self.channel, self.geo, self.name)))


@dataclass(frozen=True)
class LearnedTransform:
    """A curve with unknown parameters, and the channels (in geos) that have it.

    Attributes
    ----------
    curve : Curve
        Kinds, known and unknown parameters; its scale is of no account.
    keys : tuple of TransformKey
        Keys of the transforms, which differ in their scales alone.
    """

    curve: Curve
    keys: tuple[TransformKey, ...]


@dataclass(frozen=True)
class Learned:
    """All that a spec leaves to be learned of its transforms.

    Attributes
    ----------
    parameters : tuple of LearnedParameter
        The unknowns, in the order of their vector.
    transforms : tuple of LearnedTransform
        The curves that have any.
    """

    parameters: tuple[LearnedParameter, ...]
    transforms: tuple[LearnedTransform, ...]


def support_of_parameter(name: str) -> Support:
    """Return where a parameter of a transform lives."""
    return _SUPPORT[name]


def learnable(transform: ChannelTransform) -> dict[str, float]:
    """Return the parameters of a transform that could be learned together, with their values.

    Parameters
    ----------
    transform : ChannelTransform
        A transform.

    Returns
    -------
    dict of str to float
        Without those that multiply all exposures, and those of an adstock without fixed lags.
    """
    found = {
        name: value
        for name, value in _values(transform).items()
        if _parameter_fault(name, transform, "") is None
    }
    if transform.saturation.kind == "tanh":
        found.pop("ceiling", None)
    return found


def learn_tables(channels: Mapping[str, Any]) -> dict[TransformKey, Any]:
    """Return the tables ``learn`` by channel, or by (channel, geo), as they were written."""
    found: dict[TransformKey, Any] = {}
    for channel, table in channels.items():
        if isinstance(table, Mapping):
            if LEARN in table:
                found[channel] = table[LEARN]
            geos = table.get(GEOS)
            for geo, own in geos.items() if isinstance(geos, Mapping) else ():
                if isinstance(own, Mapping) and LEARN in own:
                    found[channel, geo] = own[LEARN]
    return found


def read_learned(
    channels: Mapping[str, Any],
    transforms: Mapping[TransformKey, ChannelTransform],
    *,
    own: bool,
    path: str,
) -> tuple[Learned, list[Finding]]:
    """Read which parameters are unknown.

    A geo shares the unknowns of its channel, unless it names the parameter itself: then it is
    known there, or an unknown of its own.

    Parameters
    ----------
    channels : mapping
        Tables of the channels, as :func:`bayes_attrib.exposure.parse_transforms` reads them, with
        tables ``learn`` of priors by the names of parameters.
    transforms : mapping
        What that function returned.
    own : bool
        Whether entities saturate by themselves.
    path : str
        Where the tables stand, for messages.

    Returns
    -------
    learned : Learned
        Unknowns without faults.
    findings : list of Finding
        Errors.
    """
    tables, faults = learn_tables(channels), []
    parameters: dict[tuple[TransformKey, str], LearnedParameter] = {}
    for key, table in tables.items():
        transform = _transform_at(key, transforms)
        where = _place(path, key)
        if transform is None:
            faults.append(_fault(where, "there is no transform here", "add one with its values"))
            continue
        for name, prior, finding in _read_table(table, transform, where):
            if finding is not None:
                faults.append(finding)
            elif prior is not None:
                channel, geo = (key, None) if isinstance(key, str) else key
                value = _values(transform)[name]
                parameters[key, name] = LearnedParameter(channel, geo, name, prior, value)
    position = {key: at for at, key in enumerate(parameters)}
    curves: dict[Curve, list[TransformKey]] = {}
    for key, transform in transforms.items():
        unknowns = _unknowns(key, transform, position, channels)
        if unknowns:
            curve = Curve(replace(transform, scale=1.0), unknowns, own)
            curves.setdefault(curve, []).append(key)
    used = {at for curve in curves for _, at in curve.unknowns}
    for (key, name), at in position.items():
        if at not in used:
            message = f"every geo of the channel names {quote(name)} itself"
            remedy = "remove it, or give the geos that learn it no value of their own"
            faults.append(_fault(f"{_place(path, key)}.{name}", message, remedy))
    return (
        Learned(
            tuple(parameters.values()),
            tuple(LearnedTransform(curve, tuple(keys)) for curve, keys in curves.items()),
        ),
        faults,
    )


def _transform_at(
    key: TransformKey, transforms: Mapping[TransformKey, ChannelTransform]
) -> ChannelTransform | None:
    """Return the transform at a key, or of the first geo of a channel that leaves it to geos."""
    found = transforms.get(key)
    if found is None and isinstance(key, str):
        return next(
            (own for at, own in transforms.items() if not isinstance(at, str) and at[0] == key),
            None,
        )
    return found


def _place(path: str, key: TransformKey) -> str:
    parts = (key,) if isinstance(key, str) else (key[0], GEOS, key[1])
    return ".".join((path, *parts, LEARN))


def _values(transform: ChannelTransform) -> dict[str, float]:
    """Return the parameters of shape of a transform, by name."""
    parts = (vars(transform.adstock), vars(transform.saturation))
    return {name: value for part in parts for name, value in part.items() if name in _SUPPORT}


def _read_table(
    table: Any, transform: ChannelTransform, where: str
) -> Iterator[tuple[str, PriorSpec | None, Finding | None]]:
    """Yield names with their priors, or with what is wrong with them."""
    if not isinstance(table, Mapping) or not table:
        remedy = 'write priors by parameter: decay = { dist = "Beta", alpha = 8, beta = 8 }'
        yield "", None, _fault(where, f"must be a table of priors; got {table!r}", remedy)
        return
    for name, given in table.items():
        at = f"{where}.{name}"
        wrong = _parameter_fault(name, transform, at)
        if wrong is not None:
            yield name, None, wrong
            continue
        try:
            prior = PriorSpec.model_validate(given)
        except ValidationError as error:
            for details in error.errors():
                context = details.get("ctx", {})
                message = context.get("message", f"{details['msg']}; got {details['input']!r}")
                remedy = context.get(
                    "remedy", f"known distributions: {', '.join(distributions_on(_SUPPORT[name]))}"
                )
                yield name, None, _fault(at, message, remedy)
            continue
        yield name, prior, _support_fault(name, prior, at)
    if transform.saturation.kind == "tanh" and {"ceiling", "cost"} <= set(table):
        yield "", None, _fault(where, _REDUNDANT, "learn one of them")


def _parameter_fault(name: str, transform: ChannelTransform, where: str) -> Finding | None:
    values, adstock = _values(transform), vars(transform.adstock)
    if name not in values:
        close = nearest(name, values)
        guess = f"did you mean {quote(close)}? " if close else ""
        kinds = f"adstock {transform.adstock.kind!r}, saturation {transform.saturation.kind!r}"
        known = ", ".join(values) or "none"
        return _fault(
            where,
            f"this transform ({kinds}) has no parameter {quote(name)} to be learned",
            f"{guess}parameters of shape here: {known}",
        )
    if name == "ceiling" and isinstance(transform.saturation, MichaelisMentenSaturation):
        return _fault(where, _MULTIPLE, "remove it")
    if name in adstock and adstock["l_max"] in (None, 1):
        return _fault(
            where,
            f"adstock with l_max {adstock['l_max'] or 'left out'} has no fixed lags to weigh",
            "give adstock.l_max, 2 or more: pairs that have exposure must not depend on what is "
            "learned",
        )
    inside = values[name] > 0 and (_SUPPORT[name] != "unit" or values[name] < 1)
    if not inside:
        return _fault(
            where,
            f"the fixed value is {values[name]:g}, on the edge of where {name} lives",
            "give a value inside, such as the mean of the prior: tables of exposures are made "
            "with it",
        )
    return None


def _support_fault(name: str, prior: PriorSpec, where: str) -> Finding | None:
    wanted = _SUPPORT[name]
    if prior.dist in distributions_on(wanted):
        return None
    lives = "between 0 and 1" if wanted == "unit" else "positive"
    return _fault(
        where,
        f"{prior.dist} reaches values that {name} cannot have: it is {lives}",
        f"use {'one of ' * (wanted == 'positive')}{', '.join(distributions_on(wanted))}",
    )


def _unknowns(
    key: TransformKey,
    transform: ChannelTransform,
    position: Mapping[tuple[TransformKey, str], int],
    channels: Mapping[str, Any],
) -> tuple[tuple[str, int], ...]:
    """Return the unknown parameters of a transform with their positions."""
    found = {}
    for name in _values(transform):
        if (key, name) in position:
            found[name] = position[key, name]
        elif (
            isinstance(key, tuple)
            and (key[0], name) in position
            and not _names_itself(channels[key[0]], key[1], name)
        ):
            found[name] = position[key[0], name]
    return tuple(found.items())


def _names_itself(channel: Mapping[str, Any], geo: str, name: str) -> bool:
    """Tell whether a geo gives a value of its own, or another kind, to the part with the name."""
    own = channel[GEOS][geo]
    for part in _PARTS:
        before, now = channel.get(part, {}), own.get(part)
        if isinstance(now, Mapping):
            other_kind = now.get("kind", before.get("kind")) != before.get("kind")
            if name in now or (other_kind and name in before):
                return True
    return False


def _fault(where: str, message: str, remedy: str) -> Finding:
    return Finding("invalid-value", "error", where, message, remedy)
