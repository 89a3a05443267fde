from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bayes_attrib.report import RunFolder
from bayes_attrib.report.narrative import (
    describe_check,
    describe_em,
    describe_model,
    describe_verdict,
    find_answer,
    interval_short,
    interval_words,
)
from bayes_attrib.report.records import Check, EMRecord
from bayes_attrib.report.tables import choose_format
from bayes_attrib.spec import IntervalSpec
from bayes_attrib.spec.likelihood import LEVELS

MakeRun = Callable[..., Path]


@pytest.mark.parametrize(
    ("verdict", "headline", "n_failed", "n_remedies"),
    [
        ("ok", "The fit converged.", 0, 0),
        ("warn", "Use with care: the fit raised warnings.", 1, 1),
        ("not_converged", "Do not use these numbers: the fit did not converge.", 1, 2),
    ],
)
def test_verdicts(
    make_run: MakeRun, verdict: str, headline: str, n_failed: int, n_remedies: int
) -> None:
    text = describe_verdict(RunFolder.load(make_run(("a", "b"), verdict=verdict)))
    assert text.headline == headline
    assert len(text.failed) == n_failed
    assert len(text.remedies) == n_remedies


def test_the_answer_is_the_first_row(nasty_run: Path) -> None:
    run = RunFolder.load(nasty_run)
    answer = find_answer(run, choose_format(run))
    first = run.entities.iloc[0]
    assert answer.name == first["name"]
    assert answer.share == f"{100 * first['share_mean']:.1f}%"
    assert answer.total == f"{run.manifest.data.grand_total:,.0f} units"
    reach = (run.entities["amount_upper"] >= first["amount_lower"]).sum() - 1
    assert answer.n_rivals == reach > 0


def test_intervals_in_words() -> None:
    hdi, eti = IntervalSpec(), IntervalSpec(kind="eti", prob=0.9)
    assert interval_words(hdi) == "94% highest-density interval"
    assert interval_short(eti) == "90% ETI"
    assert interval_words(eti) == "90% equal-tailed interval"


def test_every_family_of_the_schema_is_described(nasty_run: Path) -> None:
    spec = RunFolder.load(nasty_run).spec
    seen = set()
    for family, levels in LEVELS.items():
        for level in levels or (None,):
            likelihood = spec.likelihood.model_copy(update={"family": family, "level": level})
            noise, rates = describe_model(spec.model_copy(update={"likelihood": likelihood}))
            seen.add(noise)
            assert ("approximation" in noise) == (level == "pair_approximation")
            assert "towards those of its type" in rates
    assert len(seen) == sum(max(1, len(levels)) for levels in LEVELS.values())


@pytest.mark.parametrize(
    ("em", "words"),
    [
        (
            EMRecord(iterations=1, relative_gap=3e-9, converged=True, n_zero=2),
            (
                "EM reached the certified maximum of the likelihood in 1 iteration (relative gap "
                "3.0E−9); it gives nothing to 2 of 9 entities."
            ),
        ),
        (
            EMRecord(iterations=200, converged=False),
            "EM stopped after 200 iterations, before the certified maximum of the likelihood.",
        ),
        (None, ""),
    ],
)
def test_em_in_words(em: EMRecord | None, words: str) -> None:
    assert describe_em(em, 9) == words


def test_a_check_that_is_not_a_number_says_so() -> None:
    check = Check(name="x", value=float("nan"), threshold=1.01, comparison="<=", status="fail")
    assert describe_check(check) == ("not a number", "at most 1.01")
    check = Check(name="x", value=1234.5, threshold=400, comparison=">=", status="ok")
    assert describe_check(check) == ("1,234", "at least 400")
