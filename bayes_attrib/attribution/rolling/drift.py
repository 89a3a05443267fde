"""Whether a fit still serves for new totals, and when to fit again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution.rolling.reweighting import Reweighted, reweight, shifts
from bayes_attrib.attribution.rolling.rolled import Rolled
from bayes_attrib.attribution.rolling.surprise import (
    FamilyTest,
    Figures,
    Surprise,
    compare_totals,
)
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import ModelSpec

Outcome = Literal["ok", "warn", "refit"]

WARN_P: Final = 0.05
REFIT_P: Final = 0.01
"""P-values of the joint test below which the reader is warned, or told to fit again: so often that
happens where nothing has changed."""

WARN_SHIFT: Final = 1.0
REFIT_SHIFT: Final = 2.0
"""How far, in posterior standard deviations, the new totals may move a share."""

WARN_UNSEEN: Final = 0.05
REFIT_UNSEEN: Final = 0.20
"""Part of the exposure behind the new totals that may belong to entities never seen."""

FEWEST_REPLICATES: Final = 2000
_MOST_ELEMENTS: Final = 2**24
_MOST_FIGURES: Final = 300


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that was looked at.

    Attributes
    ----------
    code : str
        Stable name: ``"totals"``, ``"weights"``, ``"shift"`` or ``"unseen"``.
    outcome : {"ok", "warn", "refit"}
        What it asks for.
    value : float or None
        The figure; None where it is not finite.
    warn, refit : float or None
        Limits of the figure; None where there is none.
    message : str
        What was found, as a sentence.
    """

    code: str
    outcome: Outcome
    value: float | None
    warn: float | None
    refit: float | None
    message: str


