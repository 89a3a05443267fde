"""Tables of credit: one row per method and touchpoint, and one row per touchpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.journeys.build import Journeys
from bayes_attrib.journeys.coalitions import find_coalitions
from bayes_attrib.journeys.credit import Credit, settle
from bayes_attrib.journeys.events import Events


@dataclass(frozen=True, eq=False)
class Presence:
    """How often touchpoints occur.

    Attributes
    ----------
    touches : ndarray of float, shape (n_touchpoints,)
        All touches, those outside of all windows among them.
    journeys, converting : ndarray of float, shape (n_touchpoints,)
        Journeys that hold the touchpoint, and those of them that convert.
    """

    touches: FloatArray
    journeys: FloatArray
    converting: FloatArray


def count_presence(events: Events, journeys: Journeys) -> Presence:
    """Count touches and journeys of every touchpoint.

    Parameters
    ----------
    events : Events
        All touches.
    journeys : Journeys
        Journeys made from them.

    Returns
    -------
    Presence
        Counts.
    """
    n_points = len(events.touchpoints)
    touches = np.bincount(events.touches.touchpoint, minlength=n_points)
    touched = journeys.select(journeys.lengths > 0)
    flags = np.column_stack([np.ones(len(touched)), touched.converts])
    found = find_coalitions(touched, flags)
    held = np.repeat(found.outcomes, found.sizes, axis=0)
    all_, converting = (
        np.bincount(found.members, c, minlength=n_points).astype(np.float64) for c in held.T
    )
    return Presence(touches.astype(np.float64), all_, converting)


def tabulate_credit(
    credits_: tuple[Credit, ...],
    presence: Presence,
    touchpoints: tuple[str, ...],
    groups: Mapping[str, tuple[str, ...]],
) -> pd.DataFrame:
    """Return one row per method, outcome and touchpoint, and per group of touchpoints.

    Parameters
    ----------
    credits_ : tuple of Credit
        Credit by every method.
    presence : Presence
        How often touchpoints occur.
    touchpoints : tuple of str
        Their names.
    groups : mapping of str to tuple of str
        For each grouping column, the group of every touchpoint.

    Returns
    -------
    DataFrame
        ``method``, ``outcome``, ``level`` (``"entity"`` or a grouping column), ``name``,
        ``touches``, ``journeys``, ``converting_journeys`` (of touchpoints), ``amount``, ``share``
        of the whole outcome, ``amount_se`` where a value was sampled. Of each method, outcome and
        level, amounts add up to the whole outcome; its part without a touch is a row of its own.
    """
    parts = []
    for credit in credits_:
        parts.append(_rows(credit, names.ENTITY, touchpoints, credit.amounts, presence))
        for column, group in groups.items():
            labels, inverse = np.unique(np.asarray(group, dtype=object), return_inverse=True)
            added = np.bincount(inverse, weights=credit.amounts, minlength=len(labels))
            exact = settle(added.astype(np.float64), credit.unattributed, credit.total)
            touches = np.bincount(inverse, weights=presence.touches)
            rows = _rows(credit, column, tuple(labels), exact, None)
            parts.append(rows.assign(touches=[*touches, np.nan]))
    return pd.concat(parts, ignore_index=True)


def _rows(
    credit: Credit,
    level: str,
    labels: tuple[str, ...],
    amounts: FloatArray,
    presence: Presence | None,
) -> pd.DataFrame:
    unknown = np.full(len(labels), np.nan)
    errors = credit.standard_errors if presence is not None else None
    amount = np.append(amounts, credit.unattributed)
    frame = {
        "method": credit.method,
        "outcome": credit.outcome,
        "level": level,
        "name": [*labels, names.UNATTRIBUTED],
        "touches": np.append(unknown if presence is None else presence.touches, np.nan),
        "journeys": np.append(unknown if presence is None else presence.journeys, np.nan),
        "converting_journeys": np.append(
            unknown if presence is None else presence.converting, np.nan
        ),
        "amount": amount,
        "share": amount / credit.total if credit.total else np.zeros(len(amount)),
        "amount_se": np.append(unknown if errors is None else errors, np.nan),
    }
    return pd.DataFrame(frame)


def widen_credit(table: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Return one row per touchpoint or group, with columns for every method.

    Parameters
    ----------
    table : DataFrame
        As :func:`tabulate_credit` returns it.
    outcome : {"conversions", "value"}
        Which outcome.

    Returns
    -------
    DataFrame
        ``level``, ``name``, ``exposure`` (touches), and ``<method>_amount``, ``<method>_share``.
    """
    rows = table[table["outcome"] == outcome]
    methods = rows["method"].unique()
    first = rows[rows["method"] == methods[0]]
    wide = first[["level", "name"]].reset_index(drop=True)
    wide[names.EXPOSURE] = first["touches"].to_numpy()
    for method in methods:
        of_method = rows[rows["method"] == method]
        for what in ("amount", "share"):
            wide[f"{method}_{what}"] = of_method[what].to_numpy()
    return wide
