"""Geometric adstock against a loop over its definition."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.exposure import geometric_adstock


def carried_over(series, decay):
    """The definition, as a sum over all earlier periods."""
    return [sum(decay ** (t - s) * series[s] for s in range(t + 1)) for t in range(len(series))]


def test_a_pulse_decays_geometrically():
    assert geometric_adstock([0, 8, 0, 0, 0], 0.5).tolist() == [0, 8, 4, 2, 1]


@pytest.mark.parametrize("normalise", [False, True])
def test_every_series_has_its_own_decay(normalise):
    rng = np.random.default_rng(11)
    delivery = rng.gamma(1.0, 3.0, size=(3, 4, 20)) * (rng.random((3, 4, 20)) < 0.7)
    decay = np.array([0.0, 0.4, 0.95])
    got = geometric_adstock(delivery, decay[:, np.newaxis], normalise=normalise)
    for i in range(3):
        scale = 1 - decay[i] if normalise else 1
        for j in range(4):
            wanted = scale * np.array(carried_over(delivery[i, j], decay[i]))
            np.testing.assert_allclose(got[i, j], wanted, rtol=1e-12)


def test_without_decay_delivery_is_its_own_adstock():
    delivery = np.array([[1.0, 0.0, 2.5], [0.1, 7.0, 0.0]])
    assert geometric_adstock(delivery, 0.0).tolist() == delivery.tolist()


def test_normalised_adstock_keeps_the_total_in_the_long_run():
    pulse = np.zeros(200)
    pulse[0] = 5.0
    assert geometric_adstock(pulse, 0.8, normalise=True).sum() == pytest.approx(5.0, rel=1e-12)


def test_the_input_is_left_alone():
    delivery = np.array([1.0, 1.0])
    geometric_adstock(delivery, 0.5)
    assert delivery.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("decay", [-0.1, 1.0, [0.2, 1.5]])
def test_decay_must_lie_below_one(decay):
    with pytest.raises(ValueError, match=r"decay must lie in \[0, 1\)"):
        geometric_adstock(np.ones((2, 3)), decay)


def test_decay_must_be_finite():
    with pytest.raises(ValueError, match="decay must be finite; got nan"):
        geometric_adstock([1.0], np.nan)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_bad_delivery_is_named_with_its_position(bad):
    with pytest.raises(ValueError, match=r"delivery must be finite.*position \(1, 2\).*\(1 such"):
        geometric_adstock([[0, 0, 0], [0, 0, bad]], 0.5)


def test_delivery_needs_a_time_axis():
    with pytest.raises(ValueError, match="needs a time axis"):
        geometric_adstock(3.0, 0.5)
