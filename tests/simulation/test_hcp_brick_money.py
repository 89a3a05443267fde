"""The hcp_brick generator in money, over months, and with an outlier.

Every statistical test fails by chance once in 10,000 seeds (two-sided); seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes_attrib.errors import SpecError
from bayes_attrib.simulation import simulate

FALSE_ALARM = 1e-4
Z = stats.norm.isf(FALSE_ALARM / 2)
LARGE = {"n_entities": 8_000, "n_aggregates": 2_000}
MONEY = {"family": "gamma", "alpha": 5.0, "price": 60.0}
MONTHS = {"n_periods": 12, "drift_sd": 0.2}
FAMILIES = [
    {"family": "gamma", "alpha": 5.0},
    {"family": "gamma", "phi": 80.0},
    {"family": "lognormal", "sigma_total": 0.8},
    {"family": "lognormal", "sigma_pair": 0.8},
]


def pairs(tables):
    """Pairs with what is expected of them, through the written tables alone."""
    rows = tables.exposures.merge(tables.entities[["hcp_id", "specialty", "rate_true"]])
    drift = rows.get("drift_true", 0.0)
    return rows.assign(expected=rows["rate_true"] * rows["visits"] * np.exp(drift))


def cells(tables):
    """Totals beside their expectations, of the bricks (and months) with HCPs."""
    keys = list(tables.spec_columns.aggregate)
    expected = pairs(tables).groupby(keys)["expected"].sum()
    totals = tables.aggregates.set_index(keys)[tables.spec_columns.total]
    return totals.loc[expected.index], expected


def is_law(values, law):
    return stats.kstest(values, law.cdf).pvalue > FALSE_ALARM


@pytest.fixture(scope="module")
def units():
    return simulate("hcp_brick", seed=1)


@pytest.mark.parametrize("options", [*FAMILIES, {**MONEY, "zero_inflation": 0.3, "outlier": 9.0}])
def test_money_has_columns_of_its_own_and_adds_up(options, units):
    tables = simulate("hcp_brick", seed=1, options={**options, "price": 60.0})
    assert list(tables.aggregates) == ["brick_id", "sales"]
    assert list(tables.exposures) == ["hcp_id", "brick_id", "visits", "amount"]
    sums = tables.exposures.groupby("brick_id")["amount"].sum()
    totals = tables.aggregates.set_index("brick_id")["sales"]
    np.testing.assert_allclose(sums.reindex(totals.index).fillna(0.0), totals, rtol=1e-13)
    assert tables.exposures["amount"].dtype == tables.aggregates["sales"].dtype == np.float64
    kept = ["hcp_id", "brick_id", "visits"]
    pd.testing.assert_frame_equal(tables.exposures[kept], units.exposures[kept])


def test_the_price_turns_rates_into_money(units):
    tables = simulate("hcp_brick", seed=1, options=MONEY)
    np.testing.assert_allclose(
        tables.entities["rate_true"], 60.0 * units.entities["rate_true"], atol=4e-5
    )
    assert tables.entities.drop(columns="rate_true").equals(
        units.entities.drop(columns="rate_true")
    )


@pytest.mark.parametrize(
    ("named", "inferred"),
    [
        ({"family": "poisson"}, {}),
        ({"family": "negative_binomial", "alpha": 2.0}, {"alpha": 2.0}),
        ({"family": "negative_binomial", "phi": 2.0}, {"phi": 2.0}),
    ],
)
def test_families_of_counts_are_inferred(named, inferred):
    first, second = (simulate("hcp_brick", seed=1, options=o) for o in (named, inferred))
    pd.testing.assert_frame_equal(first.exposures, second.exposures)
    pd.testing.assert_frame_equal(first.aggregates, second.aggregates)
    assert first.options.noise == second.options.noise == named["family"]


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("options", "law"),
    [
        (FAMILIES[0], stats.gamma(5.0, scale=0.2)),
        (FAMILIES[2], stats.lognorm(0.8, scale=math.exp(-0.32))),
    ],
)
def test_noise_of_bricks_is_shared_by_their_hcps(options, law):
    rows = pairs(simulate("hcp_brick", seed=2, options={**LARGE, **options}))
    factor = (rows["amount"] / rows["expected"]).groupby(rows["brick_id"]).agg(["min", "max"])
    assert (factor["max"] / factor["min"] - 1).max() < 1e-7
    assert is_law(factor["min"], law)


@pytest.mark.statistical
def test_gamma_noise_of_pairs_has_variance_phi_times_the_mean():
    """Through the probability integral transform of every single pair, and of every total."""
    options = {**FAMILIES[1], "n_entities": 20_000, "n_aggregates": 3_000, "price": 60.0}
    tables = simulate("hcp_brick", seed=3, options=options)
    rows, (totals, expected) = pairs(tables), cells(tables)
    for amounts, means in ((rows["amount"], rows["expected"]), (totals, expected)):
        quantiles = stats.gamma.cdf(amounts, means / 80.0, scale=80.0)
        assert is_law(quantiles, stats.uniform)
    squares = (rows["amount"] - rows["expected"]) ** 2 / (80.0 * rows["expected"])
    assert abs(squares.mean() - 1.0) < Z * squares.std() / math.sqrt(len(squares))


@pytest.mark.statistical
def test_lognormal_noise_of_pairs():
    rows = pairs(simulate("hcp_brick", seed=4, options={**LARGE, **FAMILIES[3]}))
    assert is_law(np.log(rows["amount"] / rows["expected"]), stats.norm(-0.32, 0.8))


@pytest.mark.statistical
def test_hcps_can_have_effects_of_their_own():
    sizes = {**LARGE, "price": 60.0, "family": "gamma", "alpha": 5.0}
    plain, own = (
        simulate("hcp_brick", seed=5, options={**sizes, "sigma_entity": sd}) for sd in (0.0, 0.25)
    )
    ratio = np.log(own.entities["rate_true"] / plain.entities["rate_true"])
    assert is_law(ratio, stats.norm(0, 0.25))
    assert own.exposures["visits"].equals(plain.exposures["visits"])


@pytest.mark.parametrize("family", FAMILIES[::2])
def test_an_outlier_multiplies_the_brick_in_which_most_is_expected(family):
    plain, heavy = (
        simulate("hcp_brick", seed=6, options={**family, "outlier": factor})
        for factor in (1.0, 12.0)
    )
    totals, expected = cells(plain)
    ratio = cells(heavy)[0] / totals
    assert ratio.idxmax() == expected.idxmax()
    assert ratio.max() == pytest.approx(12.0, rel=1e-7)
    assert (ratio.drop(ratio.idxmax()) == 1.0).all()


def test_an_outlier_of_counts_stays_a_count():
    tables = simulate("hcp_brick", seed=6, options={"outlier": 12.0})
    totals, expected = cells(tables)
    assert totals.dtype == np.int64
    brick = expected.idxmax()
    assert abs(totals[brick] - 12 * expected[brick]) < 6 * math.sqrt(12 * expected[brick])
    others = totals.drop(brick), expected.drop(brick)
    assert (abs(others[0] - others[1]) < 6 * np.sqrt(others[1]) + 10).all()


def test_an_outlier_is_not_wasted_on_a_brick_that_sells_nothing():
    sizes = {"n_entities": 30, "n_aggregates": 6}
    for seed in range(20):
        options = {**MONEY, **sizes, "zero_inflation": 0.6, "outlier": 100.0}
        totals, expected = cells(simulate("hcp_brick", seed=seed, options=options))
        if totals.any():
            assert (totals / expected).max() > 8  # P(Gamma(5, 5) < .08) is below 1e-4


@pytest.mark.statistical
def test_bricks_can_sell_nothing_in_money_too():
    tables = simulate("hcp_brick", seed=7, options={**LARGE, **MONEY, "zero_inflation": 0.2})
    totals, _ = cells(tables)
    assert stats.binomtest(int((totals == 0).sum()), len(totals), 0.2).pvalue > FALSE_ALARM


@pytest.mark.parametrize("options", [{}, {"alpha": 3.0, "zero_inflation": 0.2}, MONEY])
def test_months_make_aggregates_of_brick_and_month(options):
    tables = simulate("hcp_brick", seed=8, options={**options, **MONTHS})
    keys = ["brick_id", "month"]
    assert list(tables.spec_columns.aggregate) == keys
    assert list(tables.aggregates)[:2] == keys
    assert list(tables.exposures) == ["hcp_id", *keys, "visits", "amount", "drift_true"]
    assert len(tables.aggregates) == 80 * 12
    assert tables.aggregates["month"].tolist()[:13:6] == ["2025-01", "2025-07", "2025-01"]
    assert not tables.exposures.duplicated(["hcp_id", *keys]).any()
    sums = tables.exposures.groupby(keys)["amount"].sum()
    totals = tables.aggregates.set_index(keys)[tables.spec_columns.total]
    np.testing.assert_allclose(sums.reindex(totals.index).fillna(0), totals, rtol=1e-13)


def test_months_keep_hcps_and_their_bricks_and_have_visits_of_their_own(units):
    tables = simulate("hcp_brick", seed=1, options={"n_periods": 3})
    assert "drift_true" not in tables.exposures
    pd.testing.assert_frame_equal(tables.entities, units.entities)
    months = [rows for _, rows in tables.exposures.groupby("month")]
    for rows in months:
        met = rows[["hcp_id", "brick_id"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(met, units.exposures[["hcp_id", "brick_id"]])
    assert months[0]["visits"].tolist() == units.exposures["visits"].tolist()
    assert months[1]["visits"].tolist() != months[0]["visits"].tolist()


@pytest.mark.statistical
def test_visits_of_each_month_follow_the_same_law():
    tables = simulate("hcp_brick", seed=9, options={"n_entities": 5_000, "n_periods": 3})
    first = tables.exposures.drop_duplicates(["hcp_id", "month"]).merge(tables.entities)
    mean = 3.5 + 0.15 * first["seniority"]
    excess = first["visits"] - (mean + 0.5 * np.exp(-mean))
    for _, of_month in excess.groupby(first["month"]):
        z = of_month.mean() / (of_month.std() / math.sqrt(len(of_month)))
        assert abs(z) < Z
    months = [of_month.to_numpy() for _, of_month in excess.groupby(first["month"])]
    assert abs(np.corrcoef(months)[0, 1]) < Z / math.sqrt(5_000)


@pytest.mark.statistical
def test_rates_of_a_specialty_walk_at_random_around_the_true_rate():
    options = {"n_entities": 60, "n_aggregates": 5, "n_periods": 400, "drift_sd": 0.05}
    rows = pairs(simulate("hcp_brick", seed=10, options=options))
    drift = rows.groupby(["specialty", "month"])["drift_true"].agg(["min", "max"])
    assert (drift["min"] == drift["max"]).all()
    path = drift["min"].to_numpy().reshape(5, 400)
    np.testing.assert_allclose(path.mean(axis=1), 0.0, atol=1e-6)
    steps = np.diff(path, axis=1)
    assert is_law(steps.ravel(), stats.norm(0, 0.05))
    assert abs(np.corrcoef(steps[:, 1:].ravel(), steps[:, :-1].ravel())[0, 1]) < Z / math.sqrt(1990)


@pytest.mark.statistical
def test_amounts_follow_the_drift():
    tables = simulate("hcp_brick", seed=11, options={"n_entities": 4_000, **MONTHS})
    rows = pairs(tables)
    z = (rows["amount"] - rows["expected"]).groupby([rows["specialty"], rows["month"]]).sum()
    z /= np.sqrt(rows.groupby(["specialty", "month"])["expected"].sum())
    assert len(z) == 60
    assert z.abs().max() < stats.norm.isf(FALSE_ALARM / 2 / len(z))
    assert rows["drift_true"].std() > 0.2  # without drift, z would reach 10 and more


def test_brick_effects_last_and_luck_does_not():
    options = {"family": "gamma", "alpha": 1e6, "brick_effect_sd": 0.5, "n_periods": 6}
    totals, expected = cells(simulate("hcp_brick", seed=12, options=options))
    factor = np.log(totals / expected).groupby("brick_id")
    assert factor.std().max() < 0.01
    assert factor.mean().std() > 0.3
    fickle = {"family": "gamma", "alpha": 4.0, "n_periods": 6}
    totals, expected = cells(simulate("hcp_brick", seed=12, options=fickle))
    assert np.log(totals / expected).groupby("brick_id").std().median() > 0.3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"family": "gamma"}, "family 'gamma' needs alpha, or phi, to be set"),
        ({"family": "lognormal", "phi": 1.0}, "takes sigma_total or sigma_pair; got phi"),
        ({"family": "poisson", "alpha": 1.0}, "family 'poisson' has no dispersion; got alpha"),
        ({"sigma_total": 0.3}, "family 'poisson' has no dispersion; got sigma_total"),
        (
            {"family": "lognormal", "sigma_total": 0.3, "sigma_pair": 0.3},
            "sigma_total puts the overdispersion on bricks and sigma_pair on pairs",
        ),
        ({"price": 2.0}, "a price of 2 makes money, which is no poisson"),
        ({"drift_sd": 0.1}, "needs time to drift in: set n_periods to 2 or more"),
        ({"n_entities": 50_000, "n_periods": 120}, "6,000,000, more than the 5,000,000"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(SpecError, match=message):
        simulate("hcp_brick", seed=1, options=options)
