"""Drift of rates in the periods of new aggregates, those after the last one included."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayes_attrib import names
from bayes_attrib.citing import listed, quote
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.inference import PosteriorFit
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.spec import DriftSpec
from bayes_attrib.timeline import ISO_FORMS, arrange

_JITTER = 1e-8


def drift_paths(
    fit: PosteriorFit,
    drift: DriftSpec,
    series: IntArray,
    periods: Sequence[str],
    rng: np.random.Generator,
) -> FloatArray:
    """Return the drift of each series in each period.

    A period of the fit has the fit's own drift. A random walk goes on after the last period by
    fresh steps from where it stood; because the stored walks are centred over the periods of the
    fit, so are their continuations, and ``rate`` stays the typical level of those periods. A series
    that the fit has never seen is drawn whole and centred over the same periods; a smooth one from
    its exact Gaussian process.

    Parameters
    ----------
    fit : PosteriorFit
        Draws of ``drift`` and its parameters.
    drift : DriftSpec
        Kind of the drift, and the column of its periods.
    series : ndarray of int, shape (n_series,)
        Places among the series of the fit; -1 for one that it has never seen.
    periods : sequence of str
        Periods of the new aggregates, each once.
    rng : numpy.random.Generator
        Source of everything fresh.

    Returns
    -------
    ndarray, shape (n_series, n_periods, n_draws)
        Additions to the log rate.

    Raises
    ------
    DataError
        If a period lies before the last of the fit without being one of them, cannot be placed in
        time, or lies after it and the drift is smooth.
    """
    levels = fit.posterior[names.DRIFT].coords[names.PERIOD].to_numpy().astype(str).tolist()
    columns = _places(drift, levels, periods)
    n_fitted = len(levels)
    path = np.empty((len(series), n_fitted, fit.n_draws))
    path[series >= 0] = fit.draws(names.DRIFT)[series[series >= 0]]
    fresh = _fresh_walks if drift.kind == "random_walk" else _fresh_curves
    path[series < 0] = fresh(fit, int((series < 0).sum()), n_fitted, rng)
    n_beyond = max(0, int(columns.max(initial=0)) - n_fitted + 1)
    if n_beyond:
        path = np.concatenate([path, path[:, -1:] + _walk(fit, len(series), n_beyond, rng)], axis=1)
    return path[:, columns]


def _walk(fit: PosteriorFit, n_series: int, n_steps: int, rng: np.random.Generator) -> FloatArray:
    steps = rng.standard_normal((n_series, n_steps, fit.n_draws))
    return fit.draws(names.SIGMA_DRIFT) * np.cumsum(steps, axis=1)


def _fresh_walks(
    fit: PosteriorFit, n_series: int, n_periods: int, rng: np.random.Generator
) -> FloatArray:
    walk = np.zeros((n_series, n_periods, fit.n_draws))
    walk[:, 1:] = _walk(fit, n_series, n_periods - 1, rng)
    return walk - walk.mean(axis=1, keepdims=True)


def _fresh_curves(
    fit: PosteriorFit, n_series: int, n_periods: int, rng: np.random.Generator
) -> FloatArray:
    sigma, lengthscale = fit.draws(names.SIGMA_DRIFT), fit.draws(names.LENGTHSCALE_DRIFT)
    lag = np.subtract.outer(np.arange(n_periods), np.arange(n_periods))
    curves = np.empty((n_series, n_periods, fit.n_draws))
    for draw in range(fit.n_draws if n_series else 0):
        kernel = np.exp(-0.5 * (lag / lengthscale[draw]) ** 2) + _JITTER * np.eye(n_periods)
        noise = rng.standard_normal((n_series, n_periods))
        curves[..., draw] = sigma[draw] * noise @ np.linalg.cholesky(kernel).T
    return curves - curves.mean(axis=1, keepdims=True)


def _places(drift: DriftSpec, fitted: Sequence[str], periods: Sequence[str]) -> IntArray:
    """Return the place of each period on the fit's line of time, shape (n_periods,)."""
    timeline = arrange([*fitted, *periods])
    if timeline.unplaced:
        raise _fault(
            drift,
            f"{_quoted(timeline.unplaced)} cannot be placed among the periods of the fit",
            f"write all periods as the fit has them: numbers, or one of {ISO_FORMS}",
        )
    at = dict(zip(timeline.labels, timeline.positions, strict=True))
    place = {label: index for index, label in enumerate(fitted)}
    last, between = at[fitted[-1]], np.diff([at[label] for label in fitted])
    earlier = [p for p in periods if p not in place and at[p] < last]
    if earlier:
        raise _fault(
            drift,
            f"{_quoted(earlier)} was not in the fit and lies before its last period",
            "predict for periods of the fit or after it, or fit again with these periods",
        )
    later = [p for p in periods if p not in place]
    if later and drift.kind == "hsgp":
        raise _fault(
            drift,
            f"{_quoted(later)} lies after the last period of the fit, {quote(fitted[-1])}, where "
            "smooth drift is not known",
            'fit with drift.kind = "random_walk", which can be continued, or with these periods',
        )
    for label in later:
        steps = round((at[label] - last) / float(between.min()))
        place[label] = len(fitted) - 1 + max(1, steps)
    return np.array([place[period] for period in periods], dtype=np.int64)


def _quoted(labels: Sequence[str]) -> str:
    return listed([quote(label) for label in labels])


def _fault(drift: DriftSpec, message: str, remedy: str) -> DataError:
    where = f"column {quote(drift.period)}"
    finding = Finding("period-out-of-reach", "error", where, message, remedy)
    return DataError("the tables to predict for have one fault:", [finding])
