"""Sentences of the page of a mix model."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import Language
from bayes_attrib.report.mmm_page.rows import amount_spread, share_spread, spread
from bayes_attrib.report.mmm_page.run import MmmFolder


def verdict_words(run: MmmFolder, language: Language) -> tuple[str, str]:
    """Return the verdict in a word and in a sentence."""
    verdict = run.diagnostics["verdict"]
    if verdict == "ok":
        return (
            language.text("The fit converged."),
            language.text("All checks of the sampler are well."),
        )
    if verdict == "warn":
        return (
            language.text("The fit converged, with warnings."),
            language.text("Read the checks below before you use the numbers."),
        )
    return (
        language.text("Not converged: do not use."),
        language.text(
            "Chains disagree or draws are too few. Sample longer, or simplify the model."
        ),
    )


def answer(channels: pd.DataFrame, language: Language) -> list[Markup]:
    """Return one sentence for each channel, the largest contribution first."""
    whole = channels[channels["geo"] == ""].sort_values("contribution_mean", ascending=False)
    return [
        language.html(
            "{channel} brought {amount}, {share} of the target. A unit of spend brought {roas}; "
            "the last unit brings {marginal}.",
            channel=Markup("<b><bdi>{}</bdi></b>").format(printable(row["channel"])),
            amount=amount_spread(row, "contribution", language),
            share=share_spread(row, language),
            roas=spread(row, "roas", language),
            marginal=spread(row, "marginal_roas", language),
        )
        for _, row in whole.iterrows()
    ]


def describe_model(run: MmmFolder, language: Language) -> list[str]:
    """Return what was fitted, in sentences."""
    spec, summary = run.spec, run.summary
    adstocks = {
        "geometric": language.text("geometric"),
        "delayed": language.text("delayed"),
        "weibull_pdf": language.text("Weibull density"),
        "weibull_cdf": language.text("Weibull survival"),
        "none": language.text("none"),
    }
    curves = {
        "hill": language.text("Hill"),
        "logistic": language.text("logistic"),
        "michaelis_menten": language.text("Michaelis-Menten"),
        "tanh": language.text("hyperbolic tangent"),
        "none": language.text("none"),
    }
    found = [
        language.text(
            "{channels} channels over {periods} periods, {first} to {last}, fitted by "
            "pymc-marketing {version}.",
            channels=language.number(len(summary["channels"])),
            periods=language.number(summary["n_periods"]),
            first=summary["first_period"],
            last=summary["last_period"],
            version=run.manifest["upstream"],
        ),
        language.text(
            "Carry-over: {adstock}, up to {l_max} periods. Saturation: {curve}.",
            adstock=adstocks[spec.adstock.kind],
            l_max=language.number(spec.adstock.l_max),
            curve=curves[spec.saturation.kind],
        ),
    ]
    if summary["geos"]:
        found.append(language.text("{n} geos.", n=language.number(len(summary["geos"]))))
    if summary["controls"]:
        named = ", ".join(printable(name) for name in summary["controls"])
        found.append(language.text("Controls: {names}.", names=named))
    if spec.baseline.yearly_seasonality:
        found.append(
            language.text(
                "Season: {n} pairs of waves over the year.",
                n=language.number(spec.baseline.yearly_seasonality),
            )
        )
    return found


def residual_words(run: MmmFolder, language: Language) -> list[str]:
    """Return what residuals say of the model."""
    found = run.summary["residuals"]
    return [
        language.text(
            "Durbin-Watson {value} (2 without autocorrelation); Ljung-Box over {lags} lags: "
            "p = {p}. A small p says that neighbouring periods err together, and that intervals "
            "are too narrow.",
            value=language.number(found["durbin_watson"], 2),
            lags=language.number(found["ljung_box_lags"]),
            p=language.number(found["ljung_box_p"], 3),
        ),
        language.text(
            "Skewness {skewness}, excess kurtosis {kurtosis}; Jarque-Bera: p = {p}. A small p says "
            "that errors are not normal.",
            skewness=language.number(found["skewness"], 2),
            kurtosis=language.number(found["excess_kurtosis"], 2),
            p=language.number(found["jarque_bera_p"], 3),
        ),
    ]


def limits(language: Language) -> list[str]:
    """Return what a reader must not take this for."""
    return [
        language.text(
            "A mix model reads effects off how spend varied over time. Whatever moved with spend "
            "and is not among the controls is counted as its effect. Only an experiment settles it."
        ),
        language.text(
            "ROAS counts what spend brings after the last period too; contributions are those "
            "within the periods. Periods before the first carry nothing over."
        ),
        language.text(
            "Marginal ROAS is what one more unit brings, spread over periods as spend was, by the "
            "derivative of the whole chain of carry-over and saturation."
        ),
        language.text(
            "Least squares and ridge regression have no intervals, and stand here for comparison "
            "only."
        ),
    ]
