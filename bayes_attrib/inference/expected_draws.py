"""Expected amounts in every posterior draw: rates times exposures times the factors of edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit

from bayes_attrib import names
from bayes_attrib.inference.draw_matrix import BLOCK_ELEMENTS, DrawMatrix
from bayes_attrib.inference.given_totals import GivenTotals, given_totals
from bayes_attrib.inference.levelled import level_rates
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, IntArray
from bayes_attrib.model.covariates import zero_design
from bayes_attrib.model.edge_terms import EdgeTerm, edge_terms
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, eq=False, slots=True)
class AggregateBlock:
    """Consecutive exposed aggregates and their edges.

    Attributes
    ----------
    aggregates : ndarray of int, shape (n_chosen,)
        Positions of the aggregates.
    edges : slice
        Their edges.
    indptr : ndarray of int, shape (n_chosen + 1,)
        Row pointers into these edges, from zero.
    """

    aggregates: IntArray
    edges: slice
    indptr: IntArray


@dataclass(frozen=True, eq=False)
class ExpectedDraws:
    """Posterior draws of all expected amounts, made a block of edges at a time.

    Attributes
    ----------
    data : AggregateData
        Exposures.
    rates : DrawMatrix, shape (n_entities, n_draws)
        Draws of the rates; positive.
    terms : sequence of (EdgeTerm, ndarray of shape (..., n_draws))
        What else multiplies expected amounts, with the draws of its variable.
    given : GivenTotals or None
        Totals by draw, where they are estimates; None where all draws split the same totals.
    """

    data: AggregateData
    rates: DrawMatrix
    terms: Sequence[tuple[EdgeTerm, FloatArray]] = ()
    given: GivenTotals | None = None

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return self.rates.shape[1]

    def amounts(self, edges: slice) -> FloatArray:
        """Return the expected amounts of consecutive edges, shape (n_chosen, n_draws).

        Parameters
        ----------
        edges : slice
            Edges in the order of ``data.exposure.data``.
        """
        entity = self.data.edge_entity[edges].astype(np.int64)
        amounts = self.data.exposure.data[edges, np.newaxis] * self.rates.rows(entity)
        if self.terms:
            amounts *= np.exp(sum(term.values(edges, draws) for term, draws in self.terms))
        return amounts

    def totals(self) -> FloatArray:
        """Return the expected totals of the exposed aggregates, shape (n_exposed, n_draws)."""
        return self._sums(power=1)

    def sums_of_squares(self) -> FloatArray:
        """Return sums of squared expected amounts, shape (n_exposed, n_draws)."""
        return self._sums(power=2)

    def blocks(self) -> Iterator[AggregateBlock]:
        """Cut the exposed aggregates so that a block of edges and draws fits into little memory."""
        exposed = np.flatnonzero(self.data.is_exposed)
        bounds = np.append(self.data.exposure.indptr[exposed], self.data.n_edges).astype(np.int64)
        most = max(1, BLOCK_ELEMENTS // max(1, self.n_draws))
        first = 0
        while first < len(exposed):
            last = int(np.searchsorted(bounds, bounds[first] + most, side="right")) - 1
            last = min(max(last, first + 1), len(exposed))
            pointers = bounds[first : last + 1]
            edges = slice(int(pointers[0]), int(pointers[-1]))
            yield AggregateBlock(exposed[first:last], edges, pointers - pointers[0])
            first = last

    def _sums(self, power: int) -> FloatArray:
        sums = [
            np.add.reduceat(self.amounts(block.edges) ** power, block.indptr[:-1], axis=0)
            for block in self.blocks()
        ]
        return np.concatenate(sums)

    def thinned(self, most: int) -> ExpectedDraws:
        """Return every k-th draw, so that at most ``most`` remain, or a few more."""
        step = max(1, self.n_draws // most)
        terms = tuple((term, draws[..., ::step]) for term, draws in self.terms)
        given = None if self.given is None else self.given.thinned(step)
        return ExpectedDraws(self.data, self.rates.thinned(step), terms, given)

    def given_totals(self, aggregates: IntArray) -> FloatArray:
        """Return the totals that are split: of some aggregates, or of each of them in every draw.

        Parameters
        ----------
        aggregates : ndarray of int, shape (n_chosen,)
            Positions of the aggregates.

        Returns
        -------
        ndarray, shape (n_chosen,) or (n_chosen, n_draws)
            The latter where totals are estimates.
        """
        return self.data.totals[aggregates] if self.given is None else self.given.rows(aggregates)


def expected_draws(fit: PosteriorFit, data: AggregateData, spec: ModelSpec) -> ExpectedDraws:
    """Return the expected amounts of a fit in every draw.

    Parameters
    ----------
    fit : PosteriorFit
        Draws of ``rate``, and of the variables of the spec's edge terms. A posterior without such
        a variable, from a model of the user's own, is taken to have no such term.
    data : AggregateData
        The data that were fitted.
    spec : ModelSpec
        The model.

    Returns
    -------
    ExpectedDraws
        Nothing is computed until it is asked for, but for rates of given totals, which are scaled
        (:func:`bayes_attrib.inference.levelled.level_rates`).
    """
    terms = [term for term in edge_terms(data, spec) if term.variable in fit.posterior]
    mean = ExpectedDraws(
        data,
        fit.rate_matrix(),
        tuple((term, fit.draws(term.variable)) for term in terms),
        given_totals(fit, data),
    )
    if spec.likelihood.informs_rates:
        return mean
    return replace(mean, rates=level_rates(data, mean.rates, mean.totals()))


def noise_draws(
    fit: PosteriorFit, data: AggregateData, spec: ModelSpec
) -> Mapping[str, FloatArray]:
    """Return the draws of the family's parameters.

    Parameters
    ----------
    fit : PosteriorFit
        Draws of the family's parameters.
    data : AggregateData
        Covariates of zeros, if any.
    spec : ModelSpec
        The model.

    Returns
    -------
    mapping of str to ndarray, shape (n_draws,)
        By name; with covariates of zeros, ``pi`` has shape (n_exposed, n_draws).
    """
    noise = {name: fit.draws(name) for name in spec.likelihood.parameters}
    design = zero_design(data, spec)
    if design is not None:
        slope = design.matrix @ noise.pop(names.BETA_ZERO)
        noise[names.PI] = expit(logit(noise[names.PI]) + slope)
    return noise
