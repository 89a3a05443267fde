"""A case: fit, split, and score it beside the baselines."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.attribution.intervals import interval_of
from bayes_attrib.report.scores import is_covered
from below_channel.commands import Split, paired_amounts
from below_channel.known_error import LEVEL_SD, draw_known_error
from below_channel.reported import METRICS, Reported
from below_channel.scores import INTERVAL, score_draws, score_point

FloatArray = npt.NDArray[np.float64]


def score_case(reported: Reported, split: Split, truth: FloatArray) -> dict[str, Any]:
    """Score a split and the baselines.

    Parameters
    ----------
    reported : Reported
        Reports of campaigns.
    split : Split
        The channel, split.
    truth : ndarray, shape (n_days of the window, n_campaigns)
        True amounts.

    Returns
    -------
    dict
        Scores of shares by method, true shares, the fit's verdict, and what became of amounts.
    """
    true = truth.sum(axis=0)
    share = true / true.sum()
    amounts = split.amounts()
    shares = amounts / amounts.sum(axis=0)
    found = {
        "posterior": score_draws(shares, share),
        "EM": _score(split.em, share),
        "by exposure": _score(split.proportional, share),
    }
    means = split.total_draws.mean(axis=1)
    for name in METRICS:
        metric = reported.metrics[name]
        found[f"by {name}"] = _score(metric.sum(axis=0), share)
        found[f"by {name}, daily"] = _score(_split_daily(metric[split.days], means), share)
    lower, upper = interval_of(shares, INTERVAL)
    return {
        "scores": found,
        "campaigns": reported.campaigns,
        "truth": share.tolist(),
        "mean": shares.mean(axis=1).tolist(),
        "lower": lower.tolist(),
        "upper": upper.tolist(),
        "splits": {
            name: (reported.metrics[name].sum(axis=0) / reported.metrics[name].sum()).tolist()
            for name in METRICS
        },
        "off_table": float(np.max(np.abs(split.table["share_mean"] - shares.mean(axis=1)))),
        "verdict": split.verdict,
        "decay": split.decay,
        "amounts": score_amounts(split, truth),
    }


def score_amounts(split: Split, truth: FloatArray) -> dict[str, float]:
    """Count 94% intervals of amounts that hold the truth, of the channel and of campaigns."""
    true = truth.sum(axis=0)
    totals = split.total_draws.sum(axis=0)
    return {
        "total": float(true.sum()),
        "mix_model_mean": float(totals.mean()),
        "mix_model_sd": float(totals.std()),
        "total_covered": _covered(totals[np.newaxis], true.sum(keepdims=True)),
        "covered": _covered(split.amounts(), true),
    }


def score_known_error(split: Split, truth: FloatArray, seed: int) -> dict[str, float]:
    """The same as :func:`score_amounts`, where totals are the truth with an error of known law."""
    drawn = draw_known_error(truth[split.days].sum(axis=1), seed)
    amounts = paired_amounts(split.rates, split.exposure, drawn)
    true = truth[split.days].sum(axis=0)
    shares = amounts / amounts.sum(axis=0)
    totals = drawn.sum(axis=0)
    return {
        "level_sd": LEVEL_SD,
        "total_covered": _covered(totals[np.newaxis], true.sum(keepdims=True)),
        "covered": _covered(amounts, true),
        "crps": score_draws(shares, true / true.sum())["crps"],
    }


def _covered(draws: FloatArray, truth: FloatArray) -> int:
    lower, upper = interval_of(draws, INTERVAL)
    return int(is_covered(lower, upper, truth).sum())


def _score(amounts: FloatArray, share: FloatArray) -> dict[str, float]:
    return score_point(amounts / amounts.sum(), share)


def _split_daily(metric: FloatArray, totals: FloatArray) -> FloatArray:
    """Split each day's total in proportion to the day's metric; days without any are left out."""
    sums = metric.sum(axis=1)
    per_unit = np.divide(totals, sums, out=np.zeros_like(totals), where=sums > 0)
    return np.asarray(metric.T @ per_unit)


def mean_scores(cases: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the mean of each score over cases, one row per method; covered is a sum."""
    rows = pd.concat(
        {number: pd.DataFrame(case["scores"]).T for number, case in enumerate(cases)},
        names=["case", "method"],
    )
    means = rows.groupby("method", sort=False).mean()
    means["covered"] = rows["covered"].groupby("method", sort=False).sum(min_count=1)
    return means
