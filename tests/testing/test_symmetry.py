"""The assertion of symmetry: its false-alarm rate, and that it sees what it is there for."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes_attrib.inference import sample_prior
from bayes_attrib.testing import ModelAssertionError, assert_symmetric_prior
from bayes_attrib.testing.symmetry import _sign_flip_tests

NAMES = ["e0", "e1", "e2"]


def test_entities_with_one_prior_pass(prior_of, log_normals):
    assert_symmetric_prior(prior_of(log_normals(1.0, 1.0, 1.0)), NAMES)


def test_equal_shares_pass(prior_of):
    assert_symmetric_prior(prior_of(np.zeros((3, 50))), NAMES)


def test_a_shift_fails_with_the_two_names_and_their_shares(prior_of, log_normals):
    shifted = log_normals(1.0, 1.0, 1.0) + np.c_[[0.0, 0.0, 0.3]]
    with pytest.raises(ModelAssertionError, match="shares of e1 and e2 differ in level") as failure:
        assert_symmetric_prior(prior_of(shifted), NAMES)
    assert failure.value.measured["p_value"] < 1e-3
    assert "mean share" in str(failure.value)
    assert "false-alarm rate 0.001" in str(failure.value)


def test_an_unequal_spread_fails(prior_of, log_normals):
    with pytest.raises(ModelAssertionError, match="shares of e0 and e1 differ in spread"):
        assert_symmetric_prior(prior_of(log_normals(1.0, 1.5, 1.5)), NAMES)


def test_common_causes_are_not_taken_for_asymmetry(prior_of, log_normals):
    """Shares of one draw depend on each other; a test of two samples would not hold its level."""
    common = np.random.default_rng(5).standard_t(3, size=2000)
    assert_symmetric_prior(prior_of(log_normals(0.1, 0.1, 2.0) + common), NAMES[:2])


@pytest.mark.statistical
def test_sign_flip_p_values_are_uniform():
    """300 p-values of each test; fails by chance with probability 2e-3 over seeds."""
    rng = np.random.default_rng(11)
    found = [
        _sign_flip_tests(*(np.exp(0.5 * scale) * rng.normal(size=(2, 200))))
        for scale in rng.normal(size=(300, 200))
    ]
    for what in ("level", "spread"):
        assert stats.kstest([p[what] for p in found], "uniform").pvalue > 1e-3


def test_entities_that_the_data_tell_apart_are_refused(prior_of, data_of, log_normals):
    rates = log_normals(1.0, 1.0, 1.0)
    exposure = np.ones((6, 3))
    exposure[2, 1] = 2.0
    with pytest.raises(ValueError, match=r"e0 and e1 are not treated alike.*exposures differ"):
        assert_symmetric_prior(prior_of(rates, data=data_of(exposure=exposure)), NAMES)
    grouped = prior_of(rates, data=data_of(kinds="aab"))
    assert_symmetric_prior(grouped, NAMES[:2])
    with pytest.raises(ValueError, match=r"e0 and e2 .*their kind differs \(a and b\)"):
        assert_symmetric_prior(grouped, ["e0", "e2"])


def test_covariates_tell_entities_apart(prior_of, data_of, log_normals):
    rates, plain = log_normals(1.0, 1.0, 1.0), data_of()
    own = dataclasses.replace(plain, entity_covariates=pd.DataFrame({"age": [30, 30, 40]}))
    pairs = pd.DataFrame({"slot": np.where(np.arange(18) % 3 == 1, 2.0, 1.0)})
    assert_symmetric_prior(prior_of(rates, data=own), NAMES[:2])
    with pytest.raises(ValueError, match="their covariates differ"):
        assert_symmetric_prior(prior_of(rates, data=own), NAMES)
    by_pair = prior_of(rates, data=dataclasses.replace(plain, pair_covariates=pairs))
    with pytest.raises(ValueError, match="their covariates of pairs differ"):
        assert_symmetric_prior(by_pair, NAMES[:2])


@pytest.mark.parametrize("names", ["e0", ["e0"], ["e0", "e0"]])
def test_two_different_names_are_wanted(prior_of, log_normals, names):
    with pytest.raises(ValueError, match="two or more different names"):
        assert_symmetric_prior(prior_of(log_normals(1.0, 1.0)), names)


def test_unknown_names_are_refused(prior_of, log_normals):
    with pytest.raises(ValueError, match="no entity 'nobody'"):
        assert_symmetric_prior(prior_of(log_normals(1.0, 1.0)), ["e0", "nobody"])


def test_the_prior_of_a_built_model_is_symmetric(prior_of, data_of, log_normals):
    """Through PyMC: a fixed seed, so the outcome is the same on every run."""
    data = data_of(n_entities=4, kinds="aabb")
    prior = prior_of(log_normals(1.0, 1.0, 1.0, 1.0), data=data)
    drawn = sample_prior(data, prior.spec, draws=400, seed=4)
    assert_symmetric_prior(drawn, ["e0", "e1"])
    assert_symmetric_prior(drawn, ["e2", "e3"])
