"""Users, fatigue and goodwill against slow computations and limits that are known exactly."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_attrib.errors import SpecError
from bayes_attrib.exposure import geometric_adstock
from bayes_attrib.simulation import simulate
from bayes_attrib.simulation.audiences import (
    Audiences,
    draw_audiences,
    draw_campaigns,
    draw_impressions,
)
from bayes_attrib.simulation.goodwill import (
    UserResponse,
    additive_credit,
    goodwill_of_days,
    incremental_credit,
)

SMALL = {"n_users": 400, "n_campaigns": 3, "n_days": 30}
EFFECT = np.array([1.0, 0.5, 2.0])


@pytest.fixture(scope="module")
def audiences() -> Audiences:
    return draw_audiences(60, 3, np.random.default_rng(1))


@pytest.fixture(scope="module")
def views(audiences):
    campaigns = draw_campaigns(3, 12, 0.3, 0.5, np.random.default_rng(2))
    return list(draw_impressions(campaigns, audiences, np.random.default_rng(3)))


def slow_credit(response, audiences, views, scale):
    """Additive credit, user by user, impression by impression."""
    n_users = len(audiences.activity)
    credit = np.zeros((len(views), 3))
    for user in range(n_users):
        pairs = np.flatnonzero(audiences.user == user)
        goodwill = np.zeros(3)
        remembered = np.zeros(3)
        for day, seen in enumerate(views):
            goodwill *= response.carry_over
            today = np.zeros(3)
            for pair in pairs:
                e = audiences.campaign[pair]
                others = remembered.sum() - remembered[e]
                tired = remembered[e] + response.cross_fatigue * others
                worth = math.log(1 + seen[pair] / (response.fatigue + tired)) * response.fatigue
                goodwill[e] += EFFECT[e] * audiences.sensitivity[user] * worth
                today[e] += seen[pair]
            remembered = (remembered + today) * response.memory
            whole = goodwill.sum() / scale
            if whole > 0:
                answer = 1 - math.exp(-whole) if response.has_ceiling else whole
                credit[day] += answer * goodwill / goodwill.sum()
    return credit


@pytest.mark.parametrize("has_ceiling", [True, False])
def test_credit_equals_that_of_a_loop_over_users(audiences, views, has_ceiling):
    response = UserResponse(0.8, 3.0, 0.3, 0.6, has_ceiling)
    built = goodwill_of_days(response, audiences, EFFECT, views)
    found = additive_credit(response, audiences, built, 2.0)
    assert_allclose(found, slow_credit(response, audiences, views, 2.0), rtol=1e-5)


def test_without_fatigue_and_ceiling_both_credits_are_adstocks_of_impressions(audiences, views):
    response = UserResponse(0.8, 1e9, 0.0, 0.6, has_ceiling=False)
    worth = np.array([seen * audiences.sensitivity[audiences.user] for seen in views])
    of_campaign = np.array([np.bincount(audiences.campaign, weights=day) for day in worth])
    expected = geometric_adstock((of_campaign * EFFECT).T, 0.6).T
    built = goodwill_of_days(response, audiences, EFFECT, views)
    assert_allclose(additive_credit(response, audiences, built, 1.0), expected, rtol=1e-5)
    lost = incremental_credit(response, audiences, EFFECT, views, 1.0)
    assert_allclose(lost, expected, rtol=1e-4)


def test_incremental_credit_adds_up_and_favours_users_that_nobody_else_reaches():
    # Campaigns 0 and 1 share all users, campaign 2 has as many of its own.
    users = np.arange(20)
    pairs = np.concatenate([users, users, users + 20])
    shared = Audiences(pairs, np.repeat([0, 1, 2], 20), np.ones(40), np.ones(40))
    views = [np.ones(60, dtype=np.uint16)] * 5
    response = UserResponse(0.8, 3.0, 0.3, 0.6, has_ceiling=True)
    effect = np.ones(3)
    built = goodwill_of_days(response, shared, effect, views)
    additive = additive_credit(response, shared, built, 2.0)
    lost = incremental_credit(response, shared, effect, views, 2.0)
    assert_allclose(lost.sum(axis=1), additive.sum(axis=1), rtol=1e-6)
    assert_allclose(lost[:, 0], lost[:, 1], rtol=1e-6)
    assert (lost[:, 2] > additive[:, 2]).all()


def test_the_next_impression_works_less():
    one = Audiences(np.array([0]), np.array([0]), np.ones(1), np.ones(1))
    response = UserResponse(1.0, 2.0, 0.0, 0.0, has_ceiling=False)
    days = [np.ones(1, dtype=np.uint16)] * 4
    built = goodwill_of_days(response, one, np.ones(1), days)[:, 0]
    assert_allclose(built, 2.0 * np.log1p(1 / (2.0 + np.arange(4))), rtol=1e-6)


def test_effects_have_the_spread_and_the_correlation_with_clicks_that_were_asked_for():
    n = 4000
    campaigns = draw_campaigns(n, 14, 0.4, 0.5, np.random.default_rng(5))
    log_effect, log_click = np.log(campaigns.effect), np.log(campaigns.click_rate)
    # Two-sided bands of 4 standard errors: one false alarm in 16,000. The scale of log click
    # rates is rounded to two digits, hence 1% more.
    assert abs(log_effect.std() / 0.4 - 1) < 4 / np.sqrt(2 * n) + 0.01
    correlation = np.corrcoef(log_effect, log_click)[0, 1]
    assert abs(np.arctanh(correlation) - np.arctanh(0.5)) < 4 / np.sqrt(n) + 0.01


def test_reports_count_users():
    tables = simulate("user_goodwill", seed=4, options=SMALL)
    rows = tables.exposures
    assert (rows["reach"] <= rows["impressions"]).all()
    assert (rows["reach"] <= rows["cumulative_reach"]).all()
    assert (rows["clicks"] <= rows["impressions"]).all()
    assert (rows["conversions"] <= rows["clicks"]).all()
    last = rows.groupby("campaign")["cumulative_reach"].max()
    shared = tables.entities.set_index("campaign").filter(like="shared_").to_numpy()
    assert (np.diag(shared) == last.to_numpy()).all()
    assert (shared == shared.T).all()
    assert (shared <= np.diag(shared)).all()


@pytest.mark.parametrize("credit", ["additive", "incremental"])
def test_amounts_add_up_to_totals_and_totals_to_their_part_of_sales(credit):
    tables = simulate("user_goodwill", seed=4, options={**SMALL, "credit": credit})
    sums = tables.exposures.groupby("date")["amount"].sum()
    days = tables.aggregates.set_index("date")
    assert_allclose(sums, days["total"], rtol=1e-9)
    assert_allclose(days["total"].sum(), 0.2 * 10_000 * 30, rtol=1e-6)
    # Other sales have a mean of 8,000 with noise of 400 a day: 5 standard errors of 30 days.
    assert abs(days["sales"].mean() - 10_000) < 5 * 400 / np.sqrt(30)


def test_data_can_be_built_and_every_day_has_exposure():
    data = simulate("user_goodwill", seed=4, options=SMALL).build_data(["objective"])
    assert data.n_aggregates == 30
    assert (data.exposure.sum(axis=1) > 0).all()


def test_a_seed_gives_the_same_tables_and_another_seed_others():
    first, again, other = (
        simulate("user_goodwill", seed=seed, options=SMALL).exposures for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_too_many_users_are_refused():
    options = {"n_users": 1_000_000, "n_campaigns": 100, "n_days": 14}
    with pytest.raises(SpecError, match="n_users x n_campaigns x n_days is 1,400,000,000"):
        simulate("user_goodwill", seed=1, options=options)
