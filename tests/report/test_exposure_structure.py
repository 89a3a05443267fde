from __future__ import annotations

import pandas as pd
import pytest

from bayes_attrib.report.narrative import describe_sharing
from bayes_attrib.report.structure import Sharing, count_sharing


def test_aggregates_are_counted_by_their_whole_key_and_zero_exposure_is_none() -> None:
    rows = [
        ("a", "1", "x", 1.0),
        ("a", "1", "y", 2.0),
        ("a", "2", "x", 1.0),
        ("b", "1", "x", 1.0),
        ("b", "1", "y", 0.0),
        ("b", "2", "y", 0.0),
    ]
    cells = pd.DataFrame(rows, columns=["store", "week", "hcp", "exposure"])
    assert count_sharing(cells, ("store", "week")) == Sharing(n_sole=2, n_shared=1)


@pytest.mark.parametrize(
    ("sharing", "words"),
    [
        (Sharing(0, 1), "1 aggregate is shared by two or more entities; in none one entity alone"),
        (Sharing(1200, 3), "3 aggregates are shared by two or more entities; in 1,200 one entity"),
    ],
)
def test_in_words(sharing: Sharing, words: str) -> None:
    assert words in describe_sharing(sharing)
