"""Chains and games: hand examples, definitions carried out literally, and other packages."""

import itertools
import json
from math import factorial
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from random_events import random_events

from bayes_attrib.journeys import Journeys, build_journeys, credit_journeys, markov, shapley
from bayes_attrib.journeys.coalitions import find_coalitions
from bayes_attrib.journeys.markov import Chain, TooManyStatesError, build_chain, removal_effects
from bayes_attrib.journeys.shapley import exact_shapley, shapley_of_rates, shapley_of_totals
from bayes_attrib.spec.journeys import HeuristicsSpec, JourneyRules

REFERENCE = json.loads((Path(__file__).parent / "reference.json").read_text(encoding="utf-8"))


def journeys_of(points, paths):
    """Make journeys of (touchpoints, conversions)."""
    lengths = np.array([len(path) for path, _ in paths])
    touch = np.array([p for path, _ in paths for p in path], dtype=np.int32)
    conversions = np.array([float(count) for _, count in paths])
    return Journeys(
        touchpoints=tuple(points),
        touch=touch,
        age_days=np.zeros(len(touch)),
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        conversions=conversions,
        value=None,
    )


def effects_of(journeys, order):
    chain = build_chain(journeys, order, journeys.conversions[:, np.newaxis])
    expected, effects = removal_effects(chain, len(journeys.touchpoints))
    return expected[0], effects[:, 0]


def credit_of(journeys, method):
    credits_ = credit_journeys(journeys, HeuristicsSpec()).credits
    (found,) = (c for c in credits_ if c.method == method and c.outcome == "conversions")
    return found.amounts


@pytest.fixture(scope="module")
def many():
    """Journeys of the reference: one for each conversion, and one for each that failed."""
    paths = [
        (path, flag)
        for path, yes, no in REFERENCE["paths"]
        for flag, count in ((1, yes), (0, no))
        for _ in range(count)
    ]
    return journeys_of(REFERENCE["touchpoints"], paths)


