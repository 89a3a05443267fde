"""Names as people see them: of entities, of checks, of parameters."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bayes_attrib.report.characters import printable, terminal_label
from bayes_attrib.report.language import ENGLISH, Language, message

__all__ = ["describe_check_name", "moment", "printable", "terminal_label", "title_of"]

_CHECKS: Final = (
    (
        "max_rhat_refits_",
        message("Largest R-hat of a refit, over {what}"),
        message("Do the chains of each refit to a draw of the totals agree?"),
    ),
    (
        "refit_drift_",
        message("Drift within refits of {what}, in standard errors"),
        message("Have refits forgotten where they started?"),
    ),
    (
        "effective_total_draws",
        message("Draws of the totals that shares are worth"),
        message("Are there enough draws of the totals, from which rates are inferred anew?"),
    ),
    (
        "max_rhat_without_lift_tests",
        message("Largest R-hat of the fit without lift tests"),
        message("Do the chains of the second fit agree about what was tested?"),
    ),
    (
        "max_rhat_",
        message("Largest R-hat of {what}"),
        message("Do the chains agree? At 1 they cannot be told apart."),
    ),
    (
        "min_ess_bulk_",
        message("Smallest effective sample size of {what}, bulk"),
        message("How many independent draws the chains are worth for a mean."),
    ),
    (
        "min_ess_tail_",
        message("Smallest effective sample size of {what}, tails"),
        message("How many independent draws the chains are worth for the end of an interval."),
    ),
    (
        "variables_with_non_finite_draws",
        message("Variables with draws that are not finite"),
        message("Did the computation overflow, or stop half-way?"),
    ),
    (
        "divergent_fraction",
        message("Fraction of divergent draws"),
        message("Did the sampler lose its way? Where it does, bias can hide."),
    ),
    (
        "max_depth_fraction",
        message("Fraction of draws at the greatest tree depth"),
        message("Were trajectories cut short? That is slow, but not biased."),
    ),
    (
        "min_bfmi",
        message("Smallest energy fraction (BFMI)"),
        message("Does the sampler move freely between the middle and the tails?"),
    ),
    (
        "dispersion_p_value",
        message("Spread of the totals (posterior predictive p-value)"),
        message("Do totals scatter around their expectations as the family says?"),
    ),
    (
        "zeros_p_value",
        message("Number of zero totals (posterior predictive p-value)"),
        message("Are as many totals zero as the family expects?"),
    ),
    (
        "extremes_p_value",
        message("Largest residual (posterior predictive p-value)"),
        message("Is the most surprising total one that the family can explain?"),
    ),
    (
        "size_spread_p_value",
        message("Spread of small and of large totals (posterior predictive p-value)"),
        message("Does noise grow with the size of a total as the family says?"),
    ),
    (
        "levels_p_value_",
        message("Totals by {what} (posterior predictive p-value)"),
        message("Do the totals of each level lie around their expectations?"),
    ),
    (
        "lift_conflict_p_value",
        message("Lift tests against totals and priors (tail probability)"),
        message("Did the experiments measure what the model expects without them?"),
    ),
    (
        "lift_agreement_p_value",
        message("Lift tests against each other (tail probability)"),
        message("Do the experiments agree, given the totals?"),
    ),
    ("chains", message("Number of chains"), message("Are there enough chains to disagree?")),
    (
        "approximate",
        message("Approximation"),
        message("Was the posterior approximated instead of sampled? Then this always warns."),
    ),
    (
        "modes_not_found_fraction",
        message("Fraction of modes that were not found"),
        message("Did the search arrive, from which the approximation is made?"),
    ),
    (
        "independent_draws",
        message("Number of independent draws"),
        message("Are there enough draws for the ends of intervals?"),
    ),
    (
        "mean_correction",
        message("Correction of the mean, in posterior sds"),
        message("Are the effects near enough to a normal law?"),
    ),
    (
        "effective_points_fraction",
        message("Effective fraction of the points of the parameters"),
        message("Do the points cover where the parameters may be?"),
    ),
    (
        "pareto_k_hyperparameters",
        message("Pareto k of the weights of the points"),
        message("Does no single point of the parameters decide?"),
    ),
    (
        "pareto_k_joint",
        message("Pareto k of the weights of the draws"),
        message("Can draws be weighted by the exact density? With many effects often not."),
    ),
    (
        "start_remembered",
        message("Correlation of the draws with their starts"),
        message("Have the draws forgotten the approximation that they started from?"),
    ),
    (
        "evidence_bound_rise",
        message("Rise of the evidence bound at the end, in standard errors"),
        message("Had the search for the law arrived?"),
    ),
    (
        "evidence_bound_loss",
        message("Fall of the evidence bound below its best, in standard errors"),
        message("Did the search end where it was best?"),
    ),
    (
        "largest_shift",
        message("Largest move of the mean that is left, in sds"),
        message("Is the law's centre where its bound is highest?"),
    ),
    (
        "failed_paths_fraction",
        message("Fraction of paths that failed"),
        message("Did the paths of the optimiser lead somewhere?"),
    ),
    (
        "distinct_draws",
        message("Number of different draws"),
        message("Are there enough different draws after resampling?"),
    ),
    (
        "pareto_k",
        message("Pareto k of the approximating law"),
        message("Is the law near the posterior? Small values do not prove it."),
    ),
    (
        "worst_residual",
        message("Largest relative residual of the equations solved"),
        message("Were the equations of the effects solved closely enough?"),
    ),
    (
        "check_rates_rms",
        message("Rates against sampling, in posterior sds (root mean square)"),
        message("Are means near those of sampling, on a block of the data?"),
    ),
    (
        "check_rates_sd_ratio",
        message("Spread of rates against sampling (ratio)"),
        message("Are rates as uncertain as they are when sampled?"),
    ),
    (
        "check_parameters_worst",
        message("Parameters against sampling, the worst, in posterior sds"),
        message("Are the parameters above the entities near those of sampling?"),
    ),
    (
        "check_shares_worst",
        message("Shares against sampling, the worst, in posterior sds"),
        message("Are shares near those of sampling?"),
    ),
)


_MEASURED: Final = {
    "parameters": message("parameters"),
    "rates": message("rates"),
    "shares": message("shares"),
}
"""What is checked for convergence; elsewhere the name of a check ends with a name of the user's."""


def describe_check_name(name: str, *, language: Language = ENGLISH) -> tuple[str, str]:
    """Return what a check measures, and the question that it answers.

    Parameters
    ----------
    name : str
        Name of a check, such as ``"max_rhat_shares"``.
    language : Language
        Language of the reader.

    Returns
    -------
    tuple of str
        Such as ``("Largest R-hat of shares", "Do the chains agree? ...")``; for an unknown check
        its name in words and an empty question.
    """
    for prefix, label, question in _CHECKS:
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            what = language.text(_MEASURED[rest]) if rest in _MEASURED else rest
            return language.text(label, what=what), language.text(question)
    return title_of(name), ""


def title_of(name: str) -> str:
    """Return a name in words, first letter large: ``coupon_campaigns`` is 'Coupon campaigns'."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def moment(text: str) -> str:
    """Return an ISO time to the minute: ``2026-11-22 10:00 UTC``; any other text as given."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return printable(text)
    return f"{time:%Y-%m-%d %H:%M} {time.tzname() or ''}".strip()
