"""Draws of a fit, joined with draws of the totals where these are estimates."""

from __future__ import annotations

from bayes_attrib.errors import FitError
from bayes_attrib.inference import PosteriorFit
from bayes_attrib.inference.given_totals import GivenTotals, pair_totals, with_totals
from bayes_attrib.workflow.methods import REFITS, FitJob, Method


def sample_with_totals(method: Method, job: FitJob) -> PosteriorFit:
    """Draw from the posterior as the spec treats the uncertainty of the totals.

    Parameters
    ----------
    method : Method
        Method of inference.
    job : FitJob
        Data and spec.

    Returns
    -------
    PosteriorFit
        With the totals of each draw in its group ``total_draws``, unless they are known.

    Raises
    ------
    FitError
        If the data have no draws of the totals, and the spec wants some.
    """
    wanted = job.spec.total_uncertainty
    if wanted == "cut":
        return REFITS.sample(job)
    if wanted == "plugin":
        return method.sample(job)
    drawn = job.data.total_draws
    if drawn is None:
        raise FitError(
            f'the spec has totals.uncertainty = "{wanted}", and the data hold no draws of the '
            "totals; set AggregateData.total_draws, or read tables that have them"
        )
    fit = method.sample(job)
    values, of_draw = pair_totals(drawn, job.data.totals, fit.n_draws, job.spec.inference.seed)
    return with_totals(fit, job.data, GivenTotals(values, of_draw, "paired"))
