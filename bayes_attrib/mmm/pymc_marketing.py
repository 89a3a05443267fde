"""Fits of PyMC-Marketing, from the netCDF file that its ``save`` writes; it is not imported."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from bayes_attrib.citing import quote
from bayes_attrib.exposure import ChannelTransform, TransformKey, carry_over, normalised
from bayes_attrib.mmm.mix_model import MixModel
from bayes_attrib.mmm.netcdf import array_of, group_of, labels_of, open_tree
from bayes_attrib.mmm.pymc_settings import PymcSettings, read_settings
from bayes_attrib.mmm.refusal import refusal
from bayes_attrib.mmm.value_checks import require_range

FloatArray = npt.NDArray[np.float64]

SOURCE: Final = "pymc-marketing"
_DRAWS: Final = ("chain", "draw")
_SCALED: Final = "channel_contribution"
_ORIGINAL: Final = "channel_contribution_original_scale"
# Largest difference between a contribution and its reconstruction, in parts of the largest
# contribution. A fit in 64 bits agrees to 1e-12; Hill curves of pymc-marketing are off by up to
# 1e-9, for PyTensor stores plain numbers in fewer bits.
_TOLERANCE: Final = {8: 1e-6, 4: 1e-4}


def read_pymc_marketing(path: Path) -> MixModel:
    """Read a fitted MMM of PyMC-Marketing.

    Contributions are ``channel_contribution`` times ``target_scale``. They are made again from
    parameters and delivery in 64-bit arithmetic, draw by draw: labels have moved between releases,
    and a file where the two disagree is refused.

    Parameters
    ----------
    path : Path
        File that ``MMM.save`` wrote.

    Returns
    -------
    MixModel
        Contributions with draws; transforms at the posterior means of their parameters.

    Raises
    ------
    DataError
        If the file is none, lacks a part, cannot be imported, or contradicts itself.
    """
    tree = open_tree(path)
    settings = read_settings(tree.attrs, path.name)
    posterior = group_of(tree, "posterior", path.name)
    constant = group_of(tree, "constant_data", path.name)
    reader = _Reader(path, settings, posterior, constant)
    contributions, scaled_by = reader.contributions()
    error = reader.check(contributions, scaled_by)
    geos = None if settings.geo is None else reader.labels(settings.geo)
    return MixModel(
        source=SOURCE,
        files=(path,),
        channels=reader.channels,
        geos=geos,
        periods=reader.labels("date"),
        contributions=contributions,
        transforms=reader.transforms(geos),
        parameter_draws=reader.parameter_draws(geos),
        delivery=reader.delivery,
        facts={
            **settings.facts,
            "package_version": str(posterior.attrs.get("pymc_marketing_version", "")),
            "contributions_from": scaled_by,
            "largest_reconstruction_error": error,
        },
    )


class _Reader:
    """The arrays of one file, with axes (chain, draw,) date, geo, channel."""

    def __init__(
        self, path: Path, settings: PymcSettings, posterior: xr.Dataset, constant: xr.Dataset
    ) -> None:
        self.settings, self.posterior = settings, posterior
        self.file = path.name
        self.where, self.data_at = f"{path.name}, posterior", f"{path.name}, constant_data"
        self.cell = ("geo", "channel")
        renamed = {settings.geo: "geo"} if settings.geo not in (None, "geo") else {}
        self.draws = _with_geo(posterior.rename(renamed))
        self.constant = _with_geo(constant.rename(renamed))
        self.channels = self.labels("channel")
        self.delivery = array_of(self.constant, "channel_data", ("date", *self.cell), self.data_at)
        require_range(self.delivery, f"{self.data_at}, channel_data")
        self.scale = array_of(
            self.constant, "channel_scale", self.cell, self.data_at, broadcast=True
        )
        self.target = array_of(
            self.constant, "target_scale", ("geo",), self.data_at, broadcast=True
        )

    def labels(self, dim: str) -> tuple[str, ...]:
        """Return labels of a dimension, which must be those of the delivery too."""
        name = "geo" if dim == self.settings.geo else dim
        found = labels_of(self.draws, name, self.where)
        data = labels_of(self.constant, name, self.data_at)
        if found != data:
            wrong = next(
                (f"{quote(a)} and {quote(b)}" for a, b in zip(found, data, strict=False) if a != b),
                f"{len(found)} and {len(data)} labels",
            )
            raise refusal(
                "labels-differ",
                f"{self.file}, {dim}",
                f"posterior and constant_data do not have the same labels: {wrong}",
                "save the model right after fitting, without predictions for other data in it",
            )
        return found

    def contributions(self) -> tuple[FloatArray, str]:
        """Return contributions on the scale of the target, and which variable they are from."""
        dims = (*_DRAWS, "date", *self.cell)
        if _SCALED in self.draws:
            scaled = array_of(self.draws, _SCALED, dims, self.where)
            return scaled * self.target[:, np.newaxis], f"{_SCALED} * target_scale"
        return array_of(self.draws, _ORIGINAL, dims, self.where), _ORIGINAL

    def parameters(self, names: tuple[str, ...], prefix: str) -> dict[str, FloatArray]:
        """Return draws of parameters by their short names, shape (chain, draw, geo, channel)."""
        dims = (*_DRAWS, *self.cell)
        found = {}
        for name in names:
            long = f"{prefix}_{name}"
            if name == "alpha" and long not in self.draws and f"{prefix}_halflife" in self.draws:
                half = array_of(self.draws, f"{prefix}_halflife", dims, self.where, broadcast=True)
                power = 2.0 if "theta" in names else 1.0
                found[name] = 0.5 ** (1.0 / half**power)
            else:
                found[name] = array_of(self.draws, long, dims, self.where, broadcast=True)
        return found

    @cached_property
    def adstock(self) -> dict[str, FloatArray]:
        """Draws of the parameters of the adstock."""
        return self.parameters(self.settings.adstock.parameters, self.settings.adstock_prefix)

    @cached_property
    def saturation(self) -> dict[str, FloatArray]:
        """Draws of the parameters of the saturation."""
        return self.parameters(self.settings.saturation.parameters, self.settings.saturation_prefix)

    def check(self, contributions: FloatArray, variable: str) -> float:
        """Make the contributions again; return the largest error, or refuse the file."""
        if variable != _ORIGINAL and _ORIGINAL in self.draws:
            beside = array_of(self.draws, _ORIGINAL, (*_DRAWS, "date", *self.cell), self.where)
            self._compare(contributions, beside, f"{_ORIGINAL} in the same file", channel=0)
        largest = float(np.abs(contributions).max())
        return max(
            self._compare(
                contributions[..., j : j + 1],
                self._rebuilt(j),
                "parameters and delivery",
                channel=j,
                largest=largest,
            )
            for j in range(len(self.channels))
        )

    def _rebuilt(self, j: int) -> FloatArray:
        """Return contributions of a channel made again, or refuse parameters that make none."""
        try:
            return self.rebuilt(j)
        except ValueError as error:
            reason = str(error).partition("; got")[0].splitlines()[0]
            raise refusal(
                "bad-parameter",
                self.where,
                f"draws of the transform of channel {quote(self.channels[j])}: {reason}",
                "save the fit again; a parameter was changed, or has another name's values",
            ) from error

    def rebuilt(self, j: int) -> FloatArray:
        """Return contributions of a channel from parameters and delivery, in 64-bit arithmetic.

        One channel at a time, for all of them take a multiple of the file's size in memory.
        """
        adstock = {name: values[..., j : j + 1] for name, values in self.adstock.items()}
        curve = {
            name: values[..., j : j + 1, np.newaxis] for name, values in self.saturation.items()
        }
        own = self.scale[:, j : j + 1]
        scale = np.where(own > 0, own, 1.0)
        delivered = np.where(own > 0, self.delivery[..., j : j + 1] / scale, 0.0)
        series = np.moveaxis(delivered, 0, -1)  # geo, channel, date
        weights = self.settings.adstock.weights(adstock, self.settings.l_max)
        if self.settings.normalise:
            weights = normalised(weights)
        shape = (*next(iter(curve.values())).shape[:-1], series.shape[-1])
        series = np.broadcast_to(series, shape)
        if self.settings.adstock_first:
            found = self.settings.saturation.curve(carry_over(series, weights), curve)
        else:
            found = carry_over(self.settings.saturation.curve(series, curve), weights)
        return np.moveaxis(found, -1, 2) * self.target[:, np.newaxis]

    def _compare(
        self,
        told: FloatArray,
        made: FloatArray,
        source: str,
        *,
        channel: int,
        largest: float | None = None,
    ) -> float:
        """Return the largest difference in parts of the largest contribution, or refuse it."""
        difference = np.abs(told - made)
        at = np.unravel_index(int(difference.argmax()), told.shape)
        size = float(np.abs(told).max()) if largest is None else largest
        error = float(difference[at]) / max(size, float(np.finfo(float).tiny))
        name = _SCALED if _SCALED in self.draws else _ORIGINAL
        if error <= _TOLERANCE[min(self.draws[name].dtype.itemsize, 8)]:
            return error
        chain, draw, date, geo, offset = (int(i) for i in at)
        cell = (
            f"channel {quote(self.channels[channel + offset])}, "
            f"date {quote(self.labels('date')[date])}"
        )
        if self.settings.geo is not None:
            cell += f", geo {quote(self.labels(self.settings.geo)[geo])}"
        raise refusal(
            "contributions-disagree",
            f"{self.where}, {name}",
            f"the contribution of {cell}, chain {chain}, draw {draw} is {told[at]:.6g}, while "
            f"{source} give {made[at]:.6g}",
            "fit and save again with one release of pymc-marketing; labels of parameters have "
            "moved between releases",
        )

    def transforms(self, geos: tuple[str, ...] | None) -> dict[TransformKey, ChannelTransform]:
        """Return transforms at posterior means."""
        adstock = {name: value.mean(axis=(0, 1)) for name, value in self.adstock.items()}
        curve = {name: value.mean(axis=(0, 1)) for name, value in self.saturation.items()}
        found: dict[TransformKey, ChannelTransform] = {}
        for j, channel in enumerate(self.channels):
            for i, geo in enumerate([None] if geos is None else geos):
                key = channel if geo is None else (channel, geo)
                found[key] = self._transform(_at(adstock, i, j), _at(curve, i, j), i, j)
        return found

    def _transform(
        self, adstock: Mapping[str, float], curve: Mapping[str, float], i: int, j: int
    ) -> ChannelTransform:
        settings, scale = self.settings, float(self.scale[i, j])
        return ChannelTransform(
            settings.adstock.made(adstock, settings.l_max, settings.normalise),
            settings.saturation.made(curve),
            scale if scale > 0 else 1.0,
            saturation_first=not settings.adstock_first,
        )

    def parameter_draws(
        self, geos: tuple[str, ...] | None
    ) -> dict[tuple[str, str | None, str], FloatArray]:
        """Return draws of every parameter of the transforms by channel, geo and name."""
        named = {
            **{f"{self.settings.adstock_prefix}_{k}": v for k, v in self.adstock.items()},
            **{f"{self.settings.saturation_prefix}_{k}": v for k, v in self.saturation.items()},
        }
        return {
            (channel, geo, name): values[:, :, i, j].ravel()
            for j, channel in enumerate(self.channels)
            for i, geo in enumerate([None] if geos is None else geos)
            for name, values in named.items()
        }


def _with_geo(group: xr.Dataset) -> xr.Dataset:
    """Return a group with a dimension of geos, of one place where the model is national."""
    return group if "geo" in group.dims else group.expand_dims(geo=[""])


def _at(values: Mapping[str, Any], i: int, j: int) -> dict[str, float]:
    return {name: float(value[i, j]) for name, value in values.items()}
