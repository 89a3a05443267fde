"""Ridge regression on transformed spends, transforms and penalty chosen by time-series splits."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.stats import qmc
from sklearn.linear_model import Ridge
from sklearn.model_selection import TimeSeriesSplit

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.mmm_fit.classical.design import ClassicalFit, Design, ScaledFit, design_of, fit_of
from bayes_attrib.mmm_fit.classical.least_squares import LOWER, UPPER
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import MmmSeries

PENALTIES: Final = tuple(10.0**power for power in range(-4, 3))
_SPLITS: Final = 5
_SWEEPS: Final = 3


def fit_ridge(
    spec: MmmSpec, series: MmmSeries, *, candidates: int = 64, seed: int = 1
) -> ClassicalFit:
    """Fit ridge regression on adstocked and saturated spends.

    Every split fits the periods before, and scores those right after. Transforms of one channel
    after the other are replaced by the best of the candidates, in three rounds.

    Parameters
    ----------
    spec : MmmSpec
        Controls, seasons, ``l_max``; its kinds of transforms and its priors are not used.
    series : MmmSeries
        The data.
    candidates : int
        Transforms that are tried for each channel, spread evenly between the bounds of
        :mod:`bayes_attrib.mmm_fit.classical.least_squares`.
    seed : int
        Of their scrambling.

    Returns
    -------
    ClassicalFit
        Contributions are coefficient times transformed spend, negative where the coefficient is:
        the fitted function, never absolute coefficients.
    """
    design = design_of(spec, series)
    search = _Search(design, series.n_periods)
    sobol = qmc.Sobol(3, rng=np.random.default_rng(seed))
    points = sobol.random_base2(max(1, int(np.ceil(np.log2(candidates)))))[:candidates]
    tried = np.add(LOWER, (0.02 + 0.96 * points) * np.subtract(UPPER, LOWER))
    shapes = np.tile(np.add(LOWER, UPPER) / 2, (design.n_channels, 1))
    columns = design.transformed(shapes)
    penalty, error = search.best_penalty(columns)
    for _ in range(_SWEEPS):
        for channel in range(design.n_channels):
            for candidate in tried:
                changed = shapes.copy()
                changed[channel] = candidate
                column = design.transformed(changed)
                found = search.error(column, penalty)
                if found < error:
                    shapes, columns, error = changed, column, found
        penalty, error = search.best_penalty(columns)
    model = Ridge(alpha=penalty).fit(*search.scaled(columns))
    ceilings = model.coef_[: design.n_channels] / search.spread(columns)[: design.n_channels]
    fitted = model.predict(search.scaled(columns)[0])
    facts: dict[str, float | int | str] = {
        "candidates": candidates,
        "penalty": float(penalty),
        "cross_validated_rmse": float(np.sqrt(error) * design.target_scale.mean()),
        "negative_coefficients": int((ceilings < 0).sum()),
    }
    scaled = ScaledFit(shapes, ceilings, np.asarray(fitted))
    return fit_of("ridge", series, design, scaled, facts)


class _Search:
    """Errors of ridge regressions over splits in time; all geos of a period are split together."""

    def __init__(self, design: Design, n_periods: int) -> None:
        self.design = design
        n_geos = len(design.spend)
        period = np.tile(np.arange(n_periods), n_geos)
        self.splits = [
            (np.flatnonzero(np.isin(period, train)), np.flatnonzero(np.isin(period, test)))
            for train, test in TimeSeriesSplit(_SPLITS).split(np.arange(n_periods))
        ]

    def best_penalty(self, columns: FloatArray) -> tuple[float, float]:
        """Return the penalty of the smallest error, and that error."""
        errors = [self.error(columns, penalty) for penalty in PENALTIES]
        at = int(np.argmin(errors))
        return PENALTIES[at], errors[at]

    def error(self, columns: FloatArray, penalty: float) -> float:
        """Return the mean squared error over all splits."""
        x, y = self.scaled(columns)
        squared = [
            (y[test] - Ridge(alpha=penalty).fit(x[train], y[train]).predict(x[test])) ** 2
            for train, test in self.splits
        ]
        return float(np.concatenate(squared).mean())

    def spread(self, columns: FloatArray) -> FloatArray:
        """Return what columns are divided by, so that one penalty suits all."""
        found = np.concatenate([columns, self._rest()], axis=1).std(axis=0)
        return np.where(found > 0, found, 1.0)

    def scaled(self, columns: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return columns of equal spread, and the target; scikit-learn adds the intercept."""
        x = np.concatenate([columns, self._rest()], axis=1)
        return x / self.spread(columns), self.design.target

    def _rest(self) -> FloatArray:
        """Return the baseline without the first geo's intercept, which the regression has."""
        n_geos = len(self.design.spend)
        own = self.design.baseline[:, 1:n_geos]
        return np.concatenate([own, self.design.baseline[:, n_geos:]], axis=1)
