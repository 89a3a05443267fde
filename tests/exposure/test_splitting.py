"""An entity cut into proportional parts: what happens to all others before any posterior."""

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.baselines import fit_em, fit_proportional
from bayes_attrib.exposure import (
    ChannelTransform,
    DeliveryColumns,
    GeometricAdstock,
    HillSaturation,
    build_exposures,
)
from bayes_attrib.inputs import AggregateData

PARTS = (0.2, 0.3, 0.5)
COLUMNS = DeliveryColumns("campaign", "channel", "period")
TV = ChannelTransform(
    GeometricAdstock(decay=0.6, l_max=5, normalise=True),
    HillSaturation(half_saturation=60.0, slope=1.7),
)


def delivery():
    rng = np.random.default_rng(3)
    rows = [
        ("TV", week + 1, name, rng.uniform(1, 60) * (rng.random() < 0.7))
        for name in "ABCD"
        for week in range(30)
    ]
    return pd.DataFrame(rows, columns=["channel", "period", "campaign", "delivery"])


def in_parts(table):
    whole = table["campaign"] == "A"
    parts = [
        table[whole].assign(campaign=f"A{i}", delivery=table["delivery"] * part)
        for i, part in enumerate(PARTS)
    ]
    return pd.concat([*parts, table[~whole]])


def exposures(table, semantics):
    found = build_exposures(
        table, {"TV": TV}, columns=COLUMNS, periods=list(range(1, 31)), semantics=semantics
    )
    wide = found.pivot_table(index="period", columns="campaign", values="exposure")
    return wide.reindex(range(1, 31)).fillna(0.0)


def test_the_channels_curve_leaves_all_others_as_they_are():
    whole, parts = (exposures(t, "channel_curve") for t in (delivery(), in_parts(delivery())))
    np.testing.assert_allclose(parts[list("BCD")], whole[list("BCD")], rtol=1e-13)
    for i, part in enumerate(PARTS):
        np.testing.assert_allclose(parts[f"A{i}"], part * whole["A"], rtol=1e-13)


def test_the_curve_of_each_gives_parts_another_sum():
    whole, parts = (exposures(t, "own_curve") for t in (delivery(), in_parts(delivery())))
    np.testing.assert_array_equal(parts[list("BCD")], whole[list("BCD")])
    assert parts.filter(like="A").sum().sum() < 0.8 * whole["A"].sum()


@pytest.mark.parametrize("fit", [fit_proportional, fit_em])
def test_point_estimates_give_all_others_what_they_had(fit):
    whole, parts = (exposures(t, "channel_curve") for t in (delivery(), in_parts(delivery())))
    rates = np.array([3.0, 1.0, 2.0, 4.0])
    rng = np.random.default_rng(8)
    totals = rng.poisson(400.0 * whole.to_numpy() @ rates).astype(float)
    amounts = []
    for table in (whole, parts):
        data = AggregateData.from_dense(
            table.to_numpy(), totals, entity_names=list(map(str, table.columns))
        )
        found = pd.Series(fit(data).entity_amount, data.entity_names)
        amounts.append(found)
    before, after = amounts
    np.testing.assert_allclose(after[list("BCD")], before[list("BCD")], rtol=1e-4)
    assert after.filter(like="A").sum() == pytest.approx(before["A"], rel=1e-4)
