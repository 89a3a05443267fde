"""Exposures of large tables, in processor time so that other work on the machine counts less."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.exposure import (
    ChannelTransform,
    DeliveryColumns,
    GeometricAdstock,
    HillSaturation,
    build_exposures,
)

GEOS = [f"G{i}" for i in range(5)]
CHANNELS = [f"channel {i}" for i in range(10)]


def year_of(n_creatives):
    """Delivery on every day of a year, of each creative in each geo."""
    days = pd.date_range("2025-01-01", "2025-12-31")
    index = pd.MultiIndex.from_product(
        [[f"creative {i}" for i in range(n_creatives)], GEOS, days],
        names=["creative", "geo", "day"],
    )
    table = index.to_frame(index=False)
    table["channel"] = np.repeat(np.resize(CHANNELS, n_creatives), len(GEOS) * len(days))
    table["impressions"] = np.random.default_rng(5).gamma(1.0, 100.0, len(table))
    return table, days


@pytest.mark.parametrize(("n_creatives", "seconds"), [(200, 1.0), (550, 5.0)])
@pytest.mark.parametrize("semantics", ["own_curve", "channel_curve"])
def test_a_year_of_days_in_five_geos(n_creatives, seconds, semantics):
    table, days = year_of(n_creatives)
    transforms = {
        (channel, geo): ChannelTransform(
            GeometricAdstock(0.5 + i / 50, l_max=14), HillSaturation(100.0 + j, 1.5)
        )
        for i, channel in enumerate(CHANNELS)
        for j, geo in enumerate(GEOS)
    }
    start = time.process_time()
    found = build_exposures(
        table,
        transforms,
        columns=DeliveryColumns("creative", "channel", "day", "impressions", geo="geo"),
        periods=days,
        semantics=semantics,
    )
    assert time.process_time() - start < seconds
    assert len(found) == len(table) == n_creatives * 5 * 365
