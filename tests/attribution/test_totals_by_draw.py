"""Totals that vary by draw: what they are split into, and what the variance comes from."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.attribution import allocate, attribute, draw_grains, grain_of
from bayes_attrib.baselines import fit_em, fit_proportional
from bayes_attrib.errors import FitError
from bayes_attrib.inference import DrawMatrix, ExpectedDraws
from bayes_attrib.inference.given_totals import GivenTotals, pair_totals, with_mean
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.drawn_totals import DrawnTotals
from bayes_attrib.model.families import FAMILIES
from bayes_attrib.spec import IntervalSpec

N_AGGREGATES, N_ENTITIES, N = 12, 4, 4000
NOISE = {"phi": 0.7, "alpha": 8.0, "sigma_total": 0.4, "pi": 0.1}
OF_MONEY = [key for key, family in FAMILIES.items() if not family.counts]


def exposed(seed=0):
    rng = np.random.default_rng(seed)
    exposure = rng.gamma(2.0, 1.0, (N_AGGREGATES, N_ENTITIES))
    exposure[rng.random(exposure.shape) < 0.3] = 0.0
    exposure[:, 0] = 1.0
    return AggregateData.from_dense(
        exposure,
        rng.gamma(5.0, 4.0, N_AGGREGATES),
        groupings={"channel": ["tv", "tv", "web", "web"]},
    )


DATA = exposed()


def common_factor(n, seed=1, cv=0.3):
    """Draws of all totals that rise and fall together, with a little of their own."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((1, n)) + 0.2 * rng.standard_normal((N_AGGREGATES, n))
    return DATA.totals[:, None] * np.exp(cv * z - cv**2 * 1.04 / 2)


def rates(n=N, seed=2):
    return np.exp(0.4 * np.random.default_rng(seed).standard_normal((N_ENTITIES, n)))


def paired(n_mmm=1000, n=N, seed=3):
    drawn = common_factor(n_mmm)
    totals = drawn.mean(axis=1)
    return totals, GivenTotals(*pair_totals(DrawnTotals(drawn), totals, n, seed), "paired")


def with_totals(totals):
    return AggregateData.from_dense(
        DATA.exposure.toarray(),
        totals,
        groupings={"channel": ["tv", "tv", "web", "web"]},
    )


def attributed(data, rate, given, key=("gamma", "aggregate"), seed=4):
    family = FAMILIES[key]
    return attribute(
        ExpectedDraws(data, DrawMatrix.of(rate), (), given),
        family,
        {name: np.full(rate.shape[1], NOISE[name]) for name in family.parameters},
        baselines={"em": fit_em(data), "proportional": fit_proportional(data)},
        interval=IntervalSpec(),
        rng=np.random.default_rng(seed),
        variance=True,
    )


def parts_of(result):
    table = result.variance
    return table[[c for c in table if c.startswith("variance_from_")]].to_numpy()


@pytest.mark.parametrize("key", OF_MONEY)
def test_every_draw_sums_to_its_own_total_and_means_to_the_ledger(key):
    totals, given = paired(n=400)
    given.values[3, :5] = 0.0  # a hurdle that a draw of the mix model did not take
    family = FAMILIES[key]
    mean = ExpectedDraws(with_totals(totals), DrawMatrix.of(rates(400)), (), given)
    noise = {name: np.full(400, NOISE[name]) for name in family.parameters}
    (found,) = draw_grains(
        mean, family, noise, [grain_of(DATA, ["aggregate"])], np.random.default_rng(5)
    )
    rows = [int(label[1:]) - 1 for label in found.labels["aggregate"]]
    wanted = given.rows(np.array(rows))
    amounts = found.amounts.rows(slice(None))
    np.testing.assert_allclose(amounts, wanted, rtol=1e-9, atol=0)
    assert np.all(amounts[rows.index(3)][np.isin(given.of_draw, range(5))] == 0.0)
    made = allocate(mean, family, noise, interval=IntervalSpec(), rng=np.random.default_rng(5))
    assert made.largest_residual <= 1e-9 * wanted.max()


