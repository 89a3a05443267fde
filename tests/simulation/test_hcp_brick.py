"""The hcp_brick generator: exact properties, and marginal facts as statistical tests.

Every statistical test fails by chance once in 10,000 seeds (two-sided); seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes_attrib.simulation import simulate

FALSE_ALARM = 1e-4
Z = stats.norm.isf(FALSE_ALARM / 2)
EFFECTS = {"GP": 0.0, "CARDIO": 0.25, "ENDO": 0.15, "ONCO": 0.35, "PULMO": 0.10}
LARGE = {"n_entities": 20_000, "n_aggregates": 3_000}


def z_of_mean(values, expected_mean):
    """Standard score of a sample mean, with the sample's own standard error."""
    values = np.asarray(values, dtype=float)
    return (values.mean() - expected_mean) / (values.std(ddof=1) / math.sqrt(len(values)))


def expected_per_pair(tables):
    """True rate times exposure, through the written tables alone."""
    rate = tables.entities.set_index("hcp_id")["rate_true"]
    return tables.exposures["hcp_id"].map(rate) * tables.exposures["visits"]


def expected_per_brick(tables):
    """Expected total of every brick with HCPs, and its observed total."""
    expected = expected_per_pair(tables).groupby(tables.exposures["brick_id"]).sum()
    return tables.aggregates.set_index("brick_id")["units"].loc[expected.index], expected


@pytest.fixture(scope="module")
def large():
    return simulate("hcp_brick", seed=5, options=LARGE)


@pytest.fixture(scope="module")
def default():
    return simulate("hcp_brick", seed=1)


def test_sizes_and_columns(default):
    assert len(default.entities) == 400
    assert len(default.aggregates) == 80
    assert list(default.aggregates) == ["brick_id", "units"]
    assert list(default.exposures) == ["hcp_id", "brick_id", "visits", "amount"]
    assert list(default.entities) == [
        "hcp_id", "specialty", "seniority", "potential", "rate_true",
    ]  # fmt: skip


def test_keys_are_unique_and_known(default):
    assert default.aggregates["brick_id"].is_unique
    assert default.entities["hcp_id"].is_unique
    assert not default.exposures.duplicated(["hcp_id", "brick_id"]).any()
    assert set(default.exposures["hcp_id"]) == set(default.entities["hcp_id"])
    assert set(default.exposures["brick_id"]) <= set(default.aggregates["brick_id"])
    assert default.entities["hcp_id"].iloc[[0, -1]].tolist() == ["HCP001", "HCP400"]


@pytest.mark.parametrize(
    "options",
    [{}, {"alpha": 0.5}, {"phi": 3.0}, {"zero_inflation": 0.3}, {"brick_effect_sd": 1.0}],
)
def test_amounts_add_up_to_the_units_exactly(options):
    tables = simulate("hcp_brick", seed=2, options=options)
    amounts = dict.fromkeys(tables.aggregates["brick_id"], 0)
    for brick, amount in zip(tables.exposures["brick_id"], tables.exposures["amount"], strict=True):
        amounts[brick] += amount
    assert amounts == dict(tables.aggregates.itertuples(index=False))
    assert tables.exposures["amount"].dtype == tables.aggregates["units"].dtype == np.int64
    assert tables.exposures["amount"].min() >= 0


def test_rates_follow_the_formula(default):
    for hcp in default.entities.itertuples():
        log_rate = -0.3 + 0.2 * hcp.seniority / 10 + 0.55 * math.log(1 + hcp.potential)
        assert hcp.rate_true == pytest.approx(math.exp(log_rate + EFFECTS[hcp.specialty]), abs=1e-6)


def test_visits_are_whole_or_one_half(large):
    visits = large.exposures["visits"]
    assert visits.min() == 0.5
    assert ((visits == 0.5) | ((visits >= 1) & (visits % 1 == 0))).all()


