"""Nonlinear least squares: scaled, bounded, from many starts.

For given shapes of the transforms, the rest of the model is linear with ceilings that are not
negative, and is solved exactly (Golub and Pereyra 1973, SIAM Journal on Numerical Analysis 10), so
that the search has three dimensions for each channel and no scale to go astray on.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.linalg
from scipy.optimize import OptimizeResult, least_squares, nnls
from scipy.stats import qmc

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.mmm_fit.classical.design import ClassicalFit, Design, ScaledFit, design_of, fit_of
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import MmmSeries

LOWER: Final = (0.0, 0.02, 0.3)
UPPER: Final = (0.95, 2.0, 6.0)
"""Bounds of decay, half-saturation (parts of the largest spend) and slope."""

_SAME: Final = 1e-3


def fit_least_squares(
    spec: MmmSpec, series: MmmSeries, *, starts: int = 24, seed: int = 1
) -> ClassicalFit:
    """Fit geometric adstock and Hill curves by least squares.

    Parameters
    ----------
    spec : MmmSpec
        Controls, seasons, ``l_max``; its kinds of transforms and its priors are not used.
    series : MmmSeries
        The data.
    starts : int
        Number of starts, spread evenly between the bounds (Sobol).
    seed : int
        Of their scrambling.

    Returns
    -------
    ClassicalFit
        The best of all starts. Its facts tell how many starts came within .1% of its residual: one
        alone is a hint that a better one is still out there.
    """
    design = design_of(spec, series)
    problem = _Projected(design)
    lower, upper = (np.tile(bound, design.n_channels) for bound in (LOWER, UPPER))
    sobol = qmc.Sobol(len(lower), rng=np.random.default_rng(seed))
    points = sobol.random_base2(max(1, int(np.ceil(np.log2(starts)))))[:starts]
    found = [
        least_squares(
            problem.residuals,
            lower + (0.02 + 0.96 * point) * (upper - lower),
            bounds=(lower, upper),
            x_scale=upper - lower,
            method="trf",
            max_nfev=200,
        )
        for point in points
    ]
    best = min(found, key=lambda result: result.cost)
    shapes = best.x.reshape(-1, 3)
    ceilings, fitted = problem.solve(shapes)
    scaled = ScaledFit(shapes, ceilings, fitted)
    return fit_of("least_squares", series, design, scaled, _facts(design, found, best))


def _facts(
    design: Design, found: list[OptimizeResult], best: OptimizeResult
) -> dict[str, float | int | str]:
    near = sum(result.cost <= best.cost * (1 + _SAME) for result in found)
    place = (best.x.reshape(-1, 3) - LOWER) / np.subtract(UPPER, LOWER)
    inside = (np.abs(place - 0.5) < 0.499).all(axis=1)
    return {
        "starts": len(found),
        "starts_at_the_best": int(near),
        "worst_over_best_cost": float(max(result.cost for result in found) / best.cost),
        "channels_at_a_bound": int((~inside).sum()),
        "n": len(design.target),
    }


class _Projected:
    """The least-squares problem with everything but shapes solved away."""

    def __init__(self, design: Design) -> None:
        self.design = design
        q, r, _ = scipy.linalg.qr(design.baseline, mode="economic", pivoting=True)
        size = np.abs(np.diag(r))
        self.basis = q[:, size > 1e-10 * size.max()]
        self.target = self._away(design.target)

    def residuals(self, flat: FloatArray) -> FloatArray:
        """Return residuals at shapes, shape (n,)."""
        columns = self._away(self.design.transformed(flat.reshape(-1, 3)))
        ceilings, _ = nnls(columns, self.target)
        return np.asarray(self.target - columns @ ceilings)

    def solve(self, shapes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return ceilings and fitted targets at shapes."""
        columns = self.design.transformed(shapes)
        ceilings, _ = nnls(self._away(columns), self.target)
        media = columns @ ceilings
        rest = self.basis @ (self.basis.T @ (self.design.target - media))
        return ceilings, media + rest

    def _away(self, values: FloatArray) -> FloatArray:
        return np.asarray(values - self.basis @ (self.basis.T @ values))
