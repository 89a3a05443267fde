from __future__ import annotations

from pathlib import Path

import pytest

from bayes_attrib.report import RunFolder
from bayes_attrib.report.forest import TOP, axis_ticks, layout_forest
from bayes_attrib.report.tables import choose_format


@pytest.mark.parametrize(
    ("end", "labels"),
    [
        (100.0, ["0", "25", "50", "75", "100"]),
        (361.0, ["0", "100", "200", "300"]),
        (0.83, ["0", "0.25", "0.5", "0.75"]),
        (2.4e6, ["0", "1M", "2M"]),
    ],
)
def test_ticks_are_round_and_end_with_the_axis(end: float, labels: list[str]) -> None:
    ticks = axis_ticks(end)
    assert [tick.label for tick in ticks] == labels
    assert ticks[0].position == 0.0
    assert all(tick.position <= 100.0 for tick in ticks)


def test_positions_are_in_proportion_to_the_numbers(nasty_run: Path) -> None:
    run = RunFolder.load(nasty_run)
    forest = layout_forest(run.entities, choose_format(run), "94% HDI")
    first, row = forest.rows[0].at, run.entities.iloc[0]
    assert first["lower"] < first["mean"] < first["upper"] <= 100
    tick = forest.ticks[1]
    assert first["mean"] / tick.position == pytest.approx(
        row["amount_mean"] / float(tick.label), rel=1e-3
    )
    assert first["em"] / first["mean"] == pytest.approx(
        row["em_amount"] / row["amount_mean"], rel=1e-3
    )
    assert first["truth"] / first["upper"] == pytest.approx(
        row["truth_amount"] / row["amount_upper"], rel=1e-3
    )
    assert forest.shown >= {"mean", "em", "proportional", "truth", "expected_lower"}
    assert forest.n_more == 0
    assert forest.rows[0].description.startswith(f"{row['name']}: mean {forest.rows[0].amount};")
    assert "of the expected amount" in forest.rows[0].description


def test_only_the_largest_are_drawn_and_the_rest_is_counted(nasty_run: Path) -> None:
    run = RunFolder.load(nasty_run)
    many = run.entities.loc[run.entities.index.repeat(3)]
    forest = layout_forest(many, choose_format(run), "94% HDI")
    assert len(forest.rows) == TOP
    assert forest.n_more == len(many) - TOP


def test_a_run_in_which_nobody_earned_anything_still_has_an_axis(nasty_run: Path) -> None:
    run = RunFolder.load(nasty_run)
    rows = run.entities.copy()
    rows[[c for c in rows.columns if "amount" in c]] = 0.0
    rows["truth_amount"] = float("nan")
    forest = layout_forest(rows, choose_format(run), "94% HDI")
    assert forest.ticks[0].label == "0"
    assert "truth" not in forest.shown
