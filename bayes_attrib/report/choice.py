"""What a choice among families found, as a table and in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bayes_attrib.inference.diagnostics import Check, Verdict
from bayes_attrib.inference.loo import LooResult
from bayes_attrib.inference.model_choice import RULE, Decision, strength
from bayes_attrib.inference.predictive import P_VALUE
from bayes_attrib.report.numbers import fixed, percent, plural
from bayes_attrib.spec import LikelihoodSpec

_MOST_NAMED = 5


@dataclass(frozen=True, eq=False, slots=True)
class FamilyScore:
    """What one candidate came to.

    Attributes
    ----------
    likelihood : LikelihoodSpec
        Family and level.
    loo : LooResult
        How well it foretells each total.
    weight : float
        Pseudo-BMA+ weight among the candidates that converged; 0 where it did not.
    dispersion : Check
        Its own posterior predictive check of the spread of the totals.
    verdict : {"ok", "warn", "not_converged"}
        Of the sampler alone.
    share_distance : float
        Share of the whole that it credits to other entities than the reference does (total
        variation distance of posterior mean shares).
    width_ratio : float
        Mean width of its intervals of entity shares, over that of the reference.
    """

    likelihood: LikelihoodSpec
    loo: LooResult
    weight: float
    dispersion: Check
    verdict: Verdict
    share_distance: float
    width_ratio: float

    @property
    def label(self) -> str:
        """Family and level as on the command line."""
        return candidate_label(self.likelihood)


@dataclass(frozen=True, eq=False, slots=True)
class FamilyChoice:
    """Outcome of a choice among families.

    Attributes
    ----------
    own : LikelihoodSpec
        The spec's own family.
    scores : tuple of FamilyScore
        One per candidate.
    decision : Decision
        What the rule says; its positions are those of ``scores``.
    notes : tuple of str
        What a reader should know about the comparison.
    """

    own: LikelihoodSpec
    scores: tuple[FamilyScore, ...]
    decision: Decision
    notes: tuple[str, ...] = ()

    @property
    def preferred(self) -> LikelihoodSpec | None:
        """The family that the data support, or None if no fit converged."""
        found = self.decision.preferred
        return None if found is None else self.scores[found].likelihood

    @property
    def reference(self) -> FamilyScore:
        """The candidate that shares are compared with: the preferred one, else the best."""
        found = self.decision.preferred
        return self.scores[self.decision.best if found is None else found]

    @property
    def table(self) -> pd.DataFrame:
        """One row per candidate, the highest elpd first.

        ``elpd_difference`` is how far a candidate is behind the best that converged, with the
        standard error of that difference; ``share_distance`` and ``width_ratio`` are against the
        preferred candidate.
        """
        rows = [
            {
                "family": score.likelihood.family,
                "level": score.likelihood.level or "",
                "preferred": i == self.decision.preferred,
                "elpd": score.loo.elpd,
                "elpd_se": score.loo.se,
                "elpd_difference": difference.elpd,
                "difference_se": difference.se,
                "weight": score.weight,
                "p_loo": score.loo.p_loo,
                "n_bad_pareto_k": score.loo.n_bad,
                "worst_pareto_k": score.loo.worst_k,
                "dispersion_p_value": score.dispersion.value,
                "verdict": score.verdict,
                "share_distance": score.share_distance,
                "width_ratio": score.width_ratio,
            }
            for i, (score, difference) in enumerate(
                zip(self.scores, self.decision.differences, strict=True)
            )
        ]
        table = pd.DataFrame(rows).sort_values("elpd", ascending=False, kind="stable")
        return table.reset_index(drop=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain JSON types; what is not a number becomes None."""
        found = self.preferred
        rows = self.table.to_dict(orient="records")
        return {
            "preferred": None if found is None else candidate_label(found),
            "own": candidate_label(self.own),
            "tied": [self.scores[i].label for i in self.decision.tied],
            "rule": RULE,
            "findings": list(describe_choice(self)),
            "candidates": [{str(k): _plain(v) for k, v in row.items()} for row in rows],
            "bad_pareto_k": {s.label: list(s.loo.bad_labels) for s in self.scores if s.loo.n_bad},
        }


def candidate_label(likelihood: LikelihoodSpec) -> str:
    """Return a family and its level as on the command line: ``gamma:pair``."""
    level = f":{likelihood.level}" if likelihood.level else ""
    return f"{likelihood.family}{level}"


def describe_choice(choice: FamilyChoice) -> Iterator[str]:
    """Yield sentences: which family, how strongly, what that changes, and what to beware of.

    Parameters
    ----------
    choice : FamilyChoice
        The outcome.
    """
    yield _support(choice)
    yield from _consequence(choice)
    yield from _told_off(choice)
    yield from _flattered(choice)
    yield from _unconverged(choice)
    yield from choice.notes