def test_means_reconcile_with_the_totals_and_with_the_table():
    totals, given = paired(n_mmm=700)  # 4000 draws are no multiple of it
    result = attributed(with_totals(totals), rates(), given)
    rows = result.table.query("level == 'entity'")
    assert rows["amount_mean"].sum() == pytest.approx(totals.sum(), rel=1e-12)
    assert rows["share_mean"].sum() == pytest.approx(1.0, rel=1e-12)
    by_aggregate = result.cells.groupby("aggregate", sort=False)["amount_mean"].sum()
    np.testing.assert_allclose(by_aggregate, totals, rtol=1e-12)


def test_pairing_uses_draws_equally_often_and_keeps_their_correlations():
    drawn = DrawnTotals(common_factor(1000))
    totals = drawn.values.mean(axis=1)
    values, of_draw = pair_totals(drawn, totals, N, seed=3)
    np.testing.assert_array_equal(np.bincount(of_draw), np.full(1000, 4))
    np.testing.assert_allclose(values, drawn.values, rtol=1e-12)  # every draw is used: factor 1
    again = pair_totals(drawn, totals, N, seed=3)[1]
    other = pair_totals(drawn, totals, N, seed=8)[1]
    np.testing.assert_array_equal(of_draw, again)
    assert not np.array_equal(of_draw, other)
    # By lot: the places of partners in two chains are not correlated (5 standard errors).
    place = np.corrcoef(of_draw, np.arange(N) % 1000)[0, 1]
    assert abs(place) < 5 / np.sqrt(N)


def test_channel_sums_keep_the_spread_of_common_draws_and_shuffled_ones_do_not():
    """Draws that are shuffled within each aggregate have all moments of single totals right."""
    totals, given = paired()
    honest = attributed(with_totals(totals), rates(), given)
    rng = np.random.default_rng(9)
    shuffled = GivenTotals(rng.permuted(given.values, axis=1), given.of_draw, "paired")
    sabotaged = attributed(with_totals(totals), rates(), shuffled)
    wanted = given.values.sum(axis=0).std(ddof=1)

    def spread(result):
        return result.amounts.rows(slice(None)).sum(axis=0).std(ddof=1)

    assert spread(honest) == pytest.approx(wanted, rel=0.01)
    assert spread(sabotaged) < 0.5 * wanted


@pytest.mark.parametrize("treatment", ["plugin", "paired", "cut"])
@pytest.mark.parametrize("key", [("gamma", "aggregate"), ("gamma", "pair")], ids=str)
def test_parts_are_not_negative_and_add_up_exactly(key, treatment):
    totals, given = paired(n_mmm=50)
    if treatment == "plugin":
        given = None
    if treatment == "cut":
        given = GivenTotals(given.values, np.tile(np.repeat(np.arange(50), 20), 4), "cut")
    result = attributed(with_totals(totals), rates(), given, key)
    parts = parts_of(result)
    assert parts.min() >= 0.0
    np.testing.assert_allclose(parts.sum(axis=1), result.variance["variance"], rtol=1e-12)
    np.testing.assert_allclose(
        np.sqrt(result.variance["variance"]), result.table["amount_sd"], rtol=1e-9
    )
    assert (parts[:, 0] == 0).all() == (treatment == "plugin")
    assert (parts[:, 2] == 0).all() == (key == ("gamma", "aggregate"))


