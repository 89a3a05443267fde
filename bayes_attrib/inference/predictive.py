"""Posterior predictive checks: whether new totals from the fit look like the totals seen.

Each check names one figure of the totals and compares it, draw by draw, with that of totals drawn
anew from the same parameters (Gelman, Meng and Stern 1996, Statistica Sinica 6). A figure looks at
one thing that a family can get wrong: the spread, the zeros, the largest residual, spread where
totals are large and where they are small, and totals of one level of a key that lie on one side of
their expectations. Such p-values shy away from 0 and 1, because the totals have already had their
say in the parameters: a small one is news, a large one is no proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayes_attrib.errors import Finding
from bayes_attrib.inference import predictive_findings as tell
from bayes_attrib.inference.diagnostics import Bounds, Check, make_check
from bayes_attrib.inference.total_draws import TotalDraws
from bayes_attrib.inputs.aggregate_data import FloatArray, Grouping

P_VALUE = Bounds(">=", 0.01, 0.0)
"""Below .01 is a warning, never a failure: it speaks of the model, not of the computation."""

N_SIZES = 5
"""Totals are sorted by expectation into so many classes of equal number."""

FEWEST_IN_GROUP = 3
"""A key column is looked at where its levels hold at least so many totals on average."""

_MOST_DRAWS, _FEWEST_DRAWS, _MOST_ELEMENTS = 1000, 200, 2**24

Outcome = tuple[Check, tuple[Finding, ...]]


def enough_draws(n_aggregates: int) -> int:
    """Return how many draws are plenty for a p-value that is judged against .01, and fit memory."""
    return max(_FEWEST_DRAWS, min(_MOST_DRAWS, _MOST_ELEMENTS // n_aggregates))


def predictive_checks(
    draws: TotalDraws, rng: np.random.Generator
) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
    """Make every predictive check that the data allow.

    Parameters
    ----------
    draws : TotalDraws
        Totals, and what their law depends on.
    rng : numpy.random.Generator
        Source of new totals.

    Returns
    -------
    checks : tuple of Check
        Two-sided posterior predictive p-values, warned about below .01.
    findings : tuple of Finding
        What the checks that warn mean, and what to do.
    """
    seen = _Residuals(draws, rng)
    outcomes = [_dispersion(seen), _extremes(seen)]
    if draws.family.zeros_allowed:
        outcomes.append(_zeros(seen))
    if len(draws.mu) >= N_SIZES * FEWEST_IN_GROUP:
        outcomes.append(_spread_by_size(seen))
        outcomes += [_levels(seen, grouping) for grouping in _key_groupings(draws)]
    checks = tuple(check for check, _ in outcomes)
    return checks, tuple(finding for _, found in outcomes for finding in found)


@dataclass(frozen=True, eq=False)
class _Residuals:
    """Observed and new totals, and their standardised residuals; shape (n_exposed, n_draws)."""

    draws: TotalDraws
    rng: np.random.Generator

    @cached_property
    def mean(self) -> FloatArray:
        return self.draws.family.mean(self.draws.mu, self.draws.noise)

    @cached_property
    def deviation(self) -> FloatArray:
        return np.sqrt(self.draws.family.variance(self.draws.mu, self.draws.noise))

    @cached_property
    def new_totals(self) -> FloatArray:
        return self.draws.family.draw_totals(self.draws.mu, self.draws.noise, self.rng)

    @cached_property
    def observed(self) -> FloatArray:
        return self._standardised(self.draws.realised)

    @cached_property
    def new(self) -> FloatArray:
        return self._standardised(self.new_totals)

    def _standardised(self, totals: FloatArray) -> FloatArray:
        residuals = totals - self.mean
        residuals /= self.deviation  # in its place: at a million cells every array counts
        return residuals


def _p_value(observed: FloatArray, new: FloatArray) -> float:
    """Twice the smaller tail of a figure, shape (n_draws,); ties count for both."""
    return min(1.0, 2.0 * min(float(np.mean(new >= observed)), float(np.mean(new <= observed))))


def _outcome(check: Check, finding: Finding) -> Outcome:
    return check, () if check.status == "ok" else (finding,)


def _dispersion(seen: _Residuals) -> Outcome:
    """Mean squared residual."""
    observed, new = np.mean(seen.observed**2, axis=0), np.mean(seen.new**2, axis=0)
    ratio = float(np.median(observed) / np.median(new))
    detail = f"spread of totals is {ratio:.2f} times expected"
    check = make_check("dispersion_p_value", _p_value(observed, new), P_VALUE, detail)
    typical = float(np.median(seen.mean)), float(np.median(seen.deviation / seen.mean))
    return _outcome(check, tell.of_dispersion(seen.draws.family, ratio, *typical))


def _zeros(seen: _Residuals) -> Outcome:
    """Number of totals that are zero."""
    zeros = np.sum(seen.draws.realised == 0, axis=0).astype(np.float64)
    observed = np.broadcast_to(zeros, seen.mean.shape[1:])
    new = np.sum(seen.new_totals == 0, axis=0).astype(np.float64)
    found, expected = int(observed[0]), float(new.mean())
    detail = f"{found} of {len(seen.mean)} totals are zero, {expected:.3g} expected"
    check = make_check("zeros_p_value", _p_value(observed, new), P_VALUE, detail)
    return _outcome(check, tell.of_zeros(seen.draws.family, found, expected))


def _extremes(seen: _Residuals) -> Outcome:
    """Largest residual, whatever its sign."""
    observed, new = (np.maximum(x.max(axis=0), -x.min(axis=0)) for x in (seen.observed, seen.new))
    worst = int(np.argmax(np.abs(np.median(seen.observed, axis=1))))
    data = seen.draws.data
    label = str(data.aggregate_labels[data.is_exposed][worst])
    figures = float(np.median(seen.observed[worst])), float(np.median(new))
    detail = f"worst: {label}, {figures[0]:+.1f} sd, where {figures[1]:.1f} are expected"
    check = make_check("extremes_p_value", _p_value(observed, new), P_VALUE, detail)
    total = float(seen.draws.observed[worst, 0])
    expected = float(np.median(seen.mean[worst]))
    return _outcome(check, tell.of_extremes(seen.draws.family, label, total, expected, figures))


def _spread_by_size(seen: _Residuals) -> Outcome:
    """Mean squared residual of each class of size, the one that is farthest from 1."""
    place = np.argsort(np.argsort(np.median(seen.mean, axis=1), kind="stable"), kind="stable")
    classes = Grouping("size", tuple(map(str, range(N_SIZES))), place * N_SIZES // len(place))
    observed, new = _means(classes, seen.observed**2), _means(classes, seen.new**2)
    p_value = _p_value(*(np.max(np.abs(np.log(x + 1e-12)), axis=0) for x in (observed, new)))
    ratios = np.median(observed, axis=1) / np.median(new, axis=1)
    detail = f"spread over expected, smallest to largest totals: {' '.join(map(_short, ratios))}"
    check = make_check("size_spread_p_value", p_value, P_VALUE, detail)
    return _outcome(check, tell.of_spread_by_size(seen.draws.family, ratios))


def _levels(seen: _Residuals, grouping: Grouping) -> Outcome:
    """Sum of the residuals of each level over the root of their number, the one farthest from 0."""
    root = np.sqrt(np.bincount(grouping.codes))[:, np.newaxis]
    observed, new = _means(grouping, seen.observed) * root, _means(grouping, seen.new) * root
    p_value = _p_value(*(np.max(np.abs(x), axis=0) for x in (observed, new)))
    scores = np.median(observed, axis=1)
    worst = int(np.argmax(np.abs(scores)))
    here = grouping.codes == worst
    ratio = float(seen.draws.observed[here].sum() / np.median(seen.mean[here].sum(axis=0)))
    detail = f"worst: {grouping.levels[worst]}, totals are {ratio:.2f} times expected"
    check = make_check(f"levels_p_value_{grouping.name}", p_value, P_VALUE, detail)
    return _outcome(check, tell.of_levels(grouping.name, grouping.levels[worst], ratio))


def _means(grouping: Grouping, values: FloatArray) -> FloatArray:
    """Mean over the aggregates of each level, shape (n_levels, n_draws)."""
    counts = np.bincount(grouping.codes)[:, np.newaxis]
    return np.asarray(grouping.indicator @ values) / counts


def _key_groupings(draws: TotalDraws) -> list[Grouping]:
    keys = draws.data.aggregate_keys[draws.data.is_exposed]
    groupings = [Grouping.from_labels(str(name), keys[name].to_numpy()) for name in keys]
    return [
        grouping
        for grouping in groupings
        if 1 < len(grouping.levels) <= len(keys) / FEWEST_IN_GROUP
    ]


def _short(value: float) -> str:
    return f"{value:.2f}"
