"""Fits of Meridian, from a netCDF file that is exported in Meridian's own environment.

docs/import_mmm.md has the few lines that export it; Meridian itself is never imported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from bayes_attrib.citing import listed, quote
from bayes_attrib.exposure import (
    Adstock,
    BinomialAdstock,
    ChannelTransform,
    GeometricAdstock,
    HillSaturation,
)
from bayes_attrib.mmm.mix_model import MixModel
from bayes_attrib.mmm.netcdf import array_of, labels_of, open_tree
from bayes_attrib.mmm.refusal import refusal
from bayes_attrib.mmm.value_checks import require_order, require_range

FloatArray = npt.NDArray[np.float64]

SOURCE: Final = "meridian"
OUTCOME: Final = "incremental_outcome"
_NATIONAL: Final = "national_geo"
_PARAMETERS: Final = ("alpha_m", "ec_m", "slope_m")
_MEDIA: Final = ("geo", "media_time", "media_channel")
# Meridian computes in 32 bits.
_TOLERANCE: Final = 1e-4


def read_meridian(path: Path) -> MixModel:
    """Read a fit of Meridian.

    Parameters
    ----------
    path : Path
        NetCDF file with ``incremental_outcome`` (chain, draw, geo, time, channel), the parameters
        ``alpha_m``, ``ec_m`` and ``slope_m`` (chain, draw, media_channel), ``media`` and
        ``media_scaled`` (geo, media_time, media_channel), and the attributes ``max_lag``,
        ``hill_before_adstock`` and ``adstock_decay``.

    Returns
    -------
    MixModel
        Contributions with draws; transforms at the posterior means of their parameters.

    Raises
    ------
    DataError
        If the file is none, lacks a part, or contradicts itself.

    Notes
    -----
    Contributions are not made again from parameters: that takes Meridian's scaling of the outcome
    and revenue per unit, which the export does not hold. Channels of reach and frequency, and
    organic ones, are left out, and named in the facts.
    """
    data = open_tree(path).to_dataset()
    media = labels_of(data, "media_channel", path.name) if "media_channel" in data.dims else ()
    outcome = array_of(data, OUTCOME, ("chain", "draw", "time", "geo", "channel"), path.name)
    named = labels_of(data, "channel", path.name)
    require_order(labels_of(data, "media_time", path.name), f"{path.name}, media_time")
    lost = [name for name in media if name not in named]
    if lost or not media:
        raise refusal(
            "channels-differ",
            f"{path.name}, {OUTCOME}",
            f"there is no incremental outcome for {listed([quote(name) for name in lost])}"
            if media
            else "there are no media channels",
            "export outcome and parameters of the same model",
        )
    periods, history = _times(data, path.name)
    geos = labels_of(data, "geo", path.name)
    delivery = array_of(data, "media", (_MEDIA[1], _MEDIA[0], _MEDIA[2]), path.name)
    values = {
        name: array_of(data, name, ("chain", "draw", "media_channel"), path.name)
        for name in _PARAMETERS
    }
    require_range(delivery, f"{path.name}, media")
    require_range(values["alpha_m"], f"{path.name}, alpha_m", most=1.0)
    for name in ("ec_m", "slope_m"):
        require_range(values[name], f"{path.name}, {name}", positive=True)
    national = geos == (_NATIONAL,)
    made, facts = _transforms(data, path.name, values, delivery=delivery, channels=media, geos=geos)
    return MixModel(
        source=SOURCE,
        files=(path,),
        channels=media,
        geos=None if national else geos,
        periods=periods,
        history=history,
        contributions=outcome[..., [named.index(name) for name in media]],
        transforms={key[0]: made[key] for key in made} if national else dict(made.items()),
        parameter_draws={
            (channel, None, name): draws[:, :, j].ravel()
            for j, channel in enumerate(media)
            for name, draws in values.items()
        },
        delivery=delivery,
        facts={
            **facts,
            "channels_left_out": [name for name in named if name not in media],
            "package_version": str(data.attrs.get("package_version", "")),
        },
    )


def _times(data: xr.Dataset, file: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return periods of the outcome, and those of media before them."""
    periods = labels_of(data, "time", file)
    media = labels_of(data, "media_time", file)
    start = len(media) - len(periods)
    if start < 0 or media[start:] != periods:
        raise refusal(
            "periods-differ",
            f"{file}, media_time",
            f"media end with {quote(media[-1])} and outcomes with {quote(periods[-1])}, or media "
            "start later",
            "export media up to the last period of the outcome",
        )
    return periods, media[:start]


