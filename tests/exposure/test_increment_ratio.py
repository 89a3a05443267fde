"""The ratio of increment to attributed amount: by formula, and by hand with carry-over."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.exposure import (
    ChannelTransform,
    DeliveryColumns,
    GeometricAdstock,
    HillSaturation,
    NoAdstock,
    NoSaturation,
    increment_ratio,
)

COLUMNS = DeliveryColumns(entity="campaign", channel="channel", period="week", delivery="grps")
CURVE = HillSaturation(half_saturation=100.0, slope=1.0)


def delivery(**campaigns):
    rows = [
        (name, "TV", week + 1, grps)
        for name, series in campaigns.items()
        for week, grps in enumerate(series)
    ]
    return pd.DataFrame(rows, columns=["campaign", "channel", "week", "grps"])


def ratio(table, adstock, curve, *, semantics="channel_curve", **options):
    return increment_ratio(
        table,
        {"TV": ChannelTransform(adstock, curve)},
        columns=COLUMNS,
        periods=[1, 2, 3],
        semantics=semantics,
        **({"off": table["campaign"] == "A"} | options),
    )


def test_channel_curve_by_its_formula():
    table = delivery(A=[100.0, 50.0, 0.0], B=[100.0, 200.0, 100.0])
    f = CURVE.of
    increment = attributed = 0.0
    for a, b in ((100.0, 100.0), (50.0, 200.0)):
        whole = f(np.array([a + b]))[0]
        increment += whole - f(np.array([b]))[0]
        attributed += whole * a / (a + b)
    found = ratio(table, NoAdstock(), CURVE, window=[1, 2])
    assert found == pytest.approx(increment / attributed, rel=1e-12)
    assert found < 0.6  # concave: the last GRPs of a channel bring less than all do on average


def test_own_curves_and_straight_lines_lose_what_is_attributed():
    table = delivery(A=[100.0, 50.0, 30.0], B=[100.0, 200.0, 100.0])
    assert ratio(table, NoAdstock(), CURVE, semantics="own_curve") == pytest.approx(1.0)
    assert ratio(table, NoAdstock(), NoSaturation()) == pytest.approx(1.0)


def test_carry_over_from_before_stays_and_after_is_lost():
    table = delivery(A=[100.0, 100.0, 0.0], B=[10.0, 10.0, 10.0])
    adstock = GeometricAdstock(decay=0.5, l_max=3, normalise=False)
    off = (table["campaign"] == "A") & (table["week"] == 2)
    week = ratio(table, adstock, NoSaturation(), off=off)
    assert week == pytest.approx(100.0 / 150.0)
    longer = ratio(table, adstock, NoSaturation(), off=off, window=[2, 3])
    assert longer == pytest.approx((100.0 + 50.0) / (150.0 + 75.0))


def test_a_whole_channel_is_what_is_attributed():
    table = delivery(A=[100.0, 50.0, 30.0], B=[100.0, 200.0, 100.0])
    off = np.ones(len(table), dtype=bool)
    assert ratio(table, NoAdstock(), CURVE, off=off) == pytest.approx(1.0)


def test_faults():
    table = delivery(A=[100.0, 50.0, 30.0])
    with pytest.raises(ValueError, match="one by one"):
        ratio(table, NoAdstock(), CURVE, off=[True])
    with pytest.raises(ValueError, match="got no rows"):
        ratio(table, NoAdstock(), CURVE, off=np.zeros(3, dtype=bool))
    two = pd.concat([table, table.assign(channel="Radio", campaign="R")], ignore_index=True)
    with pytest.raises(ValueError, match="got TV, Radio"):
        ratio(two, NoAdstock(), CURVE, off=np.ones(6, dtype=bool))
    idle = delivery(A=[0.0, 0.0, 30.0], B=[10.0, 10.0, 10.0])
    with pytest.raises(ValueError, match="no exposure in the window"):
        ratio(idle, NoAdstock(), CURVE, window=[1])
