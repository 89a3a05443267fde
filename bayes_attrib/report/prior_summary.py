"""What priors claim, in numbers: about totals, rates, shares and parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution import interval_of
from bayes_attrib.baselines import fit_proportional
from bayes_attrib.inference.prior import PriorDraws
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.spec import IntervalSpec

QUANTILE_LEVELS: Final = tuple(np.linspace(0.02, 0.98, 25).round(2).tolist())
"""Quantiles of the totals that are compared."""

DOMINANT_SHARE: Final = 0.5
"""An entity that takes more than this of the grand total is spoken of as dominant."""


@dataclass(frozen=True, eq=False, slots=True)
class PriorSummary:
    """A prior beside the data; intervals are equal-tailed and hold ``prob``.

    Attributes
    ----------
    prob : float
        Probability of every interval.
    n_draws : int
        Number of prior draws.
    table : DataFrame
        The rows of ``prior.csv``: parameters, rates, shares and totals.
    total_lower, total_upper : float
        Interval of all totals that the prior predicts, over aggregates and draws.
    observed_lowest, observed_highest : float
        Range of the observed totals of exposed aggregates.
    n_inside, n_totals : int
        Observed totals that lie inside the interval of their own aggregate, and all of them.
    rate_lower, rate_upper : float
        Interval of rates over entities and draws, in units of the data's own rate r0.
    largest_share_median, dominance : float
        Median over draws of the largest share of one entity, and the probability that it exceeds
        :data:`DOMINANT_SHARE`.
    largest_proportional_share : float
        Largest share of one entity in proportion to exposure.
    quantiles : DataFrame, shape (25, 5)
        ``level``, ``lower``, ``median`` and ``upper`` of that quantile of the totals of a draw over
        draws, and ``observed``.
    """

    prob: float
    n_draws: int
    table: pd.DataFrame
    total_lower: float
    total_upper: float
    observed_lowest: float
    observed_highest: float
    n_inside: int
    n_totals: int
    rate_lower: float
    rate_upper: float
    largest_share_median: float
    dominance: float
    largest_proportional_share: float
    quantiles: pd.DataFrame

    def rows(self, quantity: str) -> pd.DataFrame:
        """Return the rows of ``"parameter"``, ``"rate"``, ``"share"`` or ``"total"``."""
        return self.table[self.table["quantity"] == quantity]


def summarise_prior(prior: PriorDraws) -> PriorSummary:
    """Summarise a prior beside the data.

    Parameters
    ----------
    prior : PriorDraws
        Draws.

    Returns
    -------
    PriorSummary
        Intervals are equal-tailed, with the probability of the spec's report: a prior is skewed,
        and its tails are what one wants to know of it.
    """
    data = prior.data
    interval = IntervalSpec(kind="eti", prob=prior.spec.report.interval.prob)
    observed = prior.observed_totals
    rate_lower, rate_upper = _pooled(prior.draws(names.RATE) / data.reference_rate, interval)
    total_lower, total_upper = _pooled(prior.totals, interval)
    table = pd.concat(_tables(prior, interval), ignore_index=True)
    own = table[table["quantity"] == names.TOTAL]
    largest = prior.shares.max(axis=0)
    proportional = table.loc[table["quantity"] == "share", "reference"]
    return PriorSummary(
        prob=interval.prob,
        n_draws=prior.n_draws,
        table=table.assign(interval_kind=interval.kind, interval_prob=interval.prob),
        total_lower=total_lower,
        total_upper=total_upper,
        observed_lowest=float(observed.min()),
        observed_highest=float(observed.max()),
        n_inside=int(np.sum((own["lower"] <= observed) & (observed <= own["upper"]))),
        n_totals=len(observed),
        rate_lower=rate_lower,
        rate_upper=rate_upper,
        largest_share_median=float(np.median(largest)),
        dominance=float(np.mean(largest > DOMINANT_SHARE)),
        largest_proportional_share=float(proportional.max()),
        quantiles=total_quantiles(prior.totals, observed, interval),
    )


def _tables(prior: PriorDraws, interval: IntervalSpec) -> Iterator[pd.DataFrame]:
    """Yield the rows of each quantity, with what each is held against."""
    data = prior.data
    for name in _parameters(prior):
        draws = prior.draws(name)
        rows = draws.reshape(-1, prior.n_draws)
        yield _rows("parameter", _labels(prior, name), rows, np.full(len(rows), np.nan), interval)
    r0 = np.full(data.n_entities, data.reference_rate)
    yield _rows(names.RATE, data.entity_names, prior.draws(names.RATE), r0, interval)
    proportional = fit_proportional(data).entity_amount / data.grand_total
    yield _rows("share", data.entity_names, prior.shares, proportional, interval)
    labels = data.aggregate_labels[data.is_exposed]
    yield _rows(names.TOTAL, labels, prior.totals, prior.observed_totals, interval)


def _rows(
    quantity: str, labels: object, draws: FloatArray, reference: FloatArray, interval: IntervalSpec
) -> pd.DataFrame:
    lower, upper = interval_of(draws, interval)
    return pd.DataFrame(
        {
            "quantity": quantity,
            "name": labels,
            "mean": draws.mean(axis=1),
            "sd": draws.std(axis=1, ddof=1),
            "lower": lower,
            "median": np.median(draws, axis=1),
            "upper": upper,
            "reference": reference,
        }
    )


def _parameters(prior: PriorDraws) -> list[str]:
    """The spec's parameters that the model has, then any other scalars of a model of one's own."""
    known = [name for name in prior.spec.parameters if name in prior.variables]
    scalars = (name for name in prior.variables if prior.draws(name).ndim == 1)
    return known + sorted(set(scalars) - set(known))


def _labels(prior: PriorDraws, name: str) -> list[str]:
    """Return one name per element of a parameter: ``beta[age]``."""
    values = prior.tree["prior"].to_dataset()[name].isel({names.CHAIN: 0, names.DRAW: 0})
    if values.ndim == 0:
        return [name]
    if values.ndim == 1 and values.dims[0] in values.coords:
        return [f"{name}[{label}]" for label in values[values.dims[0]].to_numpy()]
    return [f"{name}[{i}]" for i in range(values.size)]


def _pooled(draws: FloatArray, interval: IntervalSpec) -> tuple[float, float]:
    """Interval over all rows and draws together."""
    lower, upper = interval_of(draws.reshape(1, -1), interval)
    return lower.item(), upper.item()


def total_quantiles(
    predicted: FloatArray, observed: FloatArray, interval: IntervalSpec
) -> pd.DataFrame:
    """Return quantiles of the totals of a draw, over draws, beside those observed.

    Parameters
    ----------
    predicted : ndarray, shape (n_exposed, n_draws)
        Totals that a prior predicts, in their unit.
    observed : ndarray, shape (n_exposed,)
        Totals.
    interval : IntervalSpec
        Kind and probability of the intervals over draws.

    Returns
    -------
    DataFrame, shape (25, 5)
        ``level, lower, median, upper, observed``.
    """
    by_draw = np.quantile(predicted, QUANTILE_LEVELS, axis=0)
    lower, upper = interval_of(by_draw, interval)
    return pd.DataFrame(
        {
            "level": QUANTILE_LEVELS,
            "lower": lower,
            "median": np.median(by_draw, axis=1),
            "upper": upper,
            "observed": np.quantile(observed, QUANTILE_LEVELS),
        }
    )
