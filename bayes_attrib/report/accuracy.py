"""Errors of the posterior and of the baselines against a known truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_attrib.report.language import ENGLISH, Language, message
from bayes_attrib.report.scores import is_covered, shares_of, total_variation

_COLUMNS = {
    message("posterior"): "amount_mean",
    message("EM"): "em_amount",
    message("proportional"): "proportional_amount",
}


@dataclass(frozen=True, slots=True)
class MethodError:
    """Error of one method at one level.

    Attributes
    ----------
    method : str
        "posterior", "EM" or "proportional", in the language of the reader.
    total_variation : float
        Distance of its shares from the true shares; NaN where the method has no result.
    n_covered : int or None
        Number of intervals of the amount that hold the truth; None for methods without intervals.
    n : int
        Number of entities or roll-ups that were compared.
    """

    method: str
    total_variation: float
    n_covered: int | None
    n: int


def score_level(rows: pd.DataFrame, *, language: Language = ENGLISH) -> tuple[MethodError, ...]:
    """Score every method on the rows of one level.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``attribution.csv`` of one level.
    language : Language
        Language of the reader.

    Returns
    -------
    tuple of MethodError
        Posterior, EM, proportional; empty where a true amount is missing or all of them are zero.
    """
    truth = rows["truth_amount"].to_numpy(dtype=np.float64)
    if not len(truth) or not np.isfinite(truth).all() or truth.sum() <= 0:
        return ()
    covered = int(is_covered(rows["amount_lower"], rows["amount_upper"], truth).sum())
    return tuple(
        MethodError(
            language.text(method),
            _distance(rows[column].to_numpy(dtype=np.float64), truth),
            covered if column == "amount_mean" else None,
            len(truth),
        )
        for method, column in _COLUMNS.items()
    )


def _distance(amounts: np.ndarray, truth: np.ndarray) -> float:
    if not np.isfinite(amounts).all() or amounts.sum() <= 0:
        return float("nan")
    return total_variation(shares_of(amounts), shares_of(truth))
