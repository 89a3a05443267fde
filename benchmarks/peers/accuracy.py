"""How far moments are from those of a long run of NUTS, and whether samplers agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from peers.problem import FloatArray

FALSE_ALARM = 1e-3
"""Probability that two samplers of the same posterior are said to differ, per comparison."""


def errors(moments: Path, reference: Path) -> dict[str, Any]:
    """Errors of an approximation in units of the reference's posterior sds.

    Parameters
    ----------
    moments, reference : Path
        Files that :func:`peers.measured.describe` wrote.
    """
    with np.load(moments) as ours, np.load(reference) as exact:
        error = (ours["mean"] - exact["mean"]) / exact["sd"]
        share = (ours["share_mean"] - exact["share_mean"]) / exact["share_sd"]
        hyper = (ours["hyper_mean"] - exact["hyper_mean"]) / exact["hyper_sd"]
        noise = np.sqrt(np.mean(1 / ours["size"] + 1 / exact["size"]))
        worst = int(np.abs(hyper[:3]).argmax())
        return {
            "rates_rms": float(np.sqrt(np.mean(error**2))),
            "rates_worst": float(np.abs(error).max()),
            "noise": float(noise),
            "sd_ratio": float(np.median(ours["sd"] / exact["sd"])),
            "shares_worst": float(np.abs(share).max()),
            "hyper_worst": float(abs(hyper[worst])),
            "hyper_worst_name": str(exact["hyper_names"][worst]),
        }


def agreement(moments: Path, reference: Path) -> dict[str, Any]:
    """Differences of posterior means in their Monte-Carlo standard errors.

    For rates, the largest of them, held against its law if every difference is standard normal: the
    probability of one as large is at least ``p_rates`` (Sidak, who takes them as independent; where
    they are not, that is the cautious side). Standard errors are sd over the root of the bulk
    effective sample size.
    """
    with np.load(moments) as ours, np.load(reference) as exact:
        rates = np.abs(_scores(ours, exact, ""))
        names = [str(name) for name in exact["hyper_names"]]
        hyper = dict(zip(names, _scores(ours, exact, "hyper_"), strict=True))
        p_rates = 1 - (1 - 2 * stats.norm.sf(rates.max())) ** len(rates)
        return {
            "z_rates_worst": float(rates.max()),
            "z_rates_rms": float(np.sqrt(np.mean(rates**2))),
            "p_rates": float(p_rates),
            "z_hyper": {name: float(z) for name, z in hyper.items()},
            "least_size": float(min(ours["size"].min(), ours["hyper_size"].min())),
        }


def _scores(ours: Any, exact: Any, which: str) -> FloatArray:
    variance = sum(m[f"{which}sd"] ** 2 / m[f"{which}size"] for m in (ours, exact))
    return np.asarray((ours[f"{which}mean"] - exact[f"{which}mean"]) / np.sqrt(variance))
