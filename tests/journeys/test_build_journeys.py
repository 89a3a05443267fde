"""Which touches belong to which conversion."""

import numpy as np
import pytest
from random_events import HOUR, as_plain, plain_journeys, random_events

from bayes_attrib.journeys import Conversions, Events, Touches, build_journeys
from bayes_attrib.spec.journeys import JourneyRules


def events_of(touches, conversions):
    """Make events of (customer, hour, touchpoint) and (customer, hour, value)."""
    c, h, p = np.array(touches, dtype=np.int64).reshape(-1, 3).T
    k, t, v = np.array(conversions, dtype=np.float64).reshape(-1, 3).T
    return Events(
        ("a", "b", "c"),
        10,
        Touches(c.astype(np.int32), h * HOUR, p.astype(np.int32)),
        Conversions(k.astype(np.int32), (t * HOUR).astype(np.int64), v),
    )


def journeys_of(touches, conversions, **rules):
    return build_journeys(events_of(touches, conversions), JourneyRules(**rules))


def points(journeys):
    return [[p for p, _ in touches] for touches, _, _ in as_plain(journeys)]


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("look_back", [1.0, 12.5, 365.0])
def test_equal_to_a_loop_over_customers(reuse, look_back):
    events = random_events(11)
    rules = JourneyRules(look_back_days=look_back, reuse_touches=reuse)
    found = build_journeys(events, rules)
    wanted = plain_journeys(events, look_back, reuse=reuse)
    assert [(t, c) for t, c, _ in as_plain(found)] == [(t, c) for t, c, _ in wanted]
    np.testing.assert_allclose(found.value, [v for _, _, v in wanted], rtol=1e-14)
    assert found.total("conversions") == len(events.conversions)


def test_a_conversion_ends_a_journey_and_what_follows_is_a_null_journey():
    touches = [(1, 0, 0), (1, 5, 1), (1, 9, 2), (1, 30, 0)]
    found = journeys_of(touches, [(1, 6, 10.0), (1, 12, 20.0)])
    assert points(found) == [[0, 1], [2], [0]]
    assert found.conversions.tolist() == [1, 1, 0]
    assert found.value.tolist() == [10.0, 20.0, 0.0]


def test_touches_can_count_for_every_later_conversion():
    touches = [(1, 0, 0), (1, 5, 1), (1, 9, 2), (1, 30, 0)]
    found = journeys_of(touches, [(1, 6, 10.0), (1, 12, 20.0)], reuse_touches=True)
    assert points(found) == [[0, 1], [0, 1, 2], [0]]


def test_a_touch_at_the_time_of_a_conversion_precedes_it_and_the_window_is_closed():
    found = journeys_of([(1, 0, 0), (1, 24, 1)], [(1, 24, 1.0)], look_back_days=1.0)
    assert points(found) == [[0, 1]]
    assert found.age_days.tolist() == [1.0, 0.0]
    later = journeys_of([(1, 0, 0), (1, 24, 1)], [(1, 25, 1.0)], look_back_days=1.0)
    assert points(later) == [[1]]
    assert later.n_outside == 1


def test_conversions_at_one_time_end_one_journey_together():
    found = journeys_of([(1, 0, 0)], [(1, 3, 5.0), (1, 3, 7.0), (2, 3, 1.0)])
    assert points(found) == [[0], []]
    assert found.conversions.tolist() == [2, 1]
    assert found.unattributed("conversions") == 1.0
    assert found.unattributed("value") == 1.0


def test_touches_at_one_time_stay_in_the_order_of_the_table_and_are_counted():
    found = journeys_of([(1, 2, 2), (1, 2, 0), (1, 2, 0)], [(1, 3, 1.0)])
    assert points(found) == [[2, 0, 0]]
    assert (found.n_ties, found.n_repeated) == (2, 1)


def test_without_any_touch_or_any_conversion():
    assert points(journeys_of([], [(1, 3, 5.0)])) == [[]]
    null = journeys_of([(1, 0, 0), (1, 24, 1)], [])
    assert points(null) == [[0, 1]]
    assert null.total("conversions") == 0.0


def test_values_that_are_not_known_are_refused():
    events = random_events(1, n_customers=5)
    found = Conversions(events.conversions.customer, events.conversions.time)
    plain = Events(events.touchpoints, 5, events.touches, found)
    journeys = build_journeys(plain, JourneyRules())
    with pytest.raises(ValueError, match="values of these conversions are not known"):
        journeys.outcome("value")
