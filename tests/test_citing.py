"""How messages cite examples."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.citing import counted, listed, nearest, places, quote


@pytest.mark.parametrize(
    ("items", "total", "text"),
    [
        ([], None, ""),
        (["a"], None, "a"),
        (["a", "b"], None, "a and b"),
        (["a", "b", "c"], None, "a, b and c"),
        (list("abcdef"), None, "a, b, c, d, e and 1 more"),
        (list("abcde"), 1_234, "a, b, c, d, e and 1,229 more"),
    ],
)
def test_listed(items, total, text):
    assert listed(items, total) == text


def test_places():
    assert places("a.csv", "line", np.array([3])) == "a.csv, line 3"
    assert places("a.csv", "row", np.arange(1, 9)) == "a.csv, rows 1, 2, 3, 4, 5 and 3 more"


def test_counted_and_quote():
    assert counted(1, "row") == "1 row"
    assert counted(12_000, "row") == "12,000 rows"
    assert quote("a'b\nc") == '"a\'b\\nc"'
    assert quote("x" * 50) == f"'{'x' * 40}…'"


def test_nearest():
    assert nearest("visits", ["brick", " Visit "]) == " Visit "
    assert nearest("units", ["brick", "sales"]) is None
    assert nearest("units", []) is None
