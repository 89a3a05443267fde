"""Budgets below the channel: curves, limits, search, and what is said of the gain."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.attribution.budget import (
    OBJECTIVES,
    PlanCurves,
    build_response,
    limits_of,
    read_plan,
    recommend,
)
from bayes_attrib.attribution.budget.objectives import Expected, LowerQuantile, Regret
from bayes_attrib.attribution.budget.search import Problem, best_of_draws, best_split
from bayes_attrib.errors import DataError, SpecError
from bayes_attrib.exposure import (
    ChannelTransform,
    DeliveryColumns,
    GeometricAdstock,
    HillSaturation,
    LogisticSaturation,
    MichaelisMentenSaturation,
    RootSaturation,
    build_exposures,
)
from bayes_attrib.spec import IntervalSpec

COLUMNS = DeliveryColumns("campaign", "channel", "week", delivery="impressions", geo="geo")
WIDE = pd.Series({f"c{i}": 1e9 for i in range(1, 7)})


def table(n_weeks=6, n_campaigns=4, seed=1):
    rng = np.random.default_rng(seed)
    rows = [
        {
            "campaign": f"c{c + 1}",
            "channel": "TV" if c < n_campaigns // 2 else "Social",
            "week": f"2025-01-{6 + 7 * week:02d}"
            if week < 4
            else f"2025-02-{3 + 7 * (week - 4):02d}",
            "geo": geo,
            "impressions": float(np.round(rng.lognormal(4, 0.5))),
            "spend": float(np.round(rng.lognormal(2, 0.3), 2)),
        }
        for c in range(n_campaigns)
        for geo in ("north", "south")
        for week in range(n_weeks)
        if rng.random() < 0.9
    ]
    return pd.DataFrame(rows)


def curves(saturation, semantics="own_curve", decay=0.5):
    transform = ChannelTransform(GeometricAdstock(decay=decay, l_max=4), saturation, scale=100.0)
    return PlanCurves({"TV": transform, "Social": transform}, semantics, COLUMNS)


def plan_of(tmp_path, frame, how):
    file = tmp_path / "plan.csv"
    frame.to_csv(file, index=False)
    return read_plan(file, how, list(WIDE.index), cost="spend")


def contribution(plan, multiples, rates):
    """What the whole chain of adstock and curve brings, with periods enough for its end."""
    frame = plan.frame.assign(
        impressions=plan.frame["impressions"]
        * plan.frame["campaign"].map(dict(zip(plan.entities, multiples, strict=True)))
    )
    weeks = [str(day.date()) for day in pd.date_range("2025-01-06", periods=12, freq="7D")]
    found = build_exposures(
        frame[[*COLUMNS.keys, "impressions"]],
        plan.curves.transforms,
        columns=COLUMNS,
        periods=weeks,
        semantics=plan.curves.semantics,
    )
    worth = found["campaign"].map(dict(zip(plan.entities, rates, strict=True)))
    return float((worth * found["exposure"]).sum())


SATURATIONS = [
    HillSaturation(1.5, 2.0),
    HillSaturation(1.5, 0.7),
    LogisticSaturation(1.2),
    MichaelisMentenSaturation(2.0),
    RootSaturation(0.5),
]


@pytest.mark.parametrize("semantics", ["own_curve", "channel_curve"])
@pytest.mark.parametrize("saturation", SATURATIONS, ids=repr)
def test_contributions_and_marginal_ones_are_those_of_the_whole_chain(
    tmp_path, saturation, semantics
):
    """Marginal contributions by finite differences through adstock, curve and carry-over."""
    plan = plan_of(tmp_path, table(), curves(saturation, semantics))
    response = build_response(plan)
    rng = np.random.default_rng(2)
    multiples, rates = rng.uniform(0.5, 2.0, 4), rng.lognormal(0, 0.5, 4)
    brought = response.totals(multiples) @ rates
    assert brought == pytest.approx(contribution(plan, multiples, rates), rel=1e-12)
    gradient = response.gradient(multiples, rates)
    for e in range(4):
        step = np.zeros(4)
        step[e] = 1e-5
        high, low = (contribution(plan, multiples + s * step, rates) for s in (1, -1))
        assert gradient[e] == pytest.approx((high - low) / 2e-5, rel=1e-6)
    both = response.gradient(multiples, np.column_stack([rates, 2 * rates]))
    np.testing.assert_allclose(both, np.column_stack([gradient, 2 * gradient]), rtol=1e-12)


def one_week(saturation, delivery, cost):
    rows = [
        {"campaign": f"c{i + 1}", "channel": "TV", "week": "2025-01-06", "geo": "north",
         "impressions": d, "spend": c}
        for i, (d, c) in enumerate(zip(delivery, cost, strict=True))
    ]  # fmt: skip
    transform = ChannelTransform(saturation=saturation, scale=100.0)
    return pd.DataFrame(rows), PlanCurves({"TV": transform}, "own_curve", COLUMNS)


def test_the_optimum_of_square_roots_is_the_analytic_one(tmp_path):
    """Maximise sum of l_e sqrt(x_e d_e / c_e) with sum x = B: x_e is B times l_e^2 d_e / c_e."""
    delivery, cost = np.array([100.0, 300.0, 50.0]), np.array([10.0, 20.0, 30.0])
    rates = np.array([1.0, 2.0, 3.0])
    plan = plan_of(tmp_path, *one_week(RootSaturation(0.5), delivery, cost))
    problem = Problem(build_response(plan), plan.cost, limits_of(plan), rates[:, np.newaxis])
    spend = best_split(problem, Expected(), np.random.default_rng(1), start=plan.cost)
    analytic = rates**2 * delivery / cost
    np.testing.assert_allclose(spend, 60.0 * analytic / analytic.sum(), rtol=1e-4)
    slope = problem.gradient(spend, np.ones(1))
    np.testing.assert_allclose(slope, slope[0], rtol=1e-4)  # the next euro works alike everywhere


def test_bounds_are_kept_and_bind_where_they_must(tmp_path):
    delivery, cost = np.array([100.0, 300.0, 50.0]), np.array([10.0, 20.0, 30.0])
    plan = plan_of(tmp_path, *one_week(RootSaturation(0.5), delivery, cost))
    limits = limits_of(plan, max_change=0.5, minimum={"c1": 8.0}, maximum={"c2": 25.0})
    rates = np.array([[0.1], [5.0], [3.0]])
    problem = Problem(build_response(plan), plan.cost, limits, rates)
    spend = best_split(problem, Expected(), np.random.default_rng(1), start=plan.cost)
    np.testing.assert_allclose(spend, [8.0, 25.0, 27.0], rtol=1e-6)


@pytest.mark.parametrize("objective", [Expected(), LowerQuantile(0.1), Regret(0.1)], ids=repr)
def test_searches_reach_what_a_fine_line_finds(tmp_path, objective):
    delivery, cost = np.array([100.0, 200.0]), np.array([10.0, 10.0])
    plan = plan_of(tmp_path, *one_week(MichaelisMentenSaturation(1.0), delivery, cost))
    rng = np.random.default_rng(5)
    rates = np.array([[1.0], [1.3]]) * np.exp(
        np.array([[0.1], [0.6]]) * rng.standard_normal((2, 60))
    )
    problem = Problem(build_response(plan), plan.cost, limits_of(plan), rates)
    line = np.linspace(0.0, 20.0, 4001)
    all_brought = np.stack([problem.contributions(np.array([x, 20.0 - x])) for x in line])
    best = best_of_draws(problem, rng, start=plan.cost)
    np.testing.assert_allclose(best, all_brought.max(axis=0), rtol=1e-6)
    spend = best_split(problem, objective, rng, start=plan.cost, best=best)

    def figure(brought):
        compared = brought - best if objective.needs_best else brought
        return objective.weights(brought, best) @ compared

    reached = figure(problem.contributions(spend))
    assert reached >= max(map(figure, all_brought)) - 1e-5 * abs(all_brought.mean())
    assert spend.sum() == pytest.approx(20.0)


def test_quantile_weights_are_a_quantile():
    draws = np.random.default_rng(3).standard_normal(20_000)
    for prob in (0.05, 0.1, 0.5):
        weights = LowerQuantile(prob).weights(draws, None)
        assert weights.sum() == pytest.approx(1.0)
        assert (weights >= 0).all()
        assert weights @ draws == pytest.approx(np.quantile(draws, prob), abs=0.01)


def test_caution_spends_less_on_what_is_uncertain(tmp_path):
    plan = plan_of(tmp_path, *one_week(RootSaturation(0.5), [100.0, 100.0], [10.0, 10.0]))
    rng = np.random.default_rng(4)
    rates = np.stack([np.ones(400), np.exp(1.0 * rng.standard_normal(400) - 0.5)])
    problem = Problem(build_response(plan), plan.cost, limits_of(plan), rates)
    bold, careful = (
        best_split(problem, objective, rng, start=plan.cost)
        for objective in (Expected(), LowerQuantile(0.1))
    )
    assert careful[1] < 0.7 * bold[1]


def test_money_stays_in_its_channel_unless_it_may_move(tmp_path):
    plan = plan_of(tmp_path, table(), curves(RootSaturation(0.5)))
    rates = np.array([1.0, 1.0, 5.0, 5.0])[:, np.newaxis] * np.ones((4, 4))
    by_channel = {}
    for across in (False, True):
        found = recommend(
            plan,
            rates,
            limits_of(plan, across_channels=across),
            Expected(),
            largest=WIDE,
            interval=IntervalSpec(),
            seed=1,
        )
        by_channel[across] = found.table.groupby("channel")["recommended"].sum()
        assert found.table["recommended"].sum() == pytest.approx(plan.cost.sum())
    planned = found.table.groupby("channel")["planned"].sum()
    pd.testing.assert_series_equal(by_channel[False], planned, check_names=False)
    assert by_channel[True]["Social"] > 1.5 * planned["Social"]
    assert found.probability == 1.0
    assert found.gain.min() > 0


def test_a_total_is_shared_by_channels_as_in_the_plan(tmp_path):
    plan = plan_of(tmp_path, table(), curves(RootSaturation(0.5)))
    limits = limits_of(plan, total=2 * plan.cost.sum())
    np.testing.assert_allclose(limits.total, 2 * np.bincount(limits.group, weights=plan.cost))


def test_the_gain_is_judged_by_draws_that_did_not_choose(tmp_path):
    """Rates that are noise alone: the split chosen by some draws gains nothing in others."""
    plan = plan_of(tmp_path, table(), curves(RootSaturation(0.9)))
    gains = []
    for seed in range(12):
        rng = np.random.default_rng([9, seed])
        rates = rng.lognormal(0.0, 1.0, (4, 40))
        found = recommend(
            plan,
            rates,
            limits_of(plan),
            Expected(),
            largest=WIDE,
            interval=IntervalSpec(),
            seed=seed,
        )
        gains.append(found.gain.mean() / found.planned.mean())
    flattered = 0.05  # what the choosing draws themselves would show, at least
    assert np.mean(gains) < flattered


def test_extrapolation_and_doubtful_gains_are_told(tmp_path):
    plan = plan_of(tmp_path, *one_week(RootSaturation(0.5), [100.0, 100.0], [10.0, 10.0]))
    rng = np.random.default_rng(6)
    rates = np.stack([rng.lognormal(0.0, 1.0, 200), rng.lognormal(0.1, 1.0, 200)])
    seen = pd.Series({"c1": 2.0, "c2": 0.5})  # exposure in the plan is 1, sqrt(100 / 100)
    found = recommend(
        plan, rates, limits_of(plan), Expected(), largest=seen, interval=IntervalSpec(), seed=1
    )
    assert {finding.code for finding in found.findings} == {"extrapolation", "gain-not-sure"}
    assert found.table["extrapolates"].tolist() == [False, True]
    assert "'c2' would have more exposure" in found.findings[0].message


def spoilt(frame, **changes):
    frame = frame.astype({"impressions": object, "spend": object})
    for column, value in changes.items():
        frame.loc[1, column] = value
    return frame


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"spend": -1.0}, "invalid-cost", "line 3"),
        ({"spend": "much"}, "not-a-number", "plain numbers"),
        ({"campaign": "c9"}, "unknown-entity", "'c9'"),
        ({"channel": "Social"}, "several-channels", "'c1'"),
    ],
)
def test_faults_of_a_plan_are_cited(tmp_path, changes, code, words):
    with pytest.raises(DataError) as stop:
        plan_of(tmp_path, spoilt(table(), **changes), curves(RootSaturation(0.5)))
    assert code in {finding.code for finding in stop.value.findings}
    assert words in str(stop.value)


def test_a_plan_needs_a_column_of_costs_and_costs(tmp_path):
    plan = tmp_path / "plan.csv"
    table().to_csv(plan, index=False)
    with pytest.raises(DataError, match="did you mean 'spend'"):
        read_plan(plan, curves(RootSaturation(0.5)), list(WIDE.index), cost="spent")
    free = table()
    free.loc[free["campaign"] == "c2", "spend"] = 0.0
    with pytest.raises(DataError, match="'c2' would deliver at no cost"):
        plan_of(tmp_path, free, curves(RootSaturation(0.5)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"minimum": {"c1": 1e6}}, "TV: .* is to be spent, and bounds allow 1e"),
        ({"minimum": {"c1": 5.0}, "maximum": {"c1": 4.0}}, "must spend at least 5 and at most 4"),
        ({"maximum": {"c1": 0.0, "c2": 0.0}}, "bounds allow 0 to 0"),
        ({"minimum": {"c11": 1.0}}, "did you mean 'c1'"),
        ({"max_change": 0.1, "total": 1.0}, "is to be spent"),
    ],
)
def test_limits_that_cannot_be_kept_are_refused(tmp_path, options, words):
    plan = plan_of(tmp_path, table(), curves(RootSaturation(0.5)))
    with pytest.raises(DataError, match=words):
        limits_of(plan, **options)


def test_projections_keep_limits_and_are_nearest(tmp_path):
    plan = plan_of(tmp_path, table(), curves(RootSaturation(0.5)))
    limits = limits_of(plan, max_change=0.4)
    rng = np.random.default_rng(7)
    for _ in range(20):
        wished = plan.cost * rng.uniform(0, 3, 4)
        spend = limits.nearest(wished)
        assert ((limits.lower - 1e-9 <= spend) & (spend <= limits.upper + 1e-9)).all()
        np.testing.assert_allclose(np.bincount(limits.group, spend), limits.total, rtol=1e-9)
        other = limits.nearest(spend * rng.uniform(0.9, 1.1, 4))
        assert np.sum((spend - wished) ** 2) <= np.sum((other - wished) ** 2) + 1e-9


def test_curves_that_saturate_first_are_refused():
    first = ChannelTransform(GeometricAdstock(decay=0.5, l_max=4), saturation_first=True)
    with pytest.raises(SpecError, match="saturated before it is carried over"):
        PlanCurves({"TV": first}, "own_curve", COLUMNS)


def test_every_objective_has_its_name():
    assert {name: kind(0.2).prob for name, kind in OBJECTIVES.items()} == {
        "expected": 0.2, "lower_quantile": 0.2, "regret": 0.2,
    }  # fmt: skip
    assert replace(Regret(), prob=0.3).needs_best
