"""What the law of the totals depends on, in every posterior draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_attrib import names
from bayes_attrib.inference.expected_draws import expected_draws, noise_draws
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families import Draws, Family, get_family
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class TotalDraws:
    """Totals of the exposed aggregates, with their family, expectations and noise in every draw.

    Attributes
    ----------
    data : AggregateData
        Totals and keys of all aggregates.
    family : Family
        Law of a total.
    mu : ndarray, shape (n_exposed, n_draws)
        Expected totals.
    noise : mapping of str to ndarray, shape (n_draws,) or (n_exposed, n_draws)
        Parameters of the family, and what else it needs.
    given : ndarray, shape (n_exposed, n_draws), or None
        The totals that each draw was inferred from, where these differ between draws.
    """

    data: AggregateData
    family: Family
    mu: FloatArray
    noise: Draws
    given: FloatArray | None = None

    @property
    def realised(self) -> FloatArray:
        """Totals that draws were inferred from, shape (n_exposed, 1) or (n_exposed, n_draws)."""
        return self.observed if self.given is None else self.given

    @property
    def observed(self) -> FloatArray:
        """Observed totals, shape (n_exposed, 1)."""
        return self.data.totals[self.data.is_exposed, None]

    def log_density(self) -> FloatArray:
        """Log density of every total in every draw, shape (n_exposed, n_draws)."""
        return self.family.log_density(self.observed, self.mu, self.noise)


def total_draws(
    fit: PosteriorFit, data: AggregateData, spec: ModelSpec, *, most: int
) -> TotalDraws:
    """Return what the law of the totals depends on.

    Parameters
    ----------
    fit : PosteriorFit
        Draws of the model's variables.
    data : AggregateData
        The data that were fitted.
    spec : ModelSpec
        The model.
    most : int
        Every k-th draw is taken, so that at most so many remain, or a few more.

    Returns
    -------
    TotalDraws
        Of the draws that remain.
    """
    family, step = get_family(spec.likelihood), max(1, fit.n_draws // most)
    expected = expected_draws(fit, data, spec).thinned(most)
    mu = expected.totals()
    noise = {name: draws[..., ::step] for name, draws in noise_draws(fit, data, spec).items()}
    if family.needs_herfindahl:
        noise[names.HERFINDAHL] = expected.sums_of_squares() / mu**2
    is_cut = expected.given is not None and expected.given.treatment == "cut"
    exposed = np.flatnonzero(data.is_exposed)
    given = expected.given_totals(exposed) if is_cut else None
    return TotalDraws(data, family, mu, noise, given)