def test_three_journeys_by_hand():
    # a-b-c converts; a fails; b-c fails. From c, half convert: P = 1/2 * 2/3 = 1/3. Without a only
    # the third journey's way is left: P = 1/3 * 1/2 = 1/6, half is lost; without b or c, all.
    journeys = journeys_of("abc", [([0, 1, 2], 1), ([0], 0), ([1, 2], 0)])
    expected, effects = effects_of(journeys, 1)
    assert expected == pytest.approx(1 / 3, rel=1e-12)
    np.testing.assert_allclose(effects, [0.5, 1.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(credit_of(journeys, "markov_1"), [0.2, 0.4, 0.4], rtol=1e-12)
    # Order 2 knows that only b-c after a converts, so that without a nothing is left.
    _, second = effects_of(journeys, 3)
    np.testing.assert_allclose(second, [1.0, 1.0, 1.0], rtol=1e-12)


def test_a_loop_by_hand():
    # a-a-b converts, a fails: a goes to a with 1/3, to b with 1/3, ends with 1/3.
    expected, effects = effects_of(journeys_of("ab", [([0, 0, 1], 1), ([0], 0)]), 1)
    assert expected == pytest.approx(0.5, rel=1e-12)
    np.testing.assert_allclose(effects, [1.0, 1.0], rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_chain_converts_as_often_as_the_journeys(many, order):
    expected, _ = effects_of(many, order)
    assert expected == pytest.approx(many.conversions.mean(), rel=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_removal_effects_equal_those_of_do_attribution(many, order):
    _, effects = effects_of(many, order)
    np.testing.assert_allclose(effects, REFERENCE["removal_effects"][str(order)], rtol=1e-10)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_credit_is_that_of_channelattributions_simulation(many, order):
    # It stops when ten repetitions differ by .2%; three times that bounds what is left.
    simulated = REFERENCE["simulated_markov"][str(order)]
    np.testing.assert_allclose(credit_of(many, f"markov_{order}"), simulated, rtol=6e-3)


@pytest.mark.parametrize("method", ["first", "last", "linear"])
def test_rules_equal_those_of_channelattribution(many, method):
    np.testing.assert_allclose(credit_of(many, method), REFERENCE["heuristics"][method], rtol=1e-12)


def test_shapley_values_equal_those_of_two_packages(many):
    coalitions = find_coalitions(many, many.conversions[:, np.newaxis])
    totals = shapley_of_totals(coalitions).values[:, 0]
    np.testing.assert_allclose(totals, REFERENCE["shapley_of_totals"], rtol=1e-12)
    rates = shapley_of_rates(coalitions, 10, 1).values[:, 0]
    np.testing.assert_allclose(rates, REFERENCE["shapley_of_rates"], rtol=1e-9, atol=1e-14)


def test_shapley_values_by_hand():
    # Worth 1 alone for a, 2 for b, 5 together: a adds (1 + 3) / 2, b adds (4 + 2) / 2.
    np.testing.assert_allclose(exact_shapley(np.array([[0.0], [1], [2], [5]])), [[2.0], [3.0]])
    # Journeys: a converts, a-b converts, b fails: worth a 1, b 0, both 2 of 3 as a rate.
    journeys = journeys_of("ab", [([0], 1), ([0, 1], 1), ([1], 0)])
    coalitions = find_coalitions(journeys, journeys.conversions[:, np.newaxis])
    rates = shapley_of_rates(coalitions, 10, 1).values[:, 0]
    np.testing.assert_allclose(rates, [(1 + 2 / 3) / 2, (0 - 1 / 3) / 2], rtol=1e-12)
    np.testing.assert_allclose(shapley_of_totals(coalitions).values[:, 0], [1.5, 0.5])


def test_the_short_form_of_totals_is_the_shapley_value_of_its_game(many):
    coalitions = find_coalitions(many, many.conversions[:, np.newaxis])
    worth = np.zeros((32, 1))
    for mask in range(32):
        for i in range(len(coalitions.journeys)):
            members = coalitions.members[coalitions.starts[i] : coalitions.starts[i + 1]]
            if all((mask >> m) & 1 for m in members):
                worth[mask] += coalitions.outcomes[i]
    np.testing.assert_allclose(
        exact_shapley(worth), shapley_of_totals(coalitions).values, rtol=1e-10
    )


def test_shapley_values_are_means_over_all_orders():
    worth = np.random.default_rng(0).random((16, 1))
    worth[0] = 0.0
    wanted = np.zeros(4)
    for order in itertools.permutations(range(4)):
        mask = 0
        for member in order:
            wanted[member] += worth[mask | (1 << member), 0] - worth[mask, 0]
            mask |= 1 << member
    np.testing.assert_allclose(exact_shapley(worth)[:, 0], wanted / factorial(4), rtol=1e-12)


def test_sampled_values_are_within_their_errors_of_exact_ones(many, monkeypatch):
    outcomes = np.column_stack([many.conversions, 2.0 * many.conversions])
    coalitions = find_coalitions(many, outcomes)
    exact = shapley_of_rates(coalitions, 10, 1).values
    monkeypatch.setattr(shapley, "MOST_EXACT", 4)
    sampled = shapley_of_rates(coalitions, 2000, 7)
    z = (sampled.values - exact) / sampled.standard_errors
    # Ten standard normal figures, of which five are the same: beyond 4, a false alarm in 3,000.
    assert np.abs(z).max() < 4
    assert (sampled.standard_errors > 0).all()
    np.testing.assert_allclose(sampled.values.sum(axis=0), exact.sum(axis=0), rtol=1e-9)
    # The stated errors are those of repetitions: 60 give the sd to 10%, so a factor of 1.5 is 4 sd.
    again = [shapley_of_rates(coalitions, 100, seed) for seed in range(60)]
    spread = np.std([a.values for a in again], axis=0, ddof=1)
    stated = np.mean([a.standard_errors for a in again], axis=0)
    assert (np.abs(np.log(spread / stated)) < np.log(1.5)).all()


def test_more_touchpoints_than_fit_in_a_word():
    events = random_events(4, n_points=150, mean_touches=6.0)
    journeys = build_journeys(events, JourneyRules())
    touched = journeys.select(journeys.lengths > 0)
    found = find_coalitions(touched, touched.conversions[:, np.newaxis])
    sets = {}
    for i in range(len(touched)):
        members = frozenset(touched.touch[touched.starts[i] : touched.starts[i + 1]].tolist())
        sets[members] = sets.get(members, 0.0) + touched.conversions[i]
    got = {
        frozenset(found.members[a:b].tolist()): y
        for a, b, y in zip(found.starts, found.starts[1:], found.outcomes[:, 0], strict=False)
    }
    assert got == sets


@pytest.mark.parametrize("order", [2, 3])
def test_iterated_chains_equal_inverted_ones(many, order, monkeypatch):
    exact = effects_of(many, order)
    monkeypatch.setattr(markov, "MOST_DENSE_STATES", 3)
    iterated = effects_of(many, order)
    assert iterated[0] == pytest.approx(exact[0], rel=1e-12)
    np.testing.assert_allclose(iterated[1], exact[1], rtol=1e-11)


def test_chains_that_are_too_large_are_left_out_with_a_warning(many, monkeypatch):
    monkeypatch.setattr(markov, "MOST_DENSE_STATES", 10)
    monkeypatch.setattr(markov, "MOST_WORK", 150)
    credited = credit_journeys(many, HeuristicsSpec())
    methods = {c.method for c in credited.credits}
    assert "markov_1" in methods
    assert not {"markov_2", "markov_3"} & methods
    assert [f.where for f in credited.findings] == ["markov_2", "markov_3"]
    assert {f.severity for f in credited.findings} == {"warning"}
    assert "states with" in credited.findings[0].message


def test_walks_without_an_end_are_refused(monkeypatch):
    monkeypatch.setattr(markov, "MOST_DENSE_STATES", 1)
    monkeypatch.setattr(markov, "_MOST_STEPS", 50)
    loop = sp.csr_array(np.array([[0.0, 1.0], [0.0, 0.999]]))
    chain = Chain(loop, np.array([-1, 0]), np.array([[0.0], [0.001]]))
    with pytest.raises(TooManyStatesError, match="do not end within 50 steps"):
        removal_effects(chain, 1)