def _support(choice: FamilyChoice) -> str:
    decision, reference = choice.decision, choice.reference
    if decision.preferred is None:
        return (
            "no candidate converged, so none is preferred: raise the number of draws (--draws, "
            "--tune), and look at one of them with: bayes-attrib fit"
        )
    others = [i for i in range(len(choice.scores)) if i not in decision.tied]
    others = [i for i in others if choice.scores[i].verdict != "not_converged"]
    tied = [choice.scores[i].label for i in decision.tied if i != decision.preferred]
    if not others:
        return (
            f"these totals cannot tell the candidates apart; {reference.label} is preferred "
            f"because {_reason(choice)}"
        )
    nearest = max(others, key=lambda i: choice.scores[i].loo.elpd)
    gap = decision.differences[nearest]
    how = strength(gap)
    against = f"{choice.scores[nearest].label} is behind by {_gap(gap.elpd, gap.se)} in elpd"
    if not tied:
        return f"the data {how} support {reference.label}: {against}"
    return (
        f"the data {how} support {reference.label} or {' or '.join(tied)}, which cannot be told "
        f"apart: {against}. {reference.label} is preferred because {_reason(choice)}"
    )


def _reason(choice: FamilyChoice) -> str:
    """Say which step of the rule settled a tie."""
    reference = choice.reference
    rivals = [choice.scores[i] for i in choice.decision.tied if choice.scores[i] is not reference]
    if not _fails(reference) and all(map(_fails, rivals)):
        return "the others fail their dispersion check"
    rivals = [rival for rival in rivals if _fails(rival) == _fails(reference)]
    n = len(reference.likelihood.parameters)
    if all(len(rival.likelihood.parameters) > n for rival in rivals):
        return "it has the fewest parameters"
    return "none is simpler, and of the simplest its elpd is the highest"


def _consequence(choice: FamilyChoice) -> Iterator[str]:
    """What leaving the spec's own family, or keeping it, means for shares."""
    reference, own = choice.reference, candidate_label(choice.own)
    if choice.decision.preferred is None:
        return
    found = next((score for score in choice.scores if score.label == own), None)
    if found is None:
        yield f"the spec's own family, {own}, does not allow these totals and took no part"
    elif found is reference:
        others = [score for score in choice.scores if score is not reference]
        farthest = max(others, key=lambda score: score.share_distance)
        yield (
            f"the spec's own family stands; {farthest.label} would credit "
            f"{percent(farthest.share_distance)} of the whole to other entities, with intervals of "
            f"shares {fixed(farthest.width_ratio, 2)} times as wide"
        )
    else:
        yield (
            f"the spec's own family is {own}: {reference.label} credits "
            f"{percent(found.share_distance)} of the whole to other entities, and its "
            f"intervals of shares are {fixed(1.0 / found.width_ratio, 2)} times as wide"
        )


def _told_off(choice: FamilyChoice) -> Iterator[str]:
    """Name Poisson candidates that the totals contradict, with the figures that show it."""
    for score, gap in zip(choice.scores, choice.decision.differences, strict=True):
        if score.likelihood.base_family == "poisson" and gap.told_apart and _fails(score):
            best = choice.scores[choice.decision.best].label
            yield (
                f"{score.label} does not fit: the {score.dispersion.detail}, and its elpd is "
                f"{_gap(gap.elpd, gap.se)} below that of {best}"
            )


def _flattered(choice: FamilyChoice) -> Iterator[str]:
    """Name the aggregates whose leave-one-out figures are unreliable under the preferred family."""
    loo = choice.reference.loo
    if loo.n_bad:
        more = ", ..." if loo.n_bad > _MOST_NAMED else ""
        yield (
            f"under {choice.reference.label}, {plural(loo.n_bad, 'total')} of {len(loo.labels):,} "
            f"moved the posterior too far to be left out reliably (Pareto k above "
            f"{fixed(loo.threshold, 2)}): {', '.join(loo.bad_labels[:_MOST_NAMED])}{more}; its "
            "elpd may be flattered there, so a preference for it has to hold without them as well"
        )


def _unconverged(choice: FamilyChoice) -> Iterator[str]:
    broken = [score.label for score in choice.scores if score.verdict == "not_converged"]
    if broken and choice.decision.preferred is not None:
        yield (
            f"did not converge, and cannot be preferred: {', '.join(broken)}; raise --draws and "
            "--tune"
        )


def _fails(score: FamilyScore) -> bool:
    value = score.dispersion.value
    return value is None or not value >= P_VALUE.ok


def _gap(value: float, se: float) -> str:
    return f"{fixed(value, 1)} (standard error {fixed(se, 1)})"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
