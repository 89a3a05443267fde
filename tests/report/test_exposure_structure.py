from __future__ import annotations

import pandas as pd

from bayes_attrib.report.narrative import describe_structure
from bayes_attrib.report.structure import describe_exposures


def _describe(*cells: tuple[str, str, float]) -> tuple[int, int, int, tuple[str, ...]]:
    table = pd.DataFrame(cells, columns=["brick", "hcp", "exposure"])
    found = describe_exposures(table, ("brick",), "hcp")
    return (
        found.n_sole_aggregates,
        found.n_shared_aggregates,
        found.n_alike,
        found.alike_example,
    )


def test_proportional_exposures_are_alike() -> None:
    assert _describe(
        ("B1", "H1", 1.0),
        ("B2", "H1", 3.0),
        ("B1", "H2", 0.1),
        ("B2", "H2", 0.3),
        ("B1", "H3", 3.0),
        ("B2", "H3", 1.0),
    ) == (0, 2, 2, ("H1", "H2"))


def test_the_same_aggregates_in_other_proportions_are_not_alike() -> None:
    assert _describe(
        ("B1", "H1", 1.0), ("B2", "H1", 2.0), ("B1", "H2", 1.0), ("B2", "H2", 2.001)
    ) == (0, 2, 0, ())


def test_entities_of_one_aggregate_only_are_alike_within_it() -> None:
    assert _describe(
        ("B1", "H1", 1.0), ("B1", "H2", 7.0), ("B2", "H3", 1.0), ("B3", "H4", 2.0)
    ) == (2, 1, 2, ("H1", "H2"))


def test_order_of_rows_does_not_matter_and_zero_exposure_is_none() -> None:
    rows = [("B2", "H1", 3.0), ("B1", "H1", 1.0), ("B1", "H2", 2.0), ("B2", "H2", 6.0)]
    assert _describe(*rows, ("B3", "H2", 0.0)) == (*_describe(*rows[::-1])[:3], ("H1", "H2"))


def test_in_words() -> None:
    table = pd.DataFrame({"b": ["1", "1", "2"], "e": ["x", "y", "z"], "exposure": [1.0, 2.0, 3.0]})
    text = describe_structure(describe_exposures(table, ("b",), "e"))
    assert "1 aggregate is shared by two or more entities; in 1 one entity alone" in text
    assert "2 entities have the same pattern of exposure as another one" in text
    assert "“x” and “y”" in text