def _transforms(
    data: xr.Dataset,
    file: str,
    values: dict[str, FloatArray],
    *,
    delivery: FloatArray,
    channels: tuple[str, ...],
    geos: tuple[str, ...],
) -> tuple[dict[tuple[str, str], ChannelTransform], dict[str, Any]]:
    decay = str(_attribute(data, "adstock_decay", file))
    if decay not in ("geometric", "binomial"):
        raise refusal(
            "unknown-transform",
            f"{file}, attribute adstock_decay",
            f"{quote(decay)} is not known",
            "write 'geometric' or 'binomial'; a model that mixes them cannot be imported",
        )
    horizon = _lags(data, file)
    l_max = min(horizon, len(delivery))
    first = _is_true(data, "hill_before_adstock", file)
    scale = _scales(data, file, delivery, channels, geos)
    found: dict[tuple[str, str], ChannelTransform] = {}
    mean = {name: draws.mean(axis=(0, 1)) for name, draws in values.items()}
    for j, channel in enumerate(channels):
        alpha = float(mean["alpha_m"][j])
        adstock: Adstock = GeometricAdstock(alpha, l_max)
        if decay == "binomial":
            adstock = BinomialAdstock(alpha, l_max, horizon=horizon)
        curve = HillSaturation(float(mean["ec_m"][j]), float(mean["slope_m"][j]))
        for i, geo in enumerate(geos):
            found[channel, geo] = ChannelTransform(adstock, curve, float(scale[i, j]), first)
    facts = {"adstock": {"kind": decay, "l_max": l_max}, "hill_before_adstock": first}
    return found, facts


def _lags(data: xr.Dataset, file: str) -> int:
    given = _attribute(data, "max_lag", file)
    try:
        whole = int(given) == float(given) and int(given) >= 0
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise refusal(
            "invalid-attribute",
            f"{file}, attribute max_lag",
            f"must be a whole number of periods, 0 or more; got {given!r}",
            "export mmm.model_spec.max_lag",
        )
    return int(given) + 1


def _is_true(data: xr.Dataset, name: str, file: str) -> bool:
    given = str(_attribute(data, name, file)).casefold()
    if given not in ("0", "1", "false", "true"):
        raise refusal(
            "invalid-attribute",
            f"{file}, attribute {name}",
            f"must be 0 or 1; got {quote(given)}",
            f"export int(mmm.model_spec.{name})",
        )
    return given in ("1", "true")


def _scales(
    data: xr.Dataset,
    file: str,
    delivery: FloatArray,
    channels: tuple[str, ...],
    geos: tuple[str, ...],
) -> FloatArray:
    """Return what delivery was divided by, shape (n_geos, n_channels)."""
    scaled = array_of(data, "media_scaled", ("media_time", "geo", "media_channel"), file)
    works = (delivery > 0) & (scaled > 0)
    ratio = np.divide(delivery, scaled, out=np.full_like(scaled, np.nan), where=works)
    found = np.ones(ratio.shape[1:])
    for i, geo in enumerate(geos):
        for j, channel in enumerate(channels):
            own = ratio[works[:, i, j], i, j]
            if ((delivery[:, i, j] > 0) != (scaled[:, i, j] > 0)).any():
                raise refusal(
                    "scales-disagree",
                    f"{file}, media_scaled",
                    f"media of channel {quote(channel)} in geo {quote(geo)} are zero where "
                    "media_scaled are not, or the other way round",
                    "export media and media_scaled of the same model",
                )
            if not len(own):
                continue
            found[i, j] = np.median(own)
            if np.ptp(own) > _TOLERANCE * found[i, j]:
                raise refusal(
                    "scales-disagree",
                    f"{file}, media_scaled",
                    f"media of channel {quote(channel)} in geo {quote(geo)} are {own.min():.6g} to "
                    f"{own.max():.6g} times media_scaled, where one number is expected",
                    "export media and media_scaled of the same model",
                )
    return found


def _attribute(data: xr.Dataset, name: str, file: str) -> Any:
    if name not in data.attrs:
        raise refusal(
            "missing-attribute",
            file,
            f"there is no attribute {quote(name)}",
            "export it as docs/import_mmm.md shows",
        )
    return data.attrs[name]