@pytest.mark.statistical
def test_specialty_shares(large):
    observed = large.entities["specialty"].value_counts()
    shares = {"GP": 0.45, "CARDIO": 0.18, "ENDO": 0.15, "ONCO": 0.12, "PULMO": 0.10}
    expected = {name: share * 20_000 for name, share in shares.items()}
    test = stats.chisquare([observed[name] for name in expected], list(expected.values()))
    assert test.pvalue > FALSE_ALARM


@pytest.mark.statistical
def test_seniority_is_uniform_over_0_to_20_years(large):
    counts = large.entities["seniority"].value_counts()
    assert sorted(counts.index) == list(range(21))
    assert stats.chisquare(counts).pvalue > FALSE_ALARM


@pytest.mark.statistical
def test_potential_is_lognormal(large):
    log_potential = np.log(large.entities["potential"])
    assert stats.kstest(log_potential, stats.norm(0, 0.6).cdf).pvalue > FALSE_ALARM


@pytest.mark.statistical
def test_bricks_per_hcp_are_a_poisson_of_at_least_one(large):
    per_hcp = large.exposures.groupby("hcp_id").size().clip(upper=8)
    law = stats.poisson(2.5)
    probability = [law.cdf(1), *(law.pmf(k) for k in range(2, 8)), law.sf(7)]
    observed = [(per_hcp == k).sum() for k in range(1, 9)]
    expected = [20_000 * p for p in probability]
    assert stats.chisquare(observed, expected).pvalue > FALSE_ALARM


@pytest.mark.statistical
def test_brick_popularity_is_lognormal(large):
    """HCPs per brick: a Poisson mixture, whose log-scale sd is recovered from its moments."""
    per_brick = large.exposures.groupby("brick_id").size().reindex(large.aggregates["brick_id"])
    counts = per_brick.fillna(0).to_numpy()
    mean = counts.mean()
    excess = (counts - mean) ** 2 - counts  # its mean estimates the variance of the intensity
    assert abs(z_of_mean(excess, mean**2 * math.expm1(0.7**2))) < Z


@pytest.mark.statistical
def test_visits_have_their_mean(large):
    """On the first pair of each HCP, as pairs of one HCP share visits."""
    first = large.exposures.drop_duplicates("hcp_id").merge(large.entities, on="hcp_id")
    mean = 3.5 + 0.15 * first["seniority"]
    assert abs(z_of_mean(first["visits"] - (mean + 0.5 * np.exp(-mean)), 0.0)) < Z


@pytest.mark.statistical
def test_pairs_of_one_hcp_share_visits(large):
    """The covariance of two pairs' visits, given seniority, is that of the shared Poisson: 2.5."""
    pairs = large.exposures.merge(large.entities, on="hcp_id")
    pairs["centred"] = pairs["visits"] - (3.5 + 0.15 * pairs["seniority"])
    pairs["place"] = pairs.groupby("hcp_id").cumcount()
    wide = pairs.pivot_table(index="hcp_id", columns="place", values="centred")
    product = (wide[0] * wide[1]).dropna().to_numpy()  # of the HCPs with two bricks or more
    # The floor takes at most .5 exp(-3.5) from a visit: allow .06 of bias beside the noise.
    assert abs(product.mean() - 2.5) < 0.06 + Z * product.std() / math.sqrt(len(product))


@pytest.mark.statistical
def test_amounts_are_poisson(large):
    expected = expected_per_pair(large)
    amount = large.exposures["amount"]
    assert abs(z_of_mean(amount - expected, 0.0)) < Z
    assert abs(z_of_mean((amount - expected) ** 2 / expected, 1.0)) < Z


@pytest.mark.statistical
def test_alpha_makes_bricks_overdispersed():
    tables = simulate("hcp_brick", seed=6, options={**LARGE, "alpha": 4.0})
    units, mu = expected_per_brick(tables)
    assert abs(z_of_mean((units - mu) ** 2 / (mu + mu**2 / 4.0), 1.0)) < Z
    assert ((units - mu) ** 2 / mu).mean() > 5  # a Poisson would give 1