@dataclass(frozen=True, eq=False)
class DriftReport:
    """What new totals say about the fit that splits them.

    Attributes
    ----------
    reasons : tuple of Reason
        Every check, those that found nothing included.
    surprise : Surprise or None
        New totals beside totals that the fit foretells; None for totals without a law.
    reweighted : Reweighted
        The draws, weighted by the new totals.
    totals : DataFrame, shape (n_exposed, any)
        Keys, ``total``, ``foretold_mean``, ``foretold_lower``, ``foretold_upper`` and ``pit``.
    shifts : DataFrame, shape (n_rows, 6)
        ``level``, ``name``, ``share`` and ``share_if_refitted`` of the new totals, ``share_sd``,
        and ``shift`` in such standard deviations.
    unseen : tuple of str
        Entities that the fit has never seen, with groups that it has never seen.
    """

    reasons: tuple[Reason, ...]
    surprise: Surprise | None
    reweighted: Reweighted
    totals: pd.DataFrame
    shifts: pd.DataFrame
    unseen: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of all reasons."""
        found = {reason.outcome for reason in self.reasons}
        return "refit" if "refit" in found else "warn" if "warn" in found else "ok"

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        finite = self.reweighted.pareto_k if math.isfinite(self.reweighted.pareto_k) else None
        return {
            "schema_version": 1,
            "verdict": self.outcome,
            "reasons": [asdict(reason) for reason in self.reasons],
            "joint_test": None if self.surprise is None else _test_facts(self.surprise),
            "reweighting": {
                "pareto_k": finite,
                "pareto_k_limit": self.reweighted.threshold,
                "effective_draws": self.reweighted.effective_draws,
                "n_draws": len(self.reweighted.weights),
            },
            "totals": self.totals.to_dict("records"),
            "shifts": self.shifts.to_dict("records"),
            "unseen": list(self.unseen),
        }


def _test_facts(surprise: Surprise) -> dict[str, Any]:
    return {
        "p_value": surprise.p_value,
        "false_alarm_rate": {"warn": WARN_P, "refit": REFIT_P},
        "n_replicates": surprise.n_replicates,
        "families": [asdict(test) for test in surprise.families],
    }


def check_drift(
    rolled: Rolled, spec: ModelSpec, expected_amounts: DrawMatrix, rng: np.random.Generator
) -> DriftReport:
    """Ask whether the fit still serves for the new totals.

    Parameters
    ----------
    rolled : Rolled
        The fit on the new aggregates.
    spec : ModelSpec
        Family, and kind and probability of intervals.
    expected_amounts : DrawMatrix, shape (n_entities, n_draws)
        Expected amounts of the entities, given the new totals.
    rng : numpy.random.Generator
        Source of the replicates.

    Returns
    -------
    DriftReport
        Checks, limits and verdict.
    """
    family = get_family(spec.likelihood)
    data = rolled.data
    totals = data.totals[data.is_exposed]
    if not family.informs_rates:
        return _without_law(rolled, expected_amounts, totals)
    mu, noise = rolled.mean.totals(), dict(rolled.noise)
    if family.needs_herfindahl:
        noise[names.HERFINDAHL] = rolled.mean.sums_of_squares() / mu**2
    replicates = _replicates(mu, noise, family, rng)
    surprise = compare_totals(totals, replicates, _families(rolled, mu, replicates))
    reweighted = reweight(family.log_density(totals[:, np.newaxis], mu, noise))
    moved = _shift_table(rolled, expected_amounts, reweighted)
    reasons = (
        _judge_totals(surprise),
        *_judge_weights(reweighted, moved),
        _judge_unseen(rolled),
    )
    tail = (1.0 - spec.report.interval.prob) / 2.0
    lower, upper = np.quantile(replicates, [tail, 1.0 - tail], axis=1)
    table = data.aggregate_keys[data.is_exposed].reset_index(drop=True)
    table = table.assign(
        total=totals,
        foretold_mean=replicates.mean(axis=1),
        foretold_lower=lower,
        foretold_upper=upper,
        pit=surprise.pit,
    )
    return DriftReport(reasons, surprise, reweighted, table, moved, _unseen(rolled))


def _unseen(rolled: Rolled) -> tuple[str, ...]:
    rates = rolled.rates
    notes = zip(rates.entities, rates.is_new, rates.new_levels, strict=True)
    return tuple(f"{name} ({drawn})" if drawn else str(name) for name, new, drawn in notes if new)


def _without_law(rolled: Rolled, expected_amounts: DrawMatrix, totals: FloatArray) -> DriftReport:
    """Report on totals that say nothing about rates, so that they cannot contradict a fit."""
    n_draws = rolled.mean.n_draws
    reweighted = reweight(np.zeros((1, n_draws)))
    message = (
        "totals of the family 'given' have no law and say nothing about rates, so they cannot tell "
        "whether the fit still serves"
    )
    reasons = (Reason("totals", "ok", None, None, None, message), _judge_unseen(rolled))
    data = rolled.data
    table = data.aggregate_keys[data.is_exposed].reset_index(drop=True).assign(total=totals)
    moved = _shift_table(rolled, expected_amounts, reweighted)
    return DriftReport(reasons, None, reweighted, table, moved, _unseen(rolled))


def _replicates(mu: FloatArray, noise: Any, family: Any, rng: np.random.Generator) -> FloatArray:
    """Totals that the fit foretells, shape (n_exposed, n_replicates)."""
    n_aggregates, n_draws = mu.shape
    most = max(FEWEST_REPLICATES // 2, _MOST_ELEMENTS // n_aggregates)
    step = max(1, -(-n_draws // most))
    mu = mu[:, ::step]
    noise = {name: np.asarray(values)[..., ::step] for name, values in noise.items()}
    times = max(1, -(-FEWEST_REPLICATES // mu.shape[1]))
    return np.hstack([family.draw_totals(mu, noise, rng) for _ in range(times)])


def _families(rolled: Rolled, mu: FloatArray, replicates: FloatArray) -> list[Figures]:
    """What the joint test looks at: all together, their scatter, keys, groups, entities, each."""
    data = rolled.data
    keys = data.aggregate_keys[data.is_exposed]
    center = mu.mean(axis=1)
    scale = center / np.maximum(replicates.std(axis=1), 1e-300)
    found = [Figures("level", ["all totals"], scale[np.newaxis])]
    if len(center) > 1:
        found.append(Figures("scatter", ["all totals"], None))
        labels = data.aggregate_labels[data.is_exposed]
        found.append(Figures("aggregate", list(labels), np.eye(len(center))))
    for key in keys:
        codes, levels = pd.factorize(keys[key])
        if 1 < len(levels) < len(center):
            indicator = (codes == np.arange(len(levels))[:, np.newaxis]) * scale
            found.append(Figures(str(key), list(map(str, levels)), indicator))
    parts = _mean_parts(rolled, mu)  # (n_entities, n_exposed)
    for column, grouping in data.groupings.items():
        if 1 < len(grouping.levels) < data.n_entities:
            weights = (grouping.indicator @ parts) * scale
            found.append(Figures(column, list(grouping.levels), weights))
    if data.n_entities > 1:
        chosen = np.argsort(-(parts @ center), kind="stable")[:_MOST_FIGURES]
        found.append(
            Figures(names.ENTITY, list(map(str, data.entity_names[chosen])), parts[chosen] * scale)
        )
    return found


def _mean_parts(rolled: Rolled, mu: FloatArray) -> FloatArray:
    """Mean share of every entity in the expected total of every exposed aggregate."""
    data = rolled.data
    row = np.cumsum(data.is_exposed) - 1
    parts = np.zeros((data.n_entities, len(mu)))
    for block in rolled.mean.blocks():
        edge = np.arange(block.edges.start, block.edges.stop)
        rows = row[data.edge_aggregate[edge]]
        shares = rolled.mean.amounts(block.edges) / mu[rows]
        parts[data.edge_entity[edge], rows] = shares.mean(axis=1)
    return parts


def _shift_table(
    rolled: Rolled, expected_amounts: DrawMatrix, reweighted: Reweighted
) -> pd.DataFrame:
    data = rolled.data
    whole = data.grand_total
    shares = expected_amounts.rows(slice(None)) / whole
    levels = [(names.ENTITY, list(map(str, data.entity_names)), shares)]
    levels += [
        (column, list(grouping.levels), grouping.indicator @ shares)
        for column, grouping in data.groupings.items()
    ]
    parts = [
        pd.DataFrame(
            {
                "level": level,
                "name": labels,
                "share": draws.mean(axis=1),
                "share_if_refitted": reweighted.mean(draws),
                "share_sd": draws.std(axis=1),
                "shift": shifts(draws, reweighted),
            }
        )
        for level, labels, draws in levels
    ]
    return pd.concat(parts, ignore_index=True)


def _judge_totals(surprise: Surprise) -> Reason:
    p = surprise.p_value
    outcome: Outcome = "refit" if p < REFIT_P else "warn" if p < WARN_P else "ok"
    worst = min(surprise.families, key=lambda test: test.p_value)
    message = f"the new totals are what the fit foretells (joint test, p = {p:.2g})"
    if outcome != "ok":
        message = (
            f"the new totals are not what the fit foretells (joint test, p = {p:.2g}): "
            f"{_words(worst)}"
        )
    return Reason("totals", outcome, p, WARN_P, REFIT_P, message)


def _words(test: FamilyTest) -> str:
    side = "higher" if test.score > 0 else "lower"
    far = f"{abs(test.score):.1f} sd"
    if test.family == "level":
        return f"all together they are {side} by {far}"
    if test.family == "scatter":
        return f"they scatter more than foretold ({far} of the scatter)"
    if test.family == "aggregate":
        return f"the total of {test.label} is {side} by {far}"
    return f"those of {test.family} {test.label!r} are {side} by {far}"


def _judge_weights(reweighted: Reweighted, moved: pd.DataFrame) -> Iterator[Reason]:
    k, limit = reweighted.pareto_k, reweighted.threshold
    shown = f"{k:.2f}" if math.isfinite(k) else "not finite"
    good = reweighted.is_reliable
    message = (
        f"the draws of the fit cover what it would say with the new totals (Pareto k {shown}, "
        f"limit {limit:.2f})"
        if good
        else f"the draws of the fit do not cover what it would say with the new totals (Pareto k "
        f"{shown}, limit {limit:.2f}): they tell too much that is new"
    )
    value = k if math.isfinite(k) else None
    yield Reason("weights", "ok" if good else "refit", value, None, limit, message)
    if not good:
        return
    worst = moved.iloc[int(np.argmax(moved["shift"].abs().to_numpy()))]
    far = float(abs(worst["shift"]))
    outcome: Outcome = "refit" if far > REFIT_SHIFT else "warn" if far > WARN_SHIFT else "ok"
    what = f"{worst['level']} {worst['name']!r}"
    message = (
        f"with the new totals no share would move by more than {far:.2f} of its standard "
        f"deviation ({what})"
        if outcome == "ok"
        else f"with the new totals the share of {what} would move by {far:.2f} of its standard "
        "deviation"
    )
    yield Reason("shift", outcome, far, WARN_SHIFT, REFIT_SHIFT, message)


def _judge_unseen(rolled: Rolled) -> Reason:
    """Part of the exposure of entities never seen, aggregates weighted by their totals."""
    data = rolled.data
    new = rolled.is_new[data.edge_entity]
    own = data.edge_entity < data.n_attributable
    n = data.n_aggregates
    sums = [
        np.bincount(data.edge_aggregate, weights=data.exposure.data * chosen, minlength=n)
        for chosen in (new, own)
    ]
    part = np.divide(sums[0], sums[1], out=np.zeros(n), where=sums[1] > 0)
    value = float(np.average(part, weights=data.totals))
    outcome: Outcome = "refit" if value > REFIT_UNSEEN else "warn" if value > WARN_UNSEEN else "ok"
    count = int(rolled.is_new.sum())
    levels = len([note for note in rolled.rates.new_levels if note])
    message = (
        f"{100 * value:.1f}% of the exposure behind the new totals belongs to entities that the "
        f"fit has never seen ({count}, {levels} of them in groups never seen)"
        if count
        else "the fit has seen every entity behind the new totals"
    )
    return Reason("unseen", outcome, value, WARN_UNSEEN, REFIT_UNSEEN, message)
