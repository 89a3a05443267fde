"""Assertions about fits: conservation of totals, and the verdict."""

import dataclasses

import numpy as np
import pytest

from bayes_attrib.attribution import attribute
from bayes_attrib.inference import Check, Diagnostics, DrawMatrix, ExpectedDraws
from bayes_attrib.model.families import FAMILIES
from bayes_attrib.spec import IntervalSpec
from bayes_attrib.testing import ModelAssertionError, assert_conserves_totals, assert_converged


@dataclasses.dataclass
class Fit:
    diagnostics: Diagnostics


def fit_with(*statuses):
    checks = [
        Check(f"check_{i}", None if status == "fail" else 0.5, 1.0, "<=", status, "worst of all")
        for i, status in enumerate(statuses)
    ]
    return Fit(Diagnostics(tuple(checks)))


def test_a_converged_fit_passes_and_warnings_may():
    assert_converged(fit_with("ok", "ok"))
    assert_converged(fit_with("ok", "warn"))
    with pytest.raises(ModelAssertionError, match="verdict on the fit is 'warn'"):
        assert_converged(fit_with("ok", "warn"), allow_warnings=False)


def test_a_failed_check_is_named_with_value_and_threshold():
    with pytest.raises(ModelAssertionError) as failure:
        assert_converged(fit_with("ok", "fail", "warn"))
    text = str(failure.value)
    assert "verdict on the fit is 'not_converged'" in text
    assert "check_1: not a number, wanted <= 1 (worst of all)" in text
    assert "check_2: 0.5" in text
    assert "check_0" not in text
    assert np.isnan(failure.value.measured["check_1"])


@pytest.fixture(scope="module")
def attributed(data_of):
    """Amounts of three entities in six weeks, drawn given the totals."""
    data = data_of(kinds="aab")
    rates = np.random.default_rng(0).lognormal(size=(3, 40))
    result = attribute(
        ExpectedDraws(data, DrawMatrix.of(rates)),
        FAMILIES["poisson", None],
        {},
        baselines={},
        interval=IntervalSpec(),
        rng=np.random.default_rng(1),
    )
    return result, data


def test_amounts_drawn_given_the_totals_pass(attributed):
    assert_conserves_totals(*attributed)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda _: {"largest_residual": 1e-3}, "one aggregate in one draw: off by 0.001"),
        (lambda _: {"largest_residual": np.nan}, "one aggregate in one draw: off by nan"),
        (
            lambda r: {"cells": r.cells.assign(amount_mean=r.cells["amount_mean"].round(0))},
            "mean amounts of one aggregate: off by",
        ),
        (
            lambda r: {"amounts": DrawMatrix.of(1.001 * r.amounts.rows(slice(None)))},
            "all entities in one draw: off by 0.6",
        ),
        (lambda r: {"table": r.table.iloc[:-1]}, "mean amounts of level 'kind': off by"),
    ],
)
def test_each_kind_of_leak_is_found(attributed, change, complaint):
    result, data = attributed
    leaking = dataclasses.replace(result, **change(result))
    with pytest.raises(ModelAssertionError, match=complaint) as failure:
        assert_conserves_totals(leaking, data)
    assert len(failure.value.details) == 1
    assert "grand total 600" in failure.value.claim


def test_totals_of_other_data_fail(attributed):
    result, data = attributed
    other = dataclasses.replace(data, totals=data.totals + np.arange(6.0))
    with pytest.raises(ModelAssertionError, match="mean amounts of one aggregate: off by 5"):
        assert_conserves_totals(result, other)
