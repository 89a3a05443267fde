"""Rows of the tables on the page of a mix model, as text in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.report import labels
from bayes_attrib.report.language import Language
from bayes_attrib.report.mmm_page.run import MmmFolder
from bayes_attrib.report.page.scale import compact

Row = Mapping[str, Any] | pd.Series
Rows = list[list[str]]

_SHORT_FROM: Final = 1e4


def short(value: float, language: Language) -> str:
    """Return an amount in a short form: 950, 3.21, 12.3K, 1.5M."""
    if abs(value) >= _SHORT_FROM:
        return compact(language, value)
    return language.significant(value if abs(value) < 1 else float(f"{value:.4g}"))


def spread(row: Row, prefix: str, language: Language, *, digits: int = 3) -> str:
    """Return a mean with its interval in brackets."""
    mean, lower, upper = (
        language.significant(float(row[f"{prefix}_{name}"]), digits)
        for name in ("mean", "lower", "upper")
    )
    return f"{mean} ({lower} … {upper})"


def amount_spread(row: Row, prefix: str, language: Language) -> str:
    """Return a mean with its interval in brackets, in short numbers."""
    mean, lower, upper = (
        short(float(row[f"{prefix}_{name}"]), language) for name in ("mean", "lower", "upper")
    )
    return f"{mean} ({lower} … {upper})"


def share_spread(row: Row, language: Language) -> str:
    """Return a share with its interval in brackets."""
    mean, lower, upper = (
        language.percent(float(row[f"share_{name}"])) for name in ("mean", "lower", "upper")
    )
    return f"{mean} ({lower} … {upper})"


def channel_rows(table: pd.DataFrame, spec: MmmSpec, language: Language) -> Rows:
    """Return what each channel spent and brought; places after their sum.

    Parameters
    ----------
    table : DataFrame
        ``channels.csv``.
    spec : MmmSpec
        Tells whether there are places.
    language : Language
        Of the reader.

    Returns
    -------
    list of list of str
        Channel, place where there are any, spend, contribution, share, ROAS, marginal ROAS.
    """
    found = []
    for _, row in table.iterrows():
        place = [row["geo"] or language.text("all together")] if spec.columns.geo else []
        found.append(
            [
                row["channel"],
                *place,
                short(float(row["spend"]), language),
                amount_spread(row, "contribution", language),
                share_spread(row, language),
                spread(row, "roas", language),
                spread(row, "marginal_roas", language),
            ]
        )
    return found


def accuracy_rows(table: pd.DataFrame, language: Language) -> Rows:
    """Return the scores of predictions, window by window."""
    words = {
        "in_sample": language.text("fitted periods"),
        "holdout": language.text("hold-out"),
        "mmm": language.text("mix model"),
        "seasonal_naive": language.text("same period one season before"),
    }
    found = []
    for _, row in table.iterrows():
        window = words.get(row["window"]) or language.text(
            "rolling origin {number}", number=row["window"].rpartition("_")[2]
        )
        found.append(
            [
                window,
                f"{row['first']} – {row['last']}",
                words[row["method"]],
                language.number(float(row["r2"]), 3),
                language.percent(float(row["mape"])),
                language.significant(float(row["rmse"])),
                language.significant(float(row["crps"])),
                language.percent(float(row["coverage_50"]), 0),
                language.percent(float(row["coverage"]), 0),
            ]
        )
    return found


def predictive_rows(table: pd.DataFrame, language: Language) -> Rows:
    """Return predictive checks of prior and posterior."""
    laws = {"prior": language.text("prior"), "posterior": language.text("posterior")}
    statistics = {
        "mean": language.text("mean"),
        "standard_deviation": language.text("standard deviation"),
        "smallest": language.text("smallest"),
        "largest": language.text("largest"),
        "autocorrelation": language.text("autocorrelation of neighbours"),
    }
    return [
        [
            laws[row["law"]],
            statistics[row["statistic"]],
            language.significant(float(row["observed"])),
            (
                f"{language.significant(float(row['lower']))} … "
                f"{language.significant(float(row['upper']))}"
            ),
            language.number(float(row["p"]), 3),
        ]
        for _, row in table.iterrows()
    ]


def collinearity_rows(table: pd.DataFrame, language: Language) -> Rows:
    """Return how well spends are told by one another."""
    return [
        [
            row["channel"],
            language.significant(float(row["vif"])),
            row["closest"],
            language.number(float(row["correlation"]), 2),
        ]
        for _, row in table.iterrows()
    ]


def classical_rows(table: pd.DataFrame, language: Language) -> Rows:
    """Return what classical fits make of each channel."""
    words = {
        "least_squares": language.text("least squares"),
        "ridge": language.text("ridge regression"),
    }
    return [
        [
            words[row["method"]],
            row["channel"],
            short(float(row["contribution"]), language),
            language.significant(float(row["roas"])),
            language.number(float(row["decay"]), 2),
            language.significant(float(row["half_saturation"])),
            language.number(float(row["slope"]), 2),
            language.significant(float(row["rmse"])),
        ]
        for _, row in table.iterrows()
    ]


def parameter_rows(table: pd.DataFrame, language: Language) -> Rows:
    """Return all parameters with their priors and how well they were sampled."""
    return [
        [
            row["name"],
            language.significant(float(row["mean"])),
            (
                f"{language.significant(float(row['lower']))} … "
                f"{language.significant(float(row['upper']))}"
            ),
            str(row["prior"]) if isinstance(row["prior"], str) else "",
            language.number(float(row["rhat"]), 3),
            language.number(float(row["ess_bulk"])),
            language.number(float(row["ess_tail"])),
        ]
        for _, row in table.iterrows()
    ]


def lift_rows(table: pd.DataFrame, language: Language) -> Rows:
    """Return lift tests beside what the model makes of them."""
    places = list(table.columns[1 : list(table.columns).index("x")])
    return [
        [
            " · ".join([str(row["channel"]), *(str(row[name]) for name in places)]),
            short(float(row["x"]), language),
            short(float(row["delta_x"]), language),
            (
                f"{language.significant(float(row['delta_y']))} ± "
                f"{language.significant(float(row['sigma']))}"
            ),
            spread(row, "model_lift", language),
            language.number(float(row["z"]), 2),
        ]
        for _, row in table.iterrows()
    ]


def forecast_rows(table: pd.DataFrame, language: Language) -> Rows:
    """Return what planned spend is expected to bring."""
    return [
        [
            row["channel"],
            short(float(row["spend"]), language),
            amount_spread(row, "contribution", language),
            language.text("beyond observed spend") if str(row["extrapolates"]) == "True" else "",
        ]
        for _, row in table.iterrows()
    ]


def check_rows(run: MmmFolder, language: Language) -> list[tuple[str, str, str, str, str]]:
    """Return checks: name, value, bound, status, and the worst quantity."""
    found = []
    for check in run.diagnostics["checks"]:
        value = check["value"]
        shown = language.text("not a number") if value is None else language.significant(value)
        sign = "≤" if check["comparison"] == "<=" else "≥"
        name = labels.printable(check["name"].replace("_", " "))
        bound = f"{sign} {language.significant(check['threshold'])}"
        found.append((name, shown, bound, check["status"], check["detail"]))
    return found
