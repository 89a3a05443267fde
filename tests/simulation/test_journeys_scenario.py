"""The marginal facts that scenario ``journeys`` promises."""

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.errors import SpecError
from bayes_attrib.simulation import simulate
from bayes_attrib.simulation.journeys import BRAND_SEARCH, CHANNELS, MEAN_DELAY_DAYS


@pytest.fixture(scope="module")
def simulated():
    return simulate("journeys", seed=3, options={"n_customers": 20_000, "n_weeks": 13})


def test_each_touch_causes_what_its_channel_promises(simulated):
    touches, conversions = simulated.others["touches"], simulated.others["conversions"]
    days, effect = 7 * 13, simulated.entities.set_index("channel")["rate_true"]
    for channel in CHANNELS:
        count = (touches["channel"] == channel.name).sum()
        caused = (conversions["cause"] == channel.name).sum()
        # A part of the last delays lies beyond the end. Five sd: a false alarm in 350,000 seeds.
        expected = count * effect[channel.name] * (1 - MEAN_DELAY_DAYS / days)
        assert abs(caused - expected) < 5 * np.sqrt(expected)
        assert count > 5_000


def test_base_conversions_are_there_whatever_is_touched(simulated):
    base = (simulated.others["conversions"]["cause"] == "none").sum()
    expected = 0.04 * 20_000 * 13
    assert abs(base - expected) < 5 * np.sqrt(expected)


def test_brand_search_precedes_conversions_and_causes_none(simulated):
    touches, conversions = simulated.others["touches"], simulated.others["conversions"]
    searches = touches[touches["channel"] == BRAND_SEARCH]
    expected = 0.4 * len(conversions)
    assert abs(len(searches) - expected) < 5 * np.sqrt(0.6 * expected)
    assert BRAND_SEARCH not in set(conversions["cause"])
    assert BRAND_SEARCH not in set(simulated.entities["channel"])
    parsed = [pd.to_datetime(frame["time"]) for frame in (searches, conversions)]
    bought = dict(tuple(parsed[1].groupby(conversions["customer"])))
    for customer, time in list(zip(searches["customer"], parsed[0], strict=True))[:200]:
        wait = bought[customer] - time
        assert ((wait >= pd.Timedelta(0)) & (wait <= pd.Timedelta("1h"))).any()


def test_totals_hold_every_conversion_and_amounts_every_one_that_was_caused(simulated):
    conversions = simulated.others["conversions"]
    assert simulated.aggregates["total"].sum() == len(conversions)
    assert simulated.exposures["amount"].sum() == (conversions["cause"] != "none").sum()
    assert (simulated.exposures["exposure"] > 0).all()
    by_channel = simulated.exposures.groupby("channel")["amount"].sum()
    for channel in CHANNELS:
        assert by_channel[channel.name] == (conversions["cause"] == channel.name).sum()


def test_exposures_are_touches_spread_over_the_delay(simulated):
    touches = simulated.others["touches"].groupby("channel").size()
    exposure = simulated.exposures.groupby("channel")["exposure"].sum()
    lost = 1 - exposure / touches[exposure.index]
    # What is left of the last touches after the end: two days of thirteen weeks.
    assert ((lost > 0.005) & (lost < 0.06)).all()


def test_too_many_touches_are_refused():
    with pytest.raises(SpecError, match="fit in memory"):
        simulate("journeys", seed=1, options={"n_customers": 10_000_000})
