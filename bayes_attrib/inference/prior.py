"""Draws from the prior: what a model claims before it has been held against any total."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pymc as pm
import scipy.sparse as sp
import xarray as xr

from bayes_attrib import names
from bayes_attrib.errors import FitError
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.inference.expected_draws import ExpectedDraws
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model import build_model
from bayes_attrib.model.edge_terms import edge_terms
from bayes_attrib.model.families import Cells, require_law
from bayes_attrib.spec import ModelSpec

PRIOR_DRAWS = 1000
"""Draws that are made where nobody says how many: the 97% quantile then rests on 30 of them."""


@dataclass(frozen=True, eq=False)
class PriorDraws:
    """Independent draws from a prior and its predictive distribution.

    This is not a fit and has no posterior: the totals enter through their sum alone, which sets the
    data's own rate r0, and as what the draws are compared with.

    Attributes
    ----------
    tree : xarray.DataTree
        Groups ``prior`` and ``prior_predictive`` over (chain, draw, ...), with one chain, and
        ``observed_data`` and ``constant_data``.
    data : AggregateData
        The data that the model was built for.
    spec : ModelSpec
        The model.
    """

    tree: xr.DataTree
    data: AggregateData
    spec: ModelSpec

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return int(self.tree["prior"].sizes[names.DRAW])

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that :meth:`draws` knows."""
        return tuple(str(name) for name in self.tree["prior"].data_vars)

    def draws(self, name: str) -> FloatArray:
        """Return the prior draws of a variable.

        Parameters
        ----------
        name : str
            One of :attr:`variables`, such as ``"sigma_entity"``.

        Returns
        -------
        ndarray, shape (..., n_draws)
            The variable's own dimensions first, draws last.
        """
        return _draws_last(self.tree["prior"].to_dataset()[name])

    @cached_property
    def totals(self) -> FloatArray:
        """Totals that the prior predicts, shape (n_exposed, n_draws), in the unit of the totals."""
        return _draws_last(self.tree["prior_predictive"].to_dataset()[names.TOTAL])

    @property
    def observed_totals(self) -> FloatArray:
        """Observed totals of the exposed aggregates, shape (n_exposed,), in the rows' order."""
        return self.data.totals[self.data.is_exposed]

    @property
    def expected(self) -> ExpectedDraws:
        """Expected amounts of all edges in every prior draw."""
        terms = [
            term for term in edge_terms(self.data, self.spec) if term.variable in self.variables
        ]
        return ExpectedDraws(
            self.data,
            DrawMatrix.of(self.draws(names.RATE)),
            tuple((term, self.draws(term.variable)) for term in terms),
        )

    @cached_property
    def shares(self) -> FloatArray:
        """Shares of the grand total that the prior alone would give, shape (n_entities, n_draws).

        In every draw, sum_b y_b p_eb / sum_b y_b with p_eb = mu_eb / mu_b: what an attribution
        would say that never looked at how totals vary with exposure.
        """
        data, expected = self.data, self.expected
        shares = np.zeros((data.n_entities, expected.n_draws))
        edges = np.arange(data.n_edges)
        to_entities = sp.csc_array(
            (np.ones(data.n_edges), (data.edge_entity, edges)), (data.n_entities, data.n_edges)
        )
        for block in expected.blocks():
            cells = Cells(
                data.totals[block.aggregates], block.indptr, expected.amounts(block.edges)
            )
            shares += to_entities[:, block.edges] @ cells.scaled_by_totals(cells.shares)
        return shares / data.grand_total


def sample_prior(
    data: AggregateData,
    spec: ModelSpec,
    *,
    model: pm.Model | None = None,
    draws: int = PRIOR_DRAWS,
    seed: int | None = None,
) -> PriorDraws:
    """Draw from the prior of a spec's model, and totals from its prior predictive distribution.

    Nothing is compiled and no Markov chain is run: draws are independent, and a thousand take about
    a second.

    Parameters
    ----------
    data : AggregateData
        Exposures, groups, and totals for their scale.
    spec : ModelSpec
        The model. Explicit latent amounts are left out: totals have the same law without them.
    model : pymc.Model, optional
        A model of your own, with ``rate`` over ``entity`` and an observed ``total`` over the
        exposed aggregates; :func:`bayes_attrib.build_model`'s where it is not given.
    draws : int
        Number of draws.
    seed : int, optional
        Seed of everything random; that of the spec where it is not given.

    Returns
    -------
    PriorDraws
        The same for the same arguments.

    Raises
    ------
    SpecError
        If totals are given, so that the model has no law of them.
    FitError
        If the prior reaches totals or rates that no computer can hold.
    """
    if model is None:
        require_law(spec.likelihood, "totals cannot be drawn from the prior")
    likelihood = spec.likelihood.model_copy(update={"amounts": "marginal"})
    marginal = spec.model_copy(update={"likelihood": likelihood})
    chosen = build_model(data, marginal) if model is None else model
    try:
        with _without_messages(), np.errstate(over="ignore", invalid="ignore"):
            tree = pm.sample_prior_predictive(
                draws,
                model=chosen,
                random_seed=spec.inference.seed if seed is None else seed,
                compile_kwargs={"mode": "FAST_COMPILE"},
            )
    except (ValueError, OverflowError) as error:
        raise FitError(_unbounded(str(error))) from error
    prior = PriorDraws(_in_order(tree), data, spec)
    for what, values in (("rates", prior.draws(names.RATE)), ("totals", prior.totals)):
        if not np.isfinite(values).all():
            raise FitError(_unbounded(f"some {what} are not finite"))
    return prior


def _in_order(tree: xr.DataTree) -> xr.DataTree:
    """Sort the variables and drop the time of day: the same draws are to give the same file."""
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    for name, group in groups.items():
        groups[name] = group[sorted(map(str, group.data_vars))].drop_attrs(deep=False)
    return xr.DataTree.from_dict(groups)


def _draws_last(values: xr.DataArray) -> FloatArray:
    """Return a variable of one chain, shape (..., n_draws), in C order."""
    (chain,) = values.to_numpy()
    return np.ascontiguousarray(np.moveaxis(chain, 0, -1), dtype=np.float64)


def _unbounded(fault: str) -> str:
    return (
        f"the prior reaches values that cannot be drawn ({fault}); tighten the priors of "
        f"{names.INTERCEPT} and of the spreads {names.SIGMA_ENTITY} and sigma_<group> under "
        "[priors]: they are on the log scale, where 3 is a factor of 20"
    )


@contextmanager
def _without_messages() -> Iterator[None]:
    """Keep PyMC from listing the variables that it draws: standard error is for our own words."""
    logger = logging.getLogger("pymc.sampling.forward")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
