"""Fit a mix model by pymc-marketing's own ``fit``, with nutpie as its sampler."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_attrib.errors import FitError
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.mmm_fit.build import build_mmm
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import MmmSeries
from bayes_attrib.mmm_fit.upstream import quiet


@dataclass(frozen=True, eq=False)
class MmmFit:
    """A fitted mix model.

    Attributes
    ----------
    spec : MmmSpec
        The model.
    series : MmmSeries
        What it was fitted to.
    model : pymc_marketing.mmm.MMM
        The fitted model; ``model.save`` writes what ``import-mmm`` reads.
    lift_tests : DataFrame or None
        Experiments that took part.
    """

    spec: MmmSpec
    series: MmmSeries
    model: Any
    lift_tests: pd.DataFrame | None = field(default=None)

    @property
    def posterior(self) -> xr.Dataset:
        """Draws of all variables, on pymc-marketing's scale."""
        return self.model.idata["/posterior"].to_dataset()

    @property
    def sample_stats(self) -> xr.Dataset:
        """What the sampler says of itself."""
        return self.model.idata["/sample_stats"].to_dataset()

    @property
    def target_scale(self) -> FloatArray:
        """What the target was divided by, shape (n_geos,)."""
        scale = np.asarray(self.model.scalers["_target"].to_numpy(), dtype=np.float64)
        return np.broadcast_to(scale, (len(self.series.geos),)).copy()

    @property
    def channel_scale(self) -> FloatArray:
        """What spends were divided by, shape (n_geos, n_channels)."""
        scale = np.asarray(self.model.scalers["_channel"].to_numpy(), dtype=np.float64)
        shape = (len(self.series.geos), len(self.series.channels))
        return np.broadcast_to(scale, shape).copy()

    def draws(self, name: str, *, own: tuple[str, ...] = ()) -> FloatArray:
        """Return draws of a variable as an array with the axes draw, its own, and geo.

        Parameters
        ----------
        name : str
            Variable of the posterior.
        own : tuple of str
            Dimensions beside chain, draw and geo, in the wanted order.

        Returns
        -------
        ndarray, shape (n_draws, n_geos, *own)
            Chain after chain; variables that are common to all geos are repeated.
        """
        found = self.posterior[name]
        geo = self.spec.columns.geo or "geo"
        if geo not in found.dims:
            found = found.expand_dims({geo: list(self.series.geos)})
        else:
            found = found.sel({geo: list(self.series.geos)})
        for dim, labels in (("channel", self.series.channels), ("control", self.series.controls)):
            if dim in found.dims:
                found = found.sel({dim: list(labels)})
        values = found.transpose("chain", "draw", geo, *own).to_numpy()
        return np.asarray(values.reshape(-1, *values.shape[2:]), dtype=np.float64)


def fit_mmm(
    spec: MmmSpec, series: MmmSeries, lift_tests: pd.DataFrame | None = None, *, seed: int = 0
) -> MmmFit:
    """Fit a mix model.

    Parameters
    ----------
    spec : MmmSpec
        The model and how it is sampled.
    series : MmmSeries
        The data.
    lift_tests : DataFrame, optional
        Experiments, as :func:`build_mmm` takes them.
    seed : int
        Added to the seed of the spec, for fits beside the main one.

    Returns
    -------
    MmmFit
        With draws and, where the fit is the main one, nothing else yet.

    Raises
    ------
    FitError
        If pymc-marketing is not installed, or the sampler fails.
    KeyboardInterrupt
        If the user stopped the sampler, which then returns chains that are not whole.
    """
    model = build_mmm(spec, series, lift_tests)
    chosen = spec.inference
    try:
        with quiet(), silent_output():
            model.fit(
                series.frame(spec),
                series.response(spec),
                nuts_sampler="nutpie",
                draws=chosen.draws,
                tune=chosen.tune,
                chains=chosen.chains,
                target_accept=chosen.target_accept,
                random_seed=chosen.seed + seed,
                progressbar=False,
            )
    except RuntimeError as error:
        raise FitError(f"the sampler of the mix model failed: {error}") from error
    fit = MmmFit(spec, series, model, lift_tests)
    last = fit.posterior["mu"].isel(draw=-1).to_numpy()
    if fit.posterior.sizes["draw"] < chosen.draws or bool(np.isnan(last).any()):
        raise KeyboardInterrupt
    return fit


@contextmanager
def silent_output() -> Iterator[None]:
    """Keep standard output parseable: PyMC prints bars there, and logs what it samples."""
    log = logging.getLogger("pymc")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        log.setLevel(level)
