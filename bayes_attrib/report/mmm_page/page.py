"""The page of a mix model, from the files of its run folder alone."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from markupsafe import Markup

from bayes_attrib.mmm_fit import files
from bayes_attrib.report import labels, narrative
from bayes_attrib.report.html import page_environment, read_template
from bayes_attrib.report.language import Language
from bayes_attrib.report.mmm_page.figures import (
    plot_components,
    plot_curves,
    plot_predictions,
    plot_residuals,
    svg,
)
from bayes_attrib.report.mmm_page.rows import (
    accuracy_rows,
    channel_rows,
    check_rows,
    classical_rows,
    collinearity_rows,
    forecast_rows,
    lift_rows,
    parameter_rows,
    predictive_rows,
)
from bayes_attrib.report.mmm_page.run import MmmFolder
from bayes_attrib.report.mmm_page.sentences import (
    answer,
    describe_model,
    limits,
    residual_words,
    verdict_words,
)


def render_mmm_page(folder: Path, language: Language | None = None) -> str:
    """Render the page of a mix model's run.

    Parameters
    ----------
    folder : Path
        A finished run.
    language : Language, optional
        Of the reader; that of the spec where it is not given.

    Returns
    -------
    str
        A whole HTML document, without network or script. Equal runs give equal pages.

    Raises
    ------
    RunFolderError
        If the folder holds no run of a mix model.
    """
    run = MmmFolder(folder)
    spoken = language or Language(run.spec.report.locale)
    style = read_template("report.css")
    return (
        page_environment()
        .get_template("mmm.html.j2")
        .render(style=Markup(style), **_facts(run, spoken))  # noqa: S704 - our own file
    )


def _facts(run: MmmFolder, language: Language) -> dict[str, Any]:
    spec, interval = run.spec, run.spec.report.interval
    channels = run.table(files.CHANNELS)
    return {
        "language": language,
        "spec": spec,
        "run": run,
        "title": spec.report.title or labels.title_of(spec.name),
        "verdict": run.diagnostics["verdict"],
        "verdict_text": verdict_words(run, language),
        "answer": answer(channels, language),
        "model": describe_model(run, language),
        "limits": limits(language),
        "residuals": residual_words(run, language),
        "interval_words": narrative.interval_words(interval, language=language),
        "channels": channel_rows(channels, spec, language),
        "accuracy": accuracy_rows(run.table(files.ACCURACY), language),
        "predictive": predictive_rows(run.table(files.PREDICTIVE), language),
        "collinearity": collinearity_rows(run.table(files.COLLINEARITY), language),
        "classical": classical_rows(run.table(files.CLASSICAL), language),
        "parameters": parameter_rows(run.table(files.PARAMETERS), language),
        "lift_tests": _optional(run, files.LIFT_TESTS, lift_rows, language),
        "forecast": _optional(run, files.FORECAST_CHANNELS, forecast_rows, language),
        "checks": check_rows(run, language),
        "findings": run.diagnostics["findings"],
        "figures": _figures(run, language),
    }


def _optional(run: MmmFolder, name: str, rows: Any, language: Language) -> Any:
    return rows(run.table(name), language) if run.has(name) else None


def _figures(run: MmmFolder, language: Language) -> dict[str, Markup]:
    found = {
        "predictions": plot_predictions(run.table(files.PREDICTIONS), language),
        "components": plot_components(run.table(files.COMPONENTS), language),
        "curves": plot_curves(run.table(files.CURVES), language),
        "residuals": plot_residuals(
            run.table(files.AUTOCORRELATION), run.table(files.QUANTILES), language
        ),
    }
    if run.has(files.FORECAST):
        ahead = run.table(files.FORECAST).assign(target=float("nan"))
        found["forecast"] = plot_predictions(ahead, language)
    return {name: _embedded(svg(figure)) for name, figure in found.items()}


def _embedded(image: bytes) -> Markup:
    encoded = base64.b64encode(image).decode()
    return Markup(f"data:image/svg+xml;base64,{encoded}")  # noqa: S704 - base64 alone
