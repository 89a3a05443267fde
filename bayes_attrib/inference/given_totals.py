"""The draws of totals that a fit's draws were joined with, kept beside them.

A fit that treats totals as estimates splits, in each of its draws, a draw of all totals. Few of
these are distinct, so they are kept once, with the place of the one that each draw has.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import xarray as xr

from bayes_attrib import names
from bayes_attrib.errors import FitError
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, IntArray
from bayes_attrib.inputs.drawn_totals import DrawnTotals

Treatment = Literal["paired", "cut"]

GROUP: Final = "total_draws"
"""Group of a fit's tree that holds them."""

LARGEST_SHIFT: Final = 6.0
"""Standard errors by which the mean of the draws that are used may differ from the total."""

_TOTAL_DRAW, _OF_DRAW = "total_draw", "total_draw_of"
_PAIRING_STREAM: Final = 31


@dataclass(frozen=True, eq=False)
class GivenTotals:
    """Totals by draw.

    Attributes
    ----------
    values : ndarray, shape (n_aggregates, n_distinct)
        Distinct draws of all totals, in their unit; zero for aggregates without exposure.
    of_draw : ndarray of int, shape (n_draws,)
        Column that each draw of the fit splits.
    treatment : {"paired", "cut"}
        Whether the draws of the fit are independent of the totals, or were inferred from them.
    """

    values: FloatArray
    of_draw: IntArray
    treatment: Treatment

    def rows(self, aggregates: IntArray) -> FloatArray:
        """Return the totals of some aggregates in every draw, shape (n_chosen, n_draws)."""
        return self.values[aggregates][:, self.of_draw]

    def thinned(self, step: int) -> GivenTotals:
        """Return every k-th draw."""
        return GivenTotals(self.values, self.of_draw[::step], self.treatment)


