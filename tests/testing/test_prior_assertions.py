"""Assertions about priors: silent where the claim holds, with figures and a remedy where not."""

import re

import numpy as np
import pytest

from bayes_attrib.testing import (
    ModelAssertionError,
    assert_no_dominant_entity,
    assert_prior_covers_totals,
    assert_prior_parameter_within,
    assert_prior_totals_within,
)


@pytest.fixture
def prior(prior_of, log_normals):
    return prior_of(log_normals(0.5, 0.5, 0.5))


def test_totals_within_a_wide_range_pass(prior):
    assert_prior_totals_within(prior, 5, 2000)
    inside = float(np.mean((prior.totals >= 50) & (prior.totals <= 200)))
    assert_prior_totals_within(prior, 50, 200, share=inside)  # the bound itself is enough


def test_totals_outside_fail_with_the_share_the_tails_and_the_prior_to_tighten(prior):
    with pytest.raises(ModelAssertionError) as failure:
        assert_prior_totals_within(prior, 50, 200)
    measured, text = failure.value.measured, str(failure.value)
    inside = np.mean((prior.totals >= 50) & (prior.totals <= 200))
    assert measured["inside"] == inside
    assert measured["inside"] + measured["below"] + measured["above"] == pytest.approx(1.0)
    assert f"only {inside:.1%} of the totals" in text
    assert "within 50 to 200; wanted 95.0% or more" in text
    assert "'intercept' goes with it most" in text
    assert (
        '[priors] of the spec; it is now intercept = { dist = "Normal", mu = 0, sigma = 0.7 }'
        in text
    )


def test_a_prior_that_moves_no_total_is_not_blamed(prior_of, log_normals):
    still = prior_of(log_normals(0.5, 0.5), intercept=np.zeros(2000), total_sd=0.0)
    with pytest.raises(ModelAssertionError, match="no prior moves them"):
        assert_prior_totals_within(still, 1, 99)


def test_observed_totals_inside_their_intervals_pass(prior):
    assert_prior_covers_totals(prior)


@pytest.mark.parametrize(
    ("intercept", "predicted"), [(3.0, r"1,1\d\d to 3,\d\d\d"), (-3.0, r"2\.\d+ to \d\.\d+")]
)
def test_observed_totals_that_surprise_fail_and_are_named(
    prior_of, log_normals, intercept, predicted
):
    far = prior_of(log_normals(0.5, 0.5), intercept=np.full(2000, intercept))
    with pytest.raises(ModelAssertionError, match=r"only 0.0% of 6 observed totals") as failure:
        assert_prior_covers_totals(far)
    assert re.search(rf"w\d: observed 100, predicted {predicted}", str(failure.value))
    assert failure.value.measured == {"inside": 0.0}


def test_like_entities_dominate_rarely_and_unlike_ones_fail(prior_of, log_normals):
    assert_no_dominant_entity(prior_of(log_normals(0.5, 0.5, 0.5)))
    wild = prior_of(log_normals(0.5, 6.0, 0.5))
    with pytest.raises(
        ModelAssertionError, match=r"e1 does so most often, in \d+\.\d% of draws"
    ) as f:
        assert_no_dominant_entity(wild)
    assert f.value.measured["dominance"] == np.mean(wild.shares.max(axis=0) > 0.9)
    assert_no_dominant_entity(wild, prob=0.6)


def test_dominance_names_the_prior_that_goes_with_it(prior_of, log_normals):
    log_rates = log_normals(1.0, 1.0, 1.0)
    spread = np.random.default_rng(2).exponential(size=log_rates.shape[1])
    prior = prior_of(4.0 * spread * log_rates, intercept=spread)
    with pytest.raises(ModelAssertionError, match="tighten the prior of 'intercept'"):
        assert_no_dominant_entity(prior)


def test_a_single_entity_is_no_test(prior_of, log_normals):
    with pytest.raises(ValueError, match="nothing to test"):
        assert_no_dominant_entity(prior_of(log_normals(1.0)))


def test_parameters_are_held_against_their_range(prior):
    assert_prior_parameter_within(prior, "intercept", -3, 3)
    assert_prior_parameter_within(prior, "rate", 0.1, 10)
    with pytest.raises(ModelAssertionError, match=r"prior of 'intercept' lies within -1 to 1") as f:
        assert_prior_parameter_within(prior, "intercept", -1, 1)
    assert f.value.measured["inside"] == np.mean(np.abs(prior.draws("intercept")) <= 1)
    assert "tighten the prior of 'intercept'" in f.value.remedy
    with pytest.raises(ModelAssertionError, match=r"prior of 'rate' lies within 0\.9 to 1\.1"):
        assert_prior_parameter_within(prior, "rate", 0.9, 1.1)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda p: assert_prior_totals_within(p, 5, 5), "low must be below high"),
        (lambda p: assert_prior_totals_within(p, 1, 5, share=95), "share is a fraction"),
        (lambda p: assert_prior_covers_totals(p, prob=94), "prob is a fraction"),
        (
            lambda p: assert_prior_parameter_within(p, "phi", 0, 1),
            "no variable 'phi'; it has intercept",
        ),
    ],
)
def test_a_wrong_test_is_told_from_a_failing_one(prior, call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call(prior)


def test_failures_are_assertions_that_say_claim_details_and_remedy(prior):
    with pytest.raises(AssertionError) as failure:
        assert_prior_totals_within(prior, 50, 200)
    lines = str(failure.value).splitlines()
    assert lines[0] == failure.value.claim
    assert lines[1:-1] == [f"  {line}" for line in failure.value.details]
    assert lines[-1] == f"  remedy: {failure.value.remedy}"
