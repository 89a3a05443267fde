"""The rule that chooses among models, on figures made up and on posteriors known exactly."""

import dataclasses

import numpy as np
import pytest

from bayes_attrib.inference import TotalDraws, predictive_checks
from bayes_attrib.inference.loo import LooResult, psis_loo
from bayes_attrib.inference.model_choice import (
    Contender,
    bootstrap_weights,
    decide,
    elpd_difference,
    strength,
)
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.families import FAMILIES

N = 100
LABELS = np.array([f"b{i}" for i in range(N)], dtype=object)


def loo(pointwise, bad=()):
    pareto_k = np.full(N, 0.1)
    pareto_k[list(bad)] = 0.9
    return LooResult(np.asarray(pointwise, dtype=float), pareto_k, np.zeros(N), LABELS, 4000)


def contender(pointwise, n_parameters=1, bad=(), **other):
    settings = {"dispersion_p_value": 0.5, "converged": True} | other
    return Contender(loo=loo(pointwise, bad), n_parameters=n_parameters, **settings)


NOISE = np.random.default_rng(0).normal(size=N)
NOISE = (NOISE - NOISE.mean()) / NOISE.std(ddof=1)
BASE = np.full(N, -3.0)


def behind(total, spread):
    """Pointwise elpd that is behind BASE by a total, with a standard error of 10 x spread."""
    return BASE - total / N - spread * NOISE


def test_difference_and_its_standard_error():
    gap = elpd_difference(loo(BASE), loo(behind(30.0, 1.0)))
    assert (gap.elpd, gap.se, gap.z) == pytest.approx((30.0, 10.0, 3.0))
    assert gap.told_apart
    assert strength(gap) == "moderately"
    assert strength(elpd_difference(loo(BASE), loo(behind(50.0, 1.0)))) == "clearly"


@pytest.mark.parametrize(("total", "spread"), [(19.0, 1.0), (3.9, 0.05)])
def test_small_differences_are_none(total, spread):
    gap = elpd_difference(loo(BASE), loo(behind(total, spread)))
    assert not gap.told_apart
    assert strength(gap) == "cannot be told apart"


def test_lead_that_rests_on_unreliable_totals_does_not_count():
    other = BASE.copy()
    other[:10] -= 5.0
    assert elpd_difference(loo(BASE), loo(other)).told_apart
    flattered = elpd_difference(loo(BASE, bad=range(10)), loo(other))
    assert flattered.z == 0.0
    assert not flattered.told_apart
    assert elpd_difference(loo(BASE), loo(other, bad=range(10))).told_apart


def test_models_of_other_totals_are_not_compared():
    other = dataclasses.replace(loo(BASE), labels=LABELS[::-1])
    with pytest.raises(ValueError, match="the same aggregates"):
        elpd_difference(loo(BASE), other)


def test_best_is_preferred_where_it_is_told_apart():
    decision = decide([contender(behind(50.0, 1.0), 0), contender(BASE, 2)])
    assert (decision.best, decision.preferred, decision.tied) == (1, 1, (1,))
    assert decision.differences[0].elpd == pytest.approx(50.0)
    assert decision.differences[1].elpd == 0.0


@pytest.mark.parametrize(
    ("first", "second", "preferred"),
    [
        ({"n_parameters": 2}, {"n_parameters": 1}, 1),
        ({}, {}, 0),
        ({}, {"n_parameters": 0, "dispersion_p_value": 0.001}, 0),
        ({}, {"n_parameters": 0, "dispersion_p_value": np.nan}, 0),
        ({"dispersion_p_value": 0.001}, {"dispersion_p_value": 0.001, "n_parameters": 0}, 1),
        ({}, {"n_parameters": 0, "converged": False}, 0),
        ({"converged": False}, {}, 1),
    ],
)
def test_ties_are_settled_by_fit_then_parsimony_then_elpd(first, second, preferred):
    decision = decide([contender(BASE, **first), contender(behind(3.0, 1.0), **second)])
    assert decision.preferred == preferred


def test_nothing_is_preferred_where_nothing_converged():
    decision = decide([contender(behind(5, 1), converged=False), contender(BASE, converged=False)])
    assert (decision.best, decision.preferred) == (1, None)


def test_weights_follow_support_and_its_uncertainty():
    def weights(*models):
        return bootstrap_weights([loo(m) for m in models], np.random.default_rng(1))

    np.testing.assert_allclose(weights(BASE, BASE), 0.5)
    assert weights(BASE, behind(50.0, 1.0))[0] > 0.99
    unsure = weights(BASE, behind(5.0, 1.0))
    assert unsure.sum() == pytest.approx(1.0)
    assert 0.55 < unsure[0] < 0.85  # a difference of half a standard error; exp(5) would say .993


# One entity, totals of 120 aggregates: posteriors on a grid, drawn from without a sampler.
GRID_RATE = np.exp(np.linspace(np.log(20), np.log(80), 60))
GRID_ALPHA = np.exp(np.linspace(np.log(0.5), np.log(1e5), 24))


def exact_draws(data, key, rng):
    """Draws of rate and alpha by their exact probabilities on a grid, flat on the log scale."""
    family, exposure = FAMILIES[key], data.exposure.toarray()
    alpha = GRID_ALPHA if family.parameters else np.ones(1)
    rate, alpha = (grid.ravel() for grid in np.meshgrid(GRID_RATE, alpha))
    noise = dict.fromkeys(family.parameters, alpha)
    density = family.log_density(data.totals[:, np.newaxis], exposure * rate, noise).sum(axis=0)
    weight = np.exp(density - density.max())
    chosen = rng.choice(len(rate), size=800, p=weight / weight.sum())
    noise = dict.fromkeys(family.parameters, alpha[chosen])
    return TotalDraws(data, family, exposure * rate[chosen], noise)


@pytest.mark.parametrize("truth", [0, 1])
def test_generating_family_is_preferred(truth):
    """At least 5 of 6 data sets, with fixed seeds.

    Were the rule wrong in 1 of 20 data sets, 3% of all choices of the seeds would fail here; over
    another design it was right in 40 of 40 (``docs/choosing.md``).
    """
    keys = [("poisson", None), ("negative_binomial", "aggregate")]
    right = 0
    for seed in range(6):
        rng = np.random.default_rng([7, truth, seed])
        exposure = rng.uniform(0.5, 1.5, size=(120, 1))
        noise = {"alpha": np.array([8.0])} if truth else {}
        totals = FAMILIES[keys[truth]].draw_totals(40.0 * exposure, noise, rng)[:, 0]
        data = AggregateData.from_dense(exposure, totals)
        contenders = []
        for key in keys:
            draws = exact_draws(data, key, rng)
            checks, _ = predictive_checks(draws, rng)
            p_value, n = checks[0].value, len(draws.family.parameters)
            contenders.append(Contender(psis_loo(draws), n, p_value, converged=True))
        right += decide(contenders).preferred == truth
    assert right >= 5
