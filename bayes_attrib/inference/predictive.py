"""Posterior predictive check of the dispersion of the totals."""

from __future__ import annotations

import numpy as np

from bayes_attrib import names
from bayes_attrib.errors import Finding
from bayes_attrib.inference.diagnostics import Bounds, Check, make_check
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.families import Family

MOST_DRAWS = 1000

P_VALUE = Bounds(">=", 0.01, 0.0)


def dispersion_check(
    fit: PosteriorFit, data: AggregateData, family: Family, rng: np.random.Generator
) -> tuple[Check, tuple[Finding, ...]]:
    """Compare the spread of the totals around their expectations with what the family allows.

    The discrepancy of a draw is the mean over aggregates of (y - mu)**2 / Var(y | mu); its
    posterior predictive p-value is the share of draws in which new totals exceed the observed ones
    (Gelman, Meng and Stern 1996, Statistica Sinica 6).

    Parameters
    ----------
    fit : PosteriorFit
        Draws of ``rate`` and of the family's dispersion parameter.
    data : AggregateData
        Totals and exposures.
    family : Family
        The likelihood of the fit.
    rng : numpy.random.Generator
        Source of new totals.

    Returns
    -------
    check : Check
        Twice the smaller tail of the p-value, warned about below .01.
    findings : tuple of Finding
        What the check means and what to do, where it warns.
    """
    step = max(1, fit.n_draws // MOST_DRAWS)
    dispersion = {name: fit.draws(name)[::step] for name in [family.dispersion] if name is not None}
    exposed = data.is_exposed
    mu = data.expected_totals(fit.draws(names.RATE)[:, ::step])[exposed]
    variance = family.variance(mu, dispersion[family.dispersion] if family.dispersion else 0.0)
    observed = np.mean((data.totals[exposed, None] - mu) ** 2 / variance, axis=0)
    replicated = np.mean((family.draw_totals(mu, dispersion, rng) - mu) ** 2 / variance, axis=0)
    above = float(np.mean(replicated >= observed))
    ratio = float(np.median(observed) / np.median(replicated))
    p_value = 2 * min(above, 1 - above)
    detail = f"spread of totals is {ratio:.2f} times expected"
    check = make_check("dispersion_p_value", p_value, P_VALUE, detail)
    if check.status == "ok":
        return check, ()
    return check, (_finding(family, ratio),)


def _finding(family: Family, ratio: float) -> Finding:
    level = f" at {family.level} level" if family.level else ""
    message = (
        f"the totals spread {ratio:.2f} times as much around their expectations as {family.name}"
        f"{level} allows, so intervals are too {'narrow' if ratio > 1 else 'wide'}"
    )
    remedy = (
        'set likelihood.family = "negative_binomial" (try level = "pair" and level = "aggregate")'
        if family.name == "poisson" and ratio > 1
        else "try the other level or another family of the likelihood"
    )
    return Finding("dispersion", "warning", "likelihood", message, remedy)
