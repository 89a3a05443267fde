"""Saturation curves: limits, order, and parameters out of range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_attrib.exposure import (
    SATURATIONS,
    HillSaturation,
    LogisticSaturation,
    MichaelisMentenSaturation,
    NoSaturation,
    RootSaturation,
    TanhSaturation,
    hill,
    logistic,
    michaelis_menten,
    root,
    tanh,
)

POSITIVE = st.floats(0.05, 20)
CURVES = st.one_of(
    st.builds(HillSaturation, POSITIVE, POSITIVE),
    st.builds(LogisticSaturation, POSITIVE),
    st.builds(TanhSaturation, POSITIVE, POSITIVE),
    st.builds(MichaelisMentenSaturation, POSITIVE, POSITIVE),
    st.builds(RootSaturation, st.floats(0.05, 1)),
    st.just(NoSaturation()),
)


@settings(derandomize=True, deadline=None)
@given(CURVES, st.floats(0, 1e9), st.floats(0, 1e9))
def test_nothing_is_worth_nothing_and_more_is_never_worth_less(curve, one, other):
    low, high = sorted((one, other))
    at_zero, at_low, at_high = curve.of([0.0, low, high])
    assert at_zero == 0
    assert 0 <= at_low <= at_high * (1 + 1e-15)


@pytest.mark.parametrize(
    ("curve", "ceiling"),
    [
        (HillSaturation(3.0, 1.4), 1.0),
        (LogisticSaturation(0.7), 1.0),
        (TanhSaturation(2.5, 0.4), 2.5),
        (MichaelisMentenSaturation(2.0, 3.0), 3.0),
    ],
)
def test_a_ceiling_is_approached_and_never_exceeded(curve, ceiling):
    assert curve.of(1e18) == pytest.approx(ceiling, rel=1e-9)
    assert curve.of(1e300) <= ceiling


def test_half_of_the_ceiling_is_where_the_parameter_says():
    assert hill(3.0, 3.0, 1.7) == 0.5
    assert michaelis_menten(3.0, 3.0, 4.0) == 2.0
    assert logistic(np.log(3) / 0.7, 0.7) == pytest.approx(0.5, rel=1e-14)


def test_curves_that_are_special_cases_of_each_other():
    x = np.linspace(0, 10, 21)
    np.testing.assert_allclose(michaelis_menten(x, 2.0), hill(x, 2.0, 1.0), rtol=1e-13)
    np.testing.assert_allclose(tanh(x, 1.0, 2.0), logistic(x, 1.0), rtol=1e-13)
    np.testing.assert_array_equal(root(x, 1.0), NoSaturation().of(x))


def test_small_delivery_costs_what_the_parameter_says():
    assert tanh(1e-9, 3.0, 4.0) == pytest.approx(1e-9 / 4.0, rel=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HillSaturation(0, 1), "half_saturation must be positive; got 0"),
        (lambda: HillSaturation(1, np.inf), "slope must be finite; got inf"),
        (lambda: LogisticSaturation(-1), "steepness must be positive; got -1"),
        (lambda: TanhSaturation(1, 0), "cost must be positive; got 0"),
        (lambda: MichaelisMentenSaturation(1, -2), "ceiling must be positive; got -2"),
        (lambda: RootSaturation(0), "exponent must be positive; got 0"),
        (lambda: NoSaturation().of([1.0, -2.0]), r"delivery must be .*got -2 at position \(1,\)"),
    ],
)
def test_values_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_kinds_are_registered_under_their_names():
    assert list(SATURATIONS) == ["hill", "logistic", "tanh", "michaelis_menten", "root", "none"]
    assert all(cls.kind == name for name, cls in SATURATIONS.items())
