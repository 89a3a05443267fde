"""Rules about places: equal to a loop over journeys, and sums that are exact."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_events import plain_journeys, random_events

from bayes_attrib.errors import DataError
from bayes_attrib.journeys import Conversions, Events, build_journeys, credit_journeys
from bayes_attrib.journeys.credit import settle
from bayes_attrib.spec.journeys import HeuristicsSpec, JourneyRules

PARAMETERS = HeuristicsSpec(half_life_days=3.0, first_weight=0.5, last_weight=0.2)


def parts_by_hand(method, touches):
    """Return the parts of one journey's touches, one after the other."""
    n = len(touches)
    weights = [0.5 ** (age / 3.0) for _, age in touches]
    ends = {1: [1.0], 2: [0.5 / 0.7, 0.2 / 0.7]}
    return {
        "first": [1.0] + [0.0] * (n - 1),
        "last": [0.0] * (n - 1) + [1.0],
        "linear": [1.0 / n] * n,
        "time_decay": [weight / sum(weights) for weight in weights],
        "position": ends.get(n, [0.5] + [0.3 / max(n - 2, 1)] * (n - 2) + [0.2]),
    }[method]


@pytest.fixture(scope="module")
def events():
    return random_events(5, n_customers=9000, mean_touches=9.0, mean_conversions=1.8)


@pytest.fixture(scope="module")
def credited(events):
    return credit_journeys(build_journeys(events, JourneyRules(look_back_days=20.0)), PARAMETERS)


@pytest.mark.parametrize("method", ["first", "last", "linear", "time_decay", "position"])
def test_equal_to_brute_force_on_ten_thousand_journeys(events, credited, method):
    journeys = plain_journeys(events, 20.0)
    assert sum(bool(touches) and count > 0 for touches, count, _ in journeys) > 10_000
    wanted = np.zeros((2, 5))
    for touches, count, value in journeys:
        if count and touches:
            for (point, _), part in zip(touches, parts_by_hand(method, touches), strict=True):
                wanted[:, point] += [part * count, part * value]
    for row, outcome in enumerate(("conversions", "value")):
        (found,) = (c for c in credited.credits if (c.method, c.outcome) == (method, outcome))
        np.testing.assert_allclose(found.amounts, wanted[row], rtol=0, atol=1e-9 * found.total)
        empty = sum((count, value)[row] for touches, count, value in journeys if not touches)
        assert found.unattributed == pytest.approx(empty, rel=1e-12)


def test_every_sum_is_the_value_of_all_conversions_to_the_last_bit(events, credited):
    totals = {"conversions": float(len(events.conversions))}
    totals["value"] = math.fsum(events.conversions.value)
    assert {c.method for c in credited.credits} == {
        *("first", "last", "linear", "time_decay", "position"),
        *("shapley", "shapley_rate", "markov_1", "markov_2", "markov_3"),
    }
    for credit in credited.credits:
        total = math.fsum([*credit.amounts, credit.unattributed])
        assert total == credit.total
        assert total == pytest.approx(totals[credit.outcome], rel=1e-14)
        assert credit.total - credit.unattributed < credit.total


@given(
    st.lists(st.floats(0.0, 1e9, allow_nan=False), min_size=1, max_size=40),
    st.floats(0.0, 1e9, allow_nan=False),
)
def test_settled_amounts_add_up_exactly(amounts, unattributed):
    total = sum(amounts) + unattributed
    found = settle(np.array(amounts), unattributed, total)
    assert math.fsum([*found, unattributed]) == total
    np.testing.assert_allclose(found, amounts, rtol=0, atol=1e-13 * max(total, 1e-300))


def test_a_very_short_half_life_leaves_all_to_the_last_touch(events):
    journeys = build_journeys(events, JourneyRules())
    found = credit_journeys(journeys, HeuristicsSpec(half_life_days=1e-4)).credits
    by = {c.method: c.amounts for c in found if c.outcome == "conversions"}
    # Touches at the very time of the last one share with it.
    assert np.abs(by["time_decay"] - by["last"]).max() < 0.01 * by["last"].sum()


def test_position_weights_of_zero_share_two_touches_evenly(events):
    journeys = build_journeys(events, JourneyRules())
    spec = HeuristicsSpec(first_weight=0.0, last_weight=0.0)
    two = journeys.select((journeys.lengths == 2) & journeys.converts)
    by = {c.method: c.amounts for c in credit_journeys(two, spec).credits}
    np.testing.assert_allclose(by["position"], by["linear"], rtol=1e-12)


def test_without_null_journeys_rates_are_left_out_and_it_is_said():
    events = random_events(3)
    journeys = build_journeys(events, JourneyRules())
    credited = credit_journeys(journeys.select(journeys.converts), PARAMETERS)
    assert "shapley_rate" not in {c.method for c in credited.credits}
    (finding,) = credited.findings
    assert finding.code == "no-null-journeys"
    assert finding.severity == "note"


def test_without_values_only_conversions_are_credited():
    events = random_events(3)
    conversions = Conversions(events.conversions.customer, events.conversions.time)
    plain = Events(events.touchpoints, events.n_customers, events.touches, conversions)
    credits_ = credit_journeys(build_journeys(plain, JourneyRules()), PARAMETERS).credits
    assert {c.outcome for c in credits_} == {"conversions"}


def test_conversions_that_no_touch_precedes_are_an_error():
    events = random_events(3)
    moved = Conversions(events.conversions.customer, events.conversions.time - 10**15)
    late = Events(events.touchpoints, events.n_customers, events.touches, moved)
    with pytest.raises(DataError, match=r"none of [\d,]+ conversions has a touch"):
        credit_journeys(build_journeys(late, JourneyRules()), PARAMETERS)