def test_parts_are_those_of_a_crossed_design():
    """Every draw of the totals with every draw of the rates: the law of total variance, in full."""
    n_mmm, n_rates = 200, 300
    drawn, rate = common_factor(n_mmm), rates(n_rates)
    totals = drawn.mean(axis=1)
    mu = DATA.exposure.toarray()[:, :, None] * rate
    share = mu / mu.sum(axis=1, keepdims=True)
    crossed = np.einsum("bt,ber->etr", drawn, share)
    from_totals = crossed.mean(axis=2).var(axis=1)
    from_rates = crossed.var(axis=2).mean(axis=1)
    n = n_mmm * n_rates  # every pair once: pairing by lot is then the crossed design itself
    given = GivenTotals(drawn, np.repeat(np.arange(n_mmm), n_rates), "paired")
    every = np.tile(rate, n_mmm)
    assert every.shape == (N_ENTITIES, n)
    exact = parts_of(attributed(with_totals(totals), every, given))[:N_ENTITIES]
    np.testing.assert_allclose(exact[:, 0], from_totals, rtol=1e-3)
    np.testing.assert_allclose(exact[:, 1], from_rates, rtol=1e-3)
    # One partner each, by lot: parts have the relative error of a variance, sqrt(2 / n), at most
    # twice over because totals and rates meet by chance; six of them.
    few = GivenTotals(*pair_totals(DrawnTotals(drawn), totals, N, seed=3), "paired")
    thin = np.tile(rate, -(-N // n_rates))[:, :N]
    estimated = parts_of(attributed(with_totals(totals), thin, few))[:N_ENTITIES]
    total = crossed.reshape(N_ENTITIES, -1).var(axis=1)
    for column, wanted in enumerate((from_totals, from_rates)):
        error = np.abs(estimated[:, column] - wanted) / total
        assert error.max() < 6 * 2 * np.sqrt(2 / N)


def test_interaction_is_counted_with_the_rates():
    totals, given = paired()
    table = attributed(with_totals(totals), rates(), given).variance
    assert (table["variance_of_interaction"] <= table["variance_from_rates"]).all()
    assert (table["variance_of_interaction"] > 0).any()


def made_up_refits(rng, n_refits, n_chains, n, between, within, correlation):
    """Log rates of one entity: refits differ by ``between``, autocorrelated draws by ``within``."""
    centre = between * rng.standard_normal(n_refits)
    noise = np.empty((n_chains, n_refits, n))
    noise[..., 0] = rng.standard_normal((n_chains, n_refits))
    for i in range(1, n):
        fresh = np.sqrt(1 - correlation**2) * rng.standard_normal((n_chains, n_refits))
        noise[..., i] = correlation * noise[..., i - 1] + fresh
    return (centre[:, None] + within * noise).reshape(-1)


@pytest.mark.parametrize("n_chains", [1, 4])
def test_variance_between_refits_is_corrected_for_few_and_correlated_draws(n_chains):
    """Over many worlds the part of the totals is right on average; without correction it is not."""
    rng = np.random.default_rng(12)
    n_refits, n, correlation = 20, 10, 0.6 if n_chains > 1 else 0.0
    found, naive = [], []
    for _ in range(150):
        x = made_up_refits(rng, n_refits, n_chains, n, 0.3, 1.0, correlation)
        of_draw = np.tile(np.repeat(np.arange(n_refits), n), n_chains)
        share = 0.5 + 0.05 * x  # linear, and far from 0 and 1
        rate = np.stack([share / (1 - share), np.ones_like(share)])
        data = AggregateData.from_dense([[1.0, 1.0]], [1.0])
        given = GivenTotals(np.ones((1, n_refits)), of_draw, "cut")
        table = attributed(data, rate, given).variance
        scale = table["estimated_variance"] / table["variance"]
        found.append((table["variance_from_totals"] * scale).iloc[0])
        means = share.reshape(n_chains, n_refits, n).mean(axis=(0, 2))
        naive.append(means.var(ddof=1))
    wanted = (0.05 * 0.3) ** 2
    error = np.std(found) / np.sqrt(len(found))
    # Estimates below zero are set to zero, which adds less than a standard error here.
    assert abs(np.mean(found) - wanted) < 5 * error
    assert np.mean(naive) - wanted > 8 * error


def test_draws_that_do_not_belong_to_the_totals_are_refused():
    drawn = common_factor(500)
    weight = np.full(500, 1 / 500)
    with pytest.raises(FitError, match=r"draws of total 1 have the mean .*do not belong together"):
        with_mean(drawn[::-1], drawn.mean(axis=1), weight)
    scaled = with_mean(drawn[:, :100], drawn.mean(axis=1), np.full(100, 0.01))
    np.testing.assert_allclose(scaled.mean(axis=1), drawn.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(
        np.corrcoef(scaled), np.corrcoef(drawn[:, :100]), rtol=1e-9, atol=1e-12
    )
