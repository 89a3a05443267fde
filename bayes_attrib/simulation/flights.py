"""When and where creatives are on air, and how much of it counts."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.simulation.creative_nested_options import CreativeNestedOptions
from bayes_attrib.simulation.rounding import round_significant

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

ACTIVITIES: Final = ("regular", "sparse", "new")
USUAL_EXPOSURE: Final = (1.0, 1.0 / 20.0, 1.0 / 7.0)  # a creative's median, by activity
_REGULAR, _SPARSE, _NEW = range(3)


class Flights(NamedTuple):
    """Cells in which creatives are on air.

    Attributes
    ----------
    creative, week, geo : ndarray of int, shape (n_edges,)
        Indices of the creative, the week and the geo of each edge.
    exposure : ndarray of float, shape (n_edges,)
        Effective exposure, positive and dimensionless.
    activity : Index of str, shape (n_creatives,)
        How much each creative is on air: regular, sparse or new.
    """

    creative: IntArray
    week: IntArray
    geo: IntArray
    exposure: FloatArray
    activity: pd.Index[str]


def draw_flights(
    options: CreativeNestedOptions, unit: IntArray, rng: np.random.Generator
) -> Flights:
    """Draw the flights of all creatives.

    The first creative of every unit is always on, in all geos, so that each total has exposure of
    a regular creative. Exposures are lognormal by creative, geo and cell.

    Parameters
    ----------
    options : CreativeNestedOptions
        Sizes, and how many creatives are sparse or new.
    unit : ndarray of int, shape (n_creatives,)
        Channel or platform whose totals each creative shares.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Flights
        Cells in the order of creatives, weeks and geos.
    """
    of_activity, of_weeks, of_geos, of_sizes, of_cells = rng.spawn(5)
    always_on = np.unique(unit, return_index=True)[1]
    activity = _draw_activity(options, always_on, of_activity)
    weeks = _draw_weeks(options, activity, of_weeks)
    geos = _draw_geos(options, activity, of_geos)
    weeks[always_on], geos[always_on] = True, True
    creative, week, geo = np.nonzero(weeks[:, :, np.newaxis] & geos[:, np.newaxis, :])
    of_creative = of_sizes.lognormal(0.0, 0.5, size=options.n_creatives)
    of_creative *= np.array(USUAL_EXPOSURE)[activity]
    of_geo = of_sizes.lognormal(0.0, 0.3, size=options.n_geos)
    scatter = of_cells.lognormal(0.0, 0.4, size=len(creative))
    exposure = round_significant(of_creative[creative] * of_geo[geo] * scatter)
    labels = pd.Index(ACTIVITIES, dtype="str").take(activity)
    return Flights(creative, week, geo, exposure, labels)


def _draw_activity(
    options: CreativeNestedOptions, always_on: IntArray, rng: np.random.Generator
) -> IntArray:
    """Return an index into the activities per creative; those always on are regular."""
    others = rng.permutation(np.setdiff1d(np.arange(options.n_creatives), always_on))
    activity = np.full(options.n_creatives, _REGULAR)
    activity[others[: options.n_new]] = _NEW
    activity[others[options.n_new : options.n_new + options.n_sparse]] = _SPARSE
    return activity


def _draw_weeks(
    options: CreativeNestedOptions, activity: IntArray, rng: np.random.Generator
) -> BoolArray:
    """Return whether each creative is on air in each week: one flight, eight weeks on average."""
    n_creatives, n_weeks = len(activity), options.n_weeks
    length = 1 + rng.poisson(7.0, size=n_creatives)
    length = np.where(activity == _SPARSE, rng.integers(1, 3, size=n_creatives), length)
    length = np.minimum(np.where(activity == _NEW, 1, length), n_weeks)
    start = rng.integers(0, n_weeks - length, endpoint=True)
    start = np.where(activity == _NEW, n_weeks - 1, start)[:, np.newaxis]
    week = np.arange(n_weeks)
    return (start <= week) & (week < start + length[:, np.newaxis])


def _draw_geos(
    options: CreativeNestedOptions, activity: IntArray, rng: np.random.Generator
) -> BoolArray:
    """Return whether each creative is on air in each geo: in one for sure, in most if regular."""
    shape = (len(activity), options.n_geos)
    on_air = (rng.random(shape) < 0.8) & (activity == _REGULAR)[:, np.newaxis]
    on_air[np.arange(len(activity)), rng.integers(options.n_geos, size=len(activity))] = True
    return on_air
