"""A small mix model of two geos: its spec, and series that follow it."""

import tomllib

import numpy as np
import pandas as pd

from bayes_attrib.exposure import carry_over, geometric_weights, hill, normalised
from bayes_attrib.mmm_fit.schema import MmmSpec

SPEC = """
schema_version = 1
kind = "mmm"
name = "small"

[columns]
date = "week"
target = "sales"
channels = ["TV", "Search"]
controls = ["promotion"]
geo = "geo"

[adstock]
kind = "geometric"
l_max = 3

[saturation]
kind = "hill"

[baseline]
yearly_seasonality = 0
trend = "linear"

[[events]]
name = "fair"
first = "2024-03-04"
last = "2024-03-10"

[inference]
draws = 40
tune = 60
chains = 2

[validation]
holdout = 0.0
"""


def made_series(n_periods=30, seed=1, start="2024-01-01"):
    """A table of two geos whose sales follow the model."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range(start, periods=n_periods, freq="W-MON").strftime("%Y-%m-%d")
    parts = []
    for geo, base in (("north", 500.0), ("south", 300.0)):
        spend = np.rint(rng.uniform(20, 200, size=(n_periods, 2)))
        spend[10:16, 0] = 0.0
        carried = carry_over(spend.T, normalised(geometric_weights(np.array([0.5, 0.2]), l_max=3)))
        brought = hill(carried, np.array([[90.0], [110.0]]), 2.0).T @ [200.0, 150.0]
        promotion = (np.arange(n_periods) % 7 == 3).astype(int)
        sales = base + brought + 80 * promotion + rng.normal(0, 15, n_periods)
        parts.append(
            pd.DataFrame(
                {
                    "week": dates,
                    "geo": geo,
                    "sales": np.round(sales, 2),
                    "TV": spend[:, 0],
                    "Search": spend[:, 1],
                    "promotion": promotion,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def parsed(text=SPEC, **sections):
    """The spec, with some of its sections changed."""
    plain = tomllib.loads(text)
    for name, values in sections.items():
        plain[name] = {**plain.get(name, {}), **values} if isinstance(values, dict) else values
    return MmmSpec.model_validate(plain)