@pytest.mark.statistical
def test_phi_makes_pairs_overdispersed():
    tables = simulate("hcp_brick", seed=7, options={**LARGE, "phi": 2.0})
    expected = expected_per_pair(tables)
    assert abs(z_of_mean(tables.exposures["amount"] - expected, 0.0)) < Z
    pearson = (tables.exposures["amount"] - expected) ** 2 / expected
    assert abs(z_of_mean(pearson, 3.0)) < Z
    zeros = (tables.exposures["amount"] == 0).to_numpy(dtype=float)
    p_zero = stats.nbinom.pmf(0, expected / 2.0, 1 / 3)
    assert abs(zeros.sum() - p_zero.sum()) < Z * math.sqrt((p_zero * (1 - p_zero)).sum())


@pytest.mark.statistical
def test_zero_inflation_empties_bricks():
    tables = simulate("hcp_brick", seed=8, options={**LARGE, "zero_inflation": 0.2})
    units, mu = expected_per_brick(tables)
    sure = mu > 20  # a Poisson zero has probability below 1e-8 there
    n, empty = int(sure.sum()), int((units[sure] == 0).sum())
    assert stats.binomtest(empty, n, 0.2).pvalue > FALSE_ALARM


@pytest.mark.statistical
def test_brick_effects_scatter_bricks():
    sizes = {"n_entities": 60_000, "n_aggregates": 20_000}
    tables = simulate("hcp_brick", seed=9, options={**sizes, "brick_effect_sd": 0.5})
    units, mu = expected_per_brick(tables)
    assert abs(z_of_mean((units - mu) / mu, 0.0)) < Z  # factors have mean one
    assert abs(z_of_mean(((units - mu) ** 2 - units) / mu**2, math.expm1(0.25))) < Z


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("options", "attraction"),
    [
        ({"visits_on_potential": 1.0}, lambda hcps: hcps["potential"]),
        (
            {"visits_on_specialty": 3.0},
            lambda hcps: np.exp(3.0 * hcps["specialty"].map(EFFECTS)),
        ),
    ],
)
def test_visits_can_depend_on_what_drives_the_rate(options, attraction):
    tables = simulate("hcp_brick", seed=10, options={**LARGE, **options})
    first = tables.exposures.drop_duplicates("hcp_id").merge(tables.entities, on="hcp_id")
    mean = (3.5 + 0.15 * first["seniority"]) * attraction(first)
    residual = first["visits"] - (mean + 0.5 * np.exp(-mean))
    assert abs(z_of_mean(residual, 0.0)) < Z
    assert abs(z_of_mean(residual * np.log(attraction(first)), 0.0)) < Z
    assert np.corrcoef(first["visits"], first["rate_true"])[0, 1] > 0.3


@pytest.mark.parametrize(
    "options", [{"alpha": 1.0}, {"phi": 1.0}, {"zero_inflation": 0.5}, {"brick_effect_sd": 1.0}]
)
def test_a_noise_switch_changes_nothing_but_amounts(default, options):
    switched = simulate("hcp_brick", seed=1, options=options)
    pd.testing.assert_frame_equal(switched.entities, default.entities)
    exposed = ["hcp_id", "brick_id", "visits"]
    pd.testing.assert_frame_equal(switched.exposures[exposed], default.exposures[exposed])
    assert not switched.exposures["amount"].equals(default.exposures["amount"])


@pytest.mark.parametrize("sizes", [(1, 1), (1, 50), (300, 2)])
def test_extreme_sizes(sizes):
    n_entities, n_aggregates = sizes
    options = {"n_entities": n_entities, "n_aggregates": n_aggregates}
    tables = simulate("hcp_brick", seed=1, options=options)
    assert (len(tables.entities), len(tables.aggregates)) == sizes
    per_hcp = tables.exposures.groupby("hcp_id").size()
    assert per_hcp.between(1, n_aggregates).all()
    assert tables.exposures["amount"].sum() == tables.aggregates["units"].sum()
