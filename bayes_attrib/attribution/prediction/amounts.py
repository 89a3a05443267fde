"""Totals and amounts of new aggregates: drawn from the family, or given the totals observed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution.allocation import allocate, cell_summaries
from bayes_attrib.attribution.intervals import summarise
from bayes_attrib.attribution.prediction.edges import NewAggregates
from bayes_attrib.inference.expected_draws import ExpectedDraws
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.families import Cells, Draws, Family
from bayes_attrib.spec import IntervalSpec


@dataclass(frozen=True, eq=False)
class NewAmounts:
    """What is predicted of new aggregates.

    Attributes
    ----------
    totals : DataFrame, shape (n_aggregates, any)
        Keys; ``expected_*`` of the mean of the total, ``total_*`` of a new total; and, where totals
        were observed, ``total`` itself.
    cells : DataFrame, shape (n_edges, any)
        Keys, exposure, ``share_*`` within the aggregate, ``amount_*``.
    total_draws : ndarray, shape (n_aggregates, n_draws)
        New totals.
    """

    totals: pd.DataFrame
    cells: pd.DataFrame
    total_draws: FloatArray


def predict_amounts(
    new: NewAggregates, family: Family, interval: IntervalSpec, rng: np.random.Generator
) -> NewAmounts:
    """Draw new totals and, given them or the totals that were observed, the amounts.

    Observed totals are split with the rates of the fit as they are: the rates learn nothing from
    them.

    Parameters
    ----------
    new : NewAggregates
        Expected amounts and noise in every draw.
    family : Family
        Law of the totals and of the amounts given them.
    interval : IntervalSpec
        Kind and probability of all intervals.
    rng : numpy.random.Generator
        Source of totals and amounts.

    Returns
    -------
    NewAmounts
        Tables, and the draws of the totals.
    """
    mu, noise = new.mean.totals(), dict(new.noise)
    if family.needs_herfindahl:
        noise[names.HERFINDAHL] = new.mean.sums_of_squares() / mu**2
    drawn = family.draw_totals(mu, noise, rng)
    expected = np.broadcast_to(family.mean(mu, noise), mu.shape)
    data = new.mean.data
    totals = data.aggregate_keys.copy()
    if new.has_totals:
        totals[names.TOTAL] = data.totals
    for prefix, values in (("expected", expected), (names.TOTAL, drawn)):
        found = summarise(values, interval)
        totals[f"{prefix}_mean"] = found.mean
        totals[f"{prefix}_sd"] = found.sd
        totals[f"{prefix}_lower"], totals[f"{prefix}_upper"] = found.lower, found.upper
    if new.has_totals:
        summaries = allocate(new.mean, family, new.noise, interval=interval, rng=rng).cells
    else:
        summaries = _predicted_cells(new.mean, drawn, family, new.noise, interval=interval, rng=rng)
    cells = data.aggregate_keys.iloc[data.edge_aggregate].reset_index(drop=True)
    cells[data.entity_key] = data.entity_names[data.edge_entity]
    cells[names.EXPOSURE] = data.exposure.data
    return NewAmounts(totals, pd.concat([cells, summaries], axis=1), drawn)


def _predicted_cells(
    mean: ExpectedDraws,
    totals: FloatArray,
    family: Family,
    noise: Draws,
    *,
    interval: IntervalSpec,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Split the total that each draw has made, draw by draw: the law of the amounts themselves."""
    parts = []
    for block in mean.blocks():
        mu = mean.amounts(block.edges)
        amounts = np.empty_like(mu)
        for draw in range(mean.n_draws):
            one = slice(draw, draw + 1)
            cells = Cells(totals[block.aggregates, draw], block.indptr, mu[:, one])
            own = {name: values[..., one] for name, values in noise.items()}
            amounts[:, one] = family.draw_amounts(cells, own, rng)
        shares = Cells(totals[block.aggregates, 0], block.indptr, mu).shares
        parts.append(cell_summaries(shares, amounts, interval))
    return pd.concat(parts, ignore_index=True)
