"""Totals that somebody else has estimated: they are split, and say nothing about rates."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families.base import Draws, Family, Parameters
from bayes_attrib.model.families.cells import Cells
from bayes_attrib.spec import LikelihoodSpec, PriorSpec


class Given(Family):
    """Totals without a law: what a mix model made of the delivery of all entities together.

    Such a total is a function of delivery already, in which a unit of one entity counts as much as
    that of any other. As observations they would prove, to any precision, that all rates of a
    channel are equal. So they have no likelihood: rates are those of priors, covariates and lift
    tests, and only their ratios within an aggregate matter. Given the total, the amounts are
    y_b p_b.
    """

    name = "given"
    level = None
    parameters = ()
    counts = False
    zeros_allowed = True
    informs_rates = False

    def default_priors(self, data: AggregateData) -> dict[str, PriorSpec]:  # noqa: ARG002
        """No parameters."""
        return {}

    def total_law(self, mu: Any, parameters: Parameters) -> NoReturn:  # noqa: ARG002
        """Refuse: there is no such law."""
        raise _no_law("the totals cannot be modelled")

    def log_density(
        self,
        totals: FloatArray,
        mu: FloatArray,
        parameters: Parameters,  # noqa: ARG002
    ) -> FloatArray:
        """Return 0: no total is more likely than another."""
        return np.zeros(np.broadcast_shapes(totals.shape, mu.shape))

    def score(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return 0."""
        return self.log_density(totals, mu, parameters)

    def information(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return 0."""
        return np.zeros_like(mu)

    def mean(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return mu."""
        return mu

    def variance(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return infinity: a total may be anything."""
        return np.full_like(mu, np.inf)

    def moment_parameters(self, totals: FloatArray, mu: FloatArray) -> dict[str, float]:  # noqa: ARG002
        """No parameters."""
        return {}

    def draw_totals(
        self,
        mu: FloatArray,  # noqa: ARG002
        parameters: Parameters,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
    ) -> NoReturn:
        """Refuse: there is no law to draw from."""
        raise _no_law("totals cannot be drawn")

    def part_variance(
        self,
        totals: Any,  # noqa: ARG002
        part: Any,  # noqa: ARG002
        mu: Any,  # noqa: ARG002
        parameters: Parameters,  # noqa: ARG002
    ) -> Any:
        """Return 0: amounts follow from totals and rates."""
        return 0.0

    def draw_amounts(
        self,
        cells: Cells,
        parameters: Draws,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
    ) -> FloatArray:
        """Return z_b = y_b p_b."""
        return cells.scaled_by_totals(cells.shares)


def require_law(likelihood: LikelihoodSpec, purpose: str) -> None:
    """Refuse what needs a law of the totals, where they are given.

    Parameters
    ----------
    likelihood : LikelihoodSpec
        The family of a spec.
    purpose : str
        What cannot be done without a law, such as ``"families cannot be compared"``.

    Raises
    ------
    SpecError
        If the family is ``"given"``.
    """
    if not likelihood.informs_rates:
        raise _no_law(purpose)


def _no_law(purpose: str) -> SpecError:
    return SpecError(
        f"{purpose}:",
        [
            Finding(
                "totals-without-law",
                "error",
                "likelihood.family",
                "totals of the family 'given' are split as they are and have no law",
                "choose a family that explains totals, such as 'gamma', if they were measured "
                "independently of the exposures",
            )
        ],
    )
