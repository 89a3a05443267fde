"""Random trees: unequal families, names that repeat under different parents only."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayes_attrib.simulation.tree import draw_parents, name_children

FALSE_ALARM = 1e-4


@pytest.mark.parametrize("sizes", [(2, 3), (5, 6), (9, 20), (40, 400)])
def test_families_are_unequal_and_nobody_is_childless(sizes):
    n_parents, n_children = sizes
    for seed in range(50):
        parents = draw_parents(n_parents, n_children, np.random.default_rng(seed))
        assert parents.tolist() == sorted(parents)
        families = np.bincount(parents)
        assert len(families) == n_parents
        assert families.sum() == n_children
        assert families.min() == 1
        assert families.max() > 1


def test_a_single_parent_has_all_children():
    assert draw_parents(1, 4, np.random.default_rng(0)).tolist() == [0, 0, 0, 0]


@pytest.mark.statistical
def test_further_children_follow_a_dirichlet_multinomial():
    """Of two parents with a further child, either is the lucky one; the third has no luck.

    With 3 parents and 4 further children, the two that may have them share them by a
    beta-binomial(4, 3, 3). The test fails by chance once in 10,000 seeds.
    """
    rng = np.random.default_rng(11)
    n_trials = 4_000
    observed = np.zeros(5)
    for _ in range(n_trials):
        further = np.bincount(draw_parents(3, 7, rng)) - 1
        unlucky = int(np.flatnonzero(further == 0)[0])
        observed[np.delete(further, unlucky)[0]] += 1
    # Where a second parent has none either, which of the two was cut out is not seen: fold.
    law = stats.betabinom(4, 3, 3).pmf(np.arange(5))
    folded = [observed[1], observed[2], observed[3], observed[0] + observed[4]]
    expected = n_trials * np.array([law[1], law[2], law[3], law[0] + law[4]])
    assert stats.chisquare(folded, expected).pvalue > FALSE_ALARM


@pytest.mark.parametrize("sizes", [(0, 3), (3, 3), (4, 3)])
def test_too_few_children_are_refused(sizes):
    with pytest.raises(ValueError, match="cannot give"):
        draw_parents(*sizes, np.random.default_rng(0))


def test_siblings_differ_in_name_and_cousins_need_not():
    pool = ("Video", "Image", "Text")
    parents = np.repeat(np.arange(60), 3)
    names = name_children(parents, pool, np.random.default_rng(2))
    families = {tuple(names[parents == parent]) for parent in range(60)}
    assert all(set(family) == set(pool) for family in families)
    assert len(families) == 6  # every order occurs


def test_large_families_get_numbers():
    names = name_children(np.zeros(7, dtype=int), ("A", "B", "C"), np.random.default_rng(2))
    assert names.is_unique
    assert set(names[:3]) == {"A", "B", "C"}
    assert [name[0] for name in names[3:6]] == [name[0] for name in names[:3]]
    assert names[3].endswith(" 2")
    assert names[6].endswith(" 3")