def pair_totals(
    drawn: DrawnTotals, totals: FloatArray, n_draws: int, seed: int
) -> tuple[FloatArray, IntArray]:
    """Choose a draw of all totals for every draw of a fit.

    Draws of the totals are used equally often, as far as numbers allow, in an order by lot: which
    draw meets which must not depend on their places in two chains.

    Parameters
    ----------
    drawn : DrawnTotals
        Draws of the totals.
    totals : ndarray, shape (n_aggregates,)
        The totals themselves.
    n_draws : int
        Number of draws of the fit.
    seed : int
        Seed of the run.

    Returns
    -------
    values : ndarray, shape (n_aggregates, n_distinct)
        The draws that are used, scaled so that their mean over all draws of the fit is the total.
    of_draw : ndarray of int, shape (n_draws,)
        Which of them each draw of the fit has.
    """
    rng = np.random.default_rng([seed, _PAIRING_STREAM])
    chosen = evenly(drawn.n_draws, n_draws)
    n = len(chosen)
    rounds = [rng.permutation(n) for _ in range(n_draws // n)]
    rest = rng.permutation(n)[: n_draws % n]
    of_draw = np.concatenate([*rounds, rest]).astype(np.int64)
    weight = np.bincount(of_draw, minlength=n) / n_draws
    return with_mean(drawn.values[:, chosen], totals, weight), of_draw


def evenly(n: int, most: int) -> IntArray:
    """Return the places of at most so many of n draws, evenly spaced over all chains."""
    wanted = min(n, most)
    return np.arange(wanted, dtype=np.int64) * n // wanted


def with_mean(values: FloatArray, totals: FloatArray, weight: FloatArray) -> FloatArray:
    """Scale the draws of each total so that their weighted mean is the total.

    The means of amounts then add up to the ledger. The factor is within Monte-Carlo error of one:
    some draws were chosen from all, whose mean is the total. It is one for each aggregate, so draws
    keep their ratios, and their correlations over aggregates.

    Parameters
    ----------
    values : ndarray, shape (n_aggregates, n_draws)
        Draws, not negative.
    totals : ndarray, shape (n_aggregates,)
        Totals.
    weight : ndarray, shape (n_draws,)
        Weights of the draws, which sum to one.

    Returns
    -------
    ndarray, shape (n_aggregates, n_draws)
        Scaled draws; zero where the total is.

    Raises
    ------
    FitError
        If a mean is farther from its total than chance explains.
    """
    mean = values @ weight
    spread = np.sqrt(np.square(values - mean[:, np.newaxis]) @ weight)
    error = spread * np.sqrt(np.square(weight).sum())
    wrong = np.abs(mean - totals) > LARGEST_SHIFT * error + 1e-6 * totals
    if wrong.any():
        worst = int(np.argmax(wrong))
        raise FitError(
            f"draws of total {worst + 1} have the mean {mean[worst]:.6g}, and the total is "
            f"{totals[worst]:.6g}: they do not belong together"
        )
    factor = np.divide(totals, mean, out=np.zeros_like(mean), where=mean > 0)
    return np.asarray(values * factor[:, np.newaxis])


def with_totals(fit: PosteriorFit, data: AggregateData, given: GivenTotals) -> PosteriorFit:
    """Return a fit whose tree holds the totals that its draws split.

    Parameters
    ----------
    fit : PosteriorFit
        Draws.
    data : AggregateData
        The data that were fitted.
    given : GivenTotals
        Totals by draw.

    Returns
    -------
    PosteriorFit
        With a further group ``total_draws``: ``total`` over (``aggregate``, ``total_draw``), and
        ``total_draw_of`` over (``chain``, ``draw``).
    """
    exposed, sizes = data.is_exposed, fit.posterior.sizes
    of_draw = given.of_draw.reshape(sizes[names.CHAIN], sizes[names.DRAW])
    kept = xr.Dataset(
        {
            names.TOTAL: ((names.AGGREGATE, _TOTAL_DRAW), given.values[exposed]),
            _OF_DRAW: ((names.CHAIN, names.DRAW), of_draw),
        },
        coords={
            names.AGGREGATE: data.aggregate_labels[exposed],
            names.CHAIN: fit.posterior[names.CHAIN].to_numpy(),
            names.DRAW: fit.posterior[names.DRAW].to_numpy(),
        },
        attrs={"treatment": given.treatment, "aggregates": _digest(data)},
    )
    groups = {name: node.to_dataset() for name, node in fit.tree.children.items()}
    tree = xr.DataTree.from_dict({**groups, GROUP: kept})
    tree.attrs = fit.tree.attrs
    return PosteriorFit(tree, fit.method)


def given_totals(fit: PosteriorFit, data: AggregateData) -> GivenTotals | None:
    """Return the totals that the draws of a fit split.

    Parameters
    ----------
    fit : PosteriorFit
        Draws.
    data : AggregateData
        The data that are split.

    Returns
    -------
    GivenTotals or None
        None where totals are known, and for data with other aggregates than those that were fitted,
        whose totals have no draws here.
    """
    if GROUP not in fit.tree.children:
        return None
    kept = fit.tree[GROUP].to_dataset()
    if kept.attrs["aggregates"] != _digest(data):
        return None
    values = np.zeros((data.n_aggregates, kept.sizes[_TOTAL_DRAW]))
    values[data.is_exposed] = kept[names.TOTAL].to_numpy()
    return GivenTotals(values, draws_of_totals(fit), kept.attrs["treatment"])


def draws_of_totals(fit: PosteriorFit) -> IntArray:
    """Return which draw of the totals each draw of a fit splits, shape (n_draws,)."""
    found: IntArray = fit.tree[GROUP][_OF_DRAW].to_numpy().ravel().astype(np.int64)
    return found


def _digest(data: AggregateData) -> str:
    """Return a digest of the keys of the aggregates with exposure, in their order."""
    keys = data.aggregate_keys[data.is_exposed].astype(str).to_numpy().tolist()
    return hashlib.sha256(json.dumps(keys).encode()).hexdigest()
