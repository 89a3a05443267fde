from __future__ import annotations

import pytest

from bayes_attrib.report import labels


def test_control_characters_become_visible_and_nothing_else_changes() -> None:
    assert labels.printable("a\x00b\x1b[31m\x7f\x9b") == "a␀b␛[31m␡\\x9b"
    kept = "  Ünïcödé 🎯 <b> & \u202e  "
    assert labels.printable(kept) == kept


def test_a_terminal_gets_no_direction_controls() -> None:
    assert labels.terminal_label("\u202eabc\u2066") == "\\u202eabc\\u2066"
    assert labels.terminal_label("حملة") == "حملة"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("max_rhat_shares", "Largest R-hat of shares"),
        ("min_ess_tail_rates", "Smallest effective sample size of rates, tails"),
        ("divergent_fraction", "Fraction of divergent draws"),
        ("some_new_check", "Some new check"),
    ],
)
def test_checks_in_words(name: str, label: str) -> None:
    found, question = labels.describe_check_name(name)
    assert found == label
    assert bool(question) == (name != "some_new_check")


def test_times_to_the_minute() -> None:
    assert labels.moment("2026-11-22T10:00:41.123+00:00") == "2026-11-22 10:00 UTC"
    assert labels.moment("2026-11-22T10:00:41") == "2026-11-22 10:00"
    assert labels.moment("yesterday") == "yesterday"
