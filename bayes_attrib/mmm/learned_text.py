"""The section ``[exposure]`` of a spec, with priors of transforms from a mix model's posterior."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bayes_attrib.exposure import ChannelTransform, DeliveryColumns, Semantics, TransformKey
from bayes_attrib.mmm.mix_model import MixModel
from bayes_attrib.mmm.refusal import refusal
from bayes_attrib.spec import PriorSpec
from bayes_attrib.spec.learned import learnable, support_of_parameter

FloatArray = npt.NDArray[np.float64]

_SAME: Final = 1e-9

_HEAD: Final = """
# Delivery becomes exposure by the mix model's transforms. Their parameters are unknown, with priors
# fitted to the mix model's posterior; remove the tables `learn` to keep them at the values here.
# As long as totals are the mix model's own contributions, learning is a circle: these totals follow
# from its transforms. Put totals that were measured without it into aggregates.csv, and write
# totals = "measured".
[exposure]
semantics = {semantics}
channel   = {channel}
period    = {period}
{geo}outside   = "carry_over"
totals    = "mix_model"
"""


def fitted_prior(draws: FloatArray, support: str) -> PriorSpec:
    """Fit a prior to posterior draws of a parameter.

    Parameters
    ----------
    draws : ndarray, shape (n_draws,)
        Draws inside the support.
    support : {"unit", "positive"}
        Between 0 and 1: a beta distribution with their mean and variance. Positive: the lognormal
        distribution of largest likelihood.

    Returns
    -------
    PriorSpec
        Its parameters have four significant digits.
    """
    if support == "unit":
        mean = float(draws.mean())
        size = mean * (1.0 - mean) / float(draws.var()) - 1.0
        parameters = {"alpha": mean * size, "beta": (1.0 - mean) * size}
        return PriorSpec.model_validate({"dist": "Beta"} | _rounded(parameters))
    logs = np.log(draws)
    parameters = {"mu": float(logs.mean()), "sigma": float(logs.std())}
    return PriorSpec.model_validate({"dist": "LogNormal"} | _rounded(parameters))


def _rounded(parameters: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.4g}") for name, value in parameters.items()}


def exposure_section(
    model: MixModel, columns: DeliveryColumns, semantics: Semantics, channels: tuple[str, ...]
) -> str:
    """Return the section ``[exposure]`` that learns a mix model's transforms anew.

    Parameters
    ----------
    model : MixModel
        Transforms, and draws of their parameters.
    columns : DeliveryColumns
        Names of the columns of the tables.
    semantics : {"channel_curve", "own_curve"}
        How the channel's curve is applied.
    channels : tuple of str
        Channels that are imported.

    Returns
    -------
    str
        TOML.

    Raises
    ------
    DataError
        If the mix model has no draws, or none of a parameter that a transform has.
    """
    priors = dict(_priors(model)) if model.has_draws else {}
    if not priors:
        raise refusal(
            "no-draws-of-parameters",
            model.file_name,
            "there are no draws of the parameters of its transforms to take priors from",
            "import it without --learn, and write priors of your own under "
            "exposure.channels.CHANNEL.learn",
        )
    text = _HEAD.format(
        semantics=_toml(semantics),
        channel=_toml(columns.channel),
        period=_toml(columns.period),
        geo="" if columns.geo is None else f"geo       = {_toml(columns.geo)}\n",
    )
    return text + "".join(_channel(channel, model, priors) for channel in channels)


def _priors(model: MixModel) -> Iterator[tuple[tuple[TransformKey, str], PriorSpec]]:
    """Yield the prior of each parameter of shape, by key of its transform and name.

    Packages name parameters as they like; the draws of one are those whose mean is the value that
    its transform has.
    """
    for key, transform in model.transforms.items():
        channel, geo = (key, None) if isinstance(key, str) else key
        for name, value in learnable(transform).items():
            for (of_channel, of_geo, _), draws in model.parameter_draws.items():
                is_its = of_channel == channel and of_geo in (geo, None)
                if is_its and abs(float(draws.mean()) - value) <= _SAME * abs(value):
                    yield (key, name), fitted_prior(draws, support_of_parameter(name))
                    break


def _channel(
    channel: str, model: MixModel, priors: Mapping[tuple[TransformKey, str], PriorSpec]
) -> str:
    """Return the tables of a channel; its geos name what differs from the first of them."""
    keys: list[TransformKey] = [
        key
        for key in model.transforms
        if key == channel or (not isinstance(key, str) and key[0] == channel)
    ]
    first, path = keys[0], f"exposure.channels.{_toml(channel)}"
    transform, learned = model.transforms[first], _of(first, priors)
    text = f"\n[{path}]\n{_transform(transform)}{_learn(path, learned)}"
    for key in keys:
        if isinstance(key, str):
            continue
        at = f"{path}.geos.{_toml(key[1])}"
        own, own_learned = model.transforms[key], _of(key, priors)
        differs = {name: prior for name, prior in own_learned.items() if prior != learned[name]}
        text += f"\n[{at}]\n{_transform(own, transform)}{_learn(at, differs)}"
    return text


def _of(
    key: TransformKey, priors: Mapping[tuple[TransformKey, str], PriorSpec]
) -> dict[str, PriorSpec]:
    return {name: prior for (at, name), prior in priors.items() if at == key}


def _transform(transform: ChannelTransform, before: ChannelTransform | None = None) -> str:
    """Return the keys of a transform, or those that differ from another."""
    lines = ""
    for name in ("adstock", "saturation"):
        part = getattr(transform, name)
        if before is None or part != getattr(before, name):
            keys = {"kind": part.kind} | {k: v for k, v in vars(part).items() if v is not None}
            table = ", ".join(f"{key} = {_toml(value)}" for key, value in keys.items())
            lines += f"{name:<10} = {{ {table} }}\n"
    for name in ("scale", "saturation_first"):
        value = getattr(transform, name)
        if before is None or value != getattr(before, name):
            lines += f"{name:<10} = {_toml(value)}\n"
    return lines


def _learn(path: str, priors: Mapping[str, PriorSpec]) -> str:
    if not priors:
        return ""
    text = f"\n[{path}.learn]\n"
    for name, prior in priors.items():
        settings = ", ".join(f"{key} = {_toml(value)}" for key, value in prior.parameters.items())
        text += f"{name} = {{ dist = {_toml(prior.dist)}, {settings} }}\n"
    return text


def _toml(value: Any) -> str:
    """Return a text, number or truth value in TOML, whose basic strings are those of JSON."""
    if isinstance(value, np.generic):
        value = value.item()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
