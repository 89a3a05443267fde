"""Two campaigns with identical exposure: a lift test separates them, and nothing else does."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from monte_carlo_error import standard_error

from bayes_attrib.errors import SpecError
from bayes_attrib.inputs import AggregateData, TablesRead
from bayes_attrib.inputs.lift_test import LiftTest
from bayes_attrib.spec import parse_plain
from bayes_attrib.workflow.fit import fit_tables

TRUTH = np.array([10.0, 30.0, 20.0])
N_WEEKS = 30


@cache
def simulate():
    """Money of 30 weeks; A and B are always on in the same measure, and truly 1 to 3."""
    rng = np.random.default_rng(11)
    shared, third = rng.uniform(1, 3, N_WEEKS), rng.uniform(0.5, 3, N_WEEKS)
    exposure = np.column_stack([shared, shared, third])
    amounts = exposure * TRUTH * rng.gamma(50, 1 / 50, N_WEEKS)[:, np.newaxis]
    data = AggregateData(
        aggregate_keys=pd.DataFrame({"week": [f"2024-W{w + 1:02d}" for w in range(N_WEEKS)]}),
        totals=amounts.sum(axis=1),
        entity_key="campaign",
        entity_names=np.array(["A", "B", "C"], dtype=object),
        exposure=sp.csr_array(exposure),
    )
    return data, amounts


def with_lift_test(data, amounts):
    """A was off for eight weeks: the measured increment is its amount plus noise of 8%."""
    edges = np.arange(8) * 3
    increment = float(amounts[:8, 0].sum())
    test = LiftTest(
        "A off",
        "campaign A",
        "2024-W01",
        "2024-W08",
        1.05 * increment,
        0.08 * increment,
        1.0,
        edges,
    )
    return dataclasses.replace(data, lift_tests=(test,))


def spec_of(**inference):
    return parse_plain(
        {
            "schema_version": 1,
            "name": "lift",
            "columns": {"aggregate": "week", "entity": "campaign"},
            "likelihood": {"family": "gamma"},
            "inference": {"draws": 700, "tune": 500, "chains": 4, "seed": 3} | inference,
        },
        source="test",
    )


@cache
def fitted(*, with_test, method="nuts"):
    data, amounts = simulate()
    data = with_lift_test(data, amounts) if with_test else data
    return fit_tables(TablesRead(data, (), (), ()), spec_of(method=method))


def shares(found):
    table = found.result.table
    return table[table["level"] == "entity"].set_index("name")


@pytest.mark.sampling
@pytest.mark.statistical
def test_without_a_test_the_campaigns_stay_symmetric():
    """Within 4.5 Monte-Carlo errors, which chance exceeds once in 150,000 seeds."""
    found = fitted(with_test=False)
    rates = found.posterior.posterior["log_rate"].to_numpy()
    difference = rates[..., 0] - rates[..., 1]
    assert abs(difference.mean()) < 4.5 * standard_error(difference)
    (alike,) = [f for f in found.diagnostics.findings if f.code == "indistinguishable-entities"]
    assert "(A, B): only groups and prior tell them apart" in alike.message
    assert "lift test" in alike.remedy


@pytest.mark.sampling
@pytest.mark.statistical
def test_a_lift_test_separates_them():
    found, before = fitted(with_test=True), shares(fitted(with_test=False))
    _, amounts = simulate()
    true = amounts.sum(axis=0) / amounts.sum()
    after = shares(found)
    for name, share in zip("ABC", true, strict=True):
        assert after.loc[name, "share_lower"] < share < after.loc[name, "share_upper"]
    assert after.loc["A", "share_upper"] < after.loc["B", "share_lower"]
    for name in "AB":
        assert after.loc[name, "share_mean"] != before.loc[name, "share_mean"]
        width = after.loc[name, "share_upper"] - after.loc[name, "share_lower"]
        assert width < 0.35 * (before.loc[name, "share_upper"] - before.loc[name, "share_lower"])
    codes = {f.code: f.message for f in found.diagnostics.findings}
    assert "indistinguishable-entities" not in codes
    assert "an experiment informs the split of" in codes["informed-by-lift-tests"]
    assert "A " in codes["informed-by-lift-tests"]
    assert "B " in codes["informed-by-lift-tests"]
    assert "lift-test-conflict" not in codes


@pytest.mark.sampling
def test_auto_previews_nothing_and_samples():
    data, amounts = simulate()
    spec = spec_of(method="auto", draws=50, tune=100, chains=1)
    spec = spec.model_copy(
        update={"lift_tests": spec.lift_tests.model_copy(update={"refit": False})}
    )
    found = fit_tables(TablesRead(with_lift_test(data, amounts), (), (), ()), spec)
    assert found.posterior.method == "nuts"
    (chosen,) = [f for f in found.diagnostics.findings if f.code == "method-chosen"]
    assert "does not know the terms of lift tests" in chosen.message
    assert "lift-tests-not-judged" in {f.code for f in found.diagnostics.findings}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inference": {"method": "laplace"}}, "method 'laplace' does not know"),
        (
            {"likelihood": {"family": "gamma", "level": "pair", "amounts": "explicit"}},
            "sampled explicitly",
        ),
        ({"likelihood": {"family": "lognormal", "level": "pair_approximation"}}, "no known law"),
    ],
)
def test_what_cannot_take_tests_in_refuses_them(change, words):
    data, amounts = simulate()
    plain = spec_of().model_dump(mode="json") | change
    spec = parse_plain(plain, source="test")
    with pytest.raises(SpecError, match=words) as caught:
        fit_tables(TablesRead(with_lift_test(data, amounts), (), (), ()), spec)
    assert all(f.remedy for f in caught.value.findings)
