"""Lift tests as likelihood terms: a measured increment of a part of some totals.

A test that switched off a part of what was exposed measured m with standard error s. The amount of
that part over the window is A = sum_b y_b P_b, where P_b is the part's share of the expected amount
of aggregate b, and the term is

    m ~ Normal(ratio A, sqrt(s**2 + ratio**2 v)),

with v the variance of the part's amount given totals and rates
(:meth:`~bayes_attrib.model.families.base.Family.part_variance`, summed over aggregates). It is 0
where the noise is common to an aggregate. Where amounts have noise of their own, the law of the
part's amount (binomial, beta, beta-binomial) is replaced by the normal one with its mean and
variance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pymc as pm
import pytensor.tensor as pt
import scipy.sparse as sp

from bayes_attrib import names
from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, IntArray
from bayes_attrib.model.families import Family, get_family
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class LiftParts:
    """The exposures of all tests; a part is what one test covers of one aggregate.

    Attributes
    ----------
    edge : ndarray of int, shape (n_members,)
        Stored exposures that tests cover, test after test.
    part : ndarray of int, shape (n_members,)
        Part that each belongs to, increasing.
    aggregate : ndarray of int, shape (n_parts,)
        Aggregate of each part, among all aggregates.
    test : ndarray of int, shape (n_parts,)
        Test of each part.
    totals : ndarray, shape (n_parts,)
        Total of the aggregate of each part.
    increment, standard_error, ratio : ndarray, shape (n_tests,)
        What was measured, and increments per unit of amount.
    """

    edge: IntArray
    part: IntArray
    aggregate: IntArray
    test: IntArray
    totals: FloatArray
    increment: FloatArray
    standard_error: FloatArray
    ratio: FloatArray

    @classmethod
    def of(cls, data: AggregateData) -> Self:
        """Collect the exposures of the tests of data; at least one test."""
        tests = data.lift_tests
        edge = np.concatenate([test.edges for test in tests])
        of_edge = np.repeat(np.arange(len(tests)), [len(test.edges) for test in tests])
        place = of_edge * data.n_aggregates + data.edge_aggregate[edge]
        found, part = np.unique(place, return_inverse=True)
        test, aggregate = np.divmod(found, data.n_aggregates)
        return cls(
            edge,
            part.astype(np.int64),
            aggregate.astype(np.int64),
            test.astype(np.int64),
            data.totals[aggregate],
            np.array([test.increment for test in tests]),
            np.array([test.standard_error for test in tests]),
            np.array([test.ratio for test in tests]),
        )

    @property
    def sizes(self) -> dict[str, int]:
        """Numbers of tests, parts and members, which the graph of the term depends on."""
        return {"tests": len(self.ratio), "parts": len(self.test), "members": len(self.edge)}

    @cached_property
    def to_parts(self) -> sp.csr_array:
        """Sparse matrix, shape (n_parts, n_members), that sums exposures to parts."""
        return _summing(self.part, len(self.test))

    @cached_property
    def to_tests(self) -> sp.csr_array:
        """Sparse matrix, shape (n_tests, n_parts), that sums parts to tests."""
        return _summing(self.test, len(self.ratio))

    def moments(
        self, amounts: FloatArray, mu: FloatArray, family: Family, noise: Mapping[str, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of every measured increment given totals and parameters.

        The NumPy twin of what :func:`add_lift_tests` writes.

        Parameters
        ----------
        amounts : ndarray, shape (n_parts, n_draws)
            Expected amounts of the parts.
        mu : ndarray, shape (n_parts, n_draws)
            Expected totals of ``aggregate``.
        family : Family
            Gives the variance of a part given its total.
        noise : mapping of str to ndarray, shape (n_draws,)
            Draws of the family's parameters.

        Returns
        -------
        mean, variance : ndarray, shape (n_tests, n_draws)
            In units of the totals, and their square.
        """
        share = np.minimum(amounts / mu, 1.0)
        totals = self.totals[:, np.newaxis]
        own = family.part_variance(totals, share, mu, noise) * np.ones_like(share)
        ratio = self.ratio[:, np.newaxis]
        mean = ratio * (self.to_tests @ (totals * share))
        return mean, self.standard_error[:, np.newaxis] ** 2 + ratio**2 * (self.to_tests @ own)


def add_lift_tests(
    data: AggregateData, spec: ModelSpec, amount: Any, mu: Any, noise: Mapping[str, Any]
) -> None:
    """Add the term of the lift tests of data to the PyMC model in context.

    Parameters
    ----------
    data : AggregateData
        Gives the tests; without any, nothing is added.
    spec : ModelSpec
        Its family says how amounts vary given their total.
    amount : TensorVariable, shape (n_edges,)
        Expected amounts of the stored exposures.
    mu : TensorVariable, shape (n_exposed,)
        Expected totals of the aggregates with exposure.
    noise : mapping of str to TensorVariable
        Parameters of the family.

    Raises
    ------
    SpecError
        If the family has no such variance.
    """
    if not data.lift_tests:
        return
    require_part_variance(spec)
    model = pm.modelcontext(None)
    if names.LIFT_TEST not in model.coords:
        model.add_coord(names.LIFT_TEST, [test.name for test in data.lift_tests])
    parts, exposed = LiftParts.of(data), np.cumsum(data.is_exposed) - 1
    edge, part = pm.Data("lift_edge", parts.edge), pm.Data("lift_part", parts.part)
    aggregate = pm.Data("lift_aggregate", exposed[parts.aggregate])
    test, totals = pm.Data("lift_test_of_part", parts.test), pm.Data("lift_total", parts.totals)
    ratio, error = pm.Data("lift_ratio", parts.ratio), pm.Data("lift_error", parts.standard_error)
    sizes = parts.sizes
    expected = mu[aggregate]
    share = pt.minimum(pt.zeros(sizes["parts"])[part].inc(amount[edge]) / expected, 1.0)
    own = get_family(spec.likelihood).part_variance(totals, share, expected, noise)
    mean = ratio * pt.zeros(sizes["tests"])[test].inc(totals * share)
    variance = error**2
    if not isinstance(own, float):
        variance = variance + ratio**2 * pt.zeros(sizes["tests"])[test].inc(own)
    observed = pm.Data("observed_lift_increment", parts.increment)
    pm.Normal(
        names.LIFT_INCREMENT,
        mu=mean,
        sigma=pt.sqrt(variance),
        observed=observed,
        dims=names.LIFT_TEST,
    )


def require_part_variance(spec: ModelSpec) -> None:
    """Refuse families whose amounts have no known variance given their total.

    Raises
    ------
    SpecError
        If the spec's family is such a one.
    """
    if spec.likelihood.level != "pair_approximation":
        return
    message = (
        f"family {spec.likelihood.family!r} at level 'pair_approximation' has no known law of a "
        "part of a total, which a lift test is about"
    )
    remedy = 'set likelihood.level to "aggregate", choose family "gamma", or leave lift_tests out'
    raise SpecError(
        f"the spec {spec.name!r} cannot be fitted to lift tests:",
        [Finding("lift-tests-without-law", "error", "likelihood.level", message, remedy)],
    )


def _summing(group: npt.NDArray[np.int64], n_groups: int) -> sp.csr_array:
    n = len(group)
    return sp.csr_array((np.ones(n), (group, np.arange(n))), shape=(n_groups, n))
