"""One self-contained page about what priors claim."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from bayes_attrib import names
from bayes_attrib.inference.prior import PriorDraws
from bayes_attrib.report import labels, narrative
from bayes_attrib.report.html import page_environment, read_template
from bayes_attrib.report.prior_claims import NOT_A_FIT, describe_parameters, describe_prior
from bayes_attrib.report.prior_figures import layout_quantiles, layout_rates, layout_shares
from bayes_attrib.report.prior_summary import PriorSummary
from bayes_attrib.spec import IntervalSpec, PriorSpec


def render_prior_html(
    prior: PriorDraws, summary: PriorSummary, priors: Mapping[str, PriorSpec]
) -> str:
    """Render the page about a prior.

    Parameters
    ----------
    prior : PriorDraws
        Draws.
    summary : PriorSummary
        Their summary.
    priors : mapping of str to PriorSpec
        Prior of every parameter, defaults included.

    Returns
    -------
    str
        A whole HTML document; equal draws give equal pages.
    """
    spec, data = prior.spec, prior.data
    return (
        page_environment()
        .get_template("prior.html.j2")
        .render(
            style=Markup(read_template("report.css")),  # noqa: S704 - our own file
            verdict="prior",
            spec=spec,
            data=data,
            title=spec.report.title or labels.title_of(spec.name),
            summary=summary,
            not_a_fit=NOT_A_FIT,
            claims=describe_prior(summary, spec),
            interval_words=narrative.interval_words(IntervalSpec(kind="eti", prob=summary.prob)),
            quantiles=layout_quantiles(summary.quantiles),
            rates=layout_rates(prior.draws(names.RATE) / data.reference_rate),
            shares=layout_shares(summary.rows("share")),
            parameters=describe_parameters(summary, spec, priors),
        )
    )
