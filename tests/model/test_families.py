"""Marginal laws of the totals, family by family, against SciPy."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from bayes_attrib import names
from bayes_attrib.model.families import FAMILIES, get_family
from bayes_attrib.spec import LikelihoodSpec
from bayes_attrib.spec.schema import DISPERSION, LEVELS

POISSON = ("poisson", None)
NB_AGGREGATE = ("negative_binomial", "aggregate")
NB_PAIR = ("negative_binomial", "pair")
GAMMA_AGGREGATE = ("gamma", "aggregate")
GAMMA_PAIR = ("gamma", "pair")
COUNTS = (POISSON, NB_AGGREGATE, NB_PAIR)

LAWS = {
    POISSON: lambda mu, _: stats.poisson(mu),
    NB_AGGREGATE: lambda mu, alpha: stats.nbinom(alpha, alpha / (alpha + mu)),
    NB_PAIR: lambda mu, phi: stats.nbinom(mu / phi, 1 / (1 + phi)),
    GAMMA_AGGREGATE: lambda mu, alpha: stats.gamma(alpha, scale=mu / alpha),
    GAMMA_PAIR: lambda mu, phi: stats.gamma(mu / phi, scale=phi),
}
"""The marginal law of a total with expectation mu, as SciPy parameterises it."""

MU = np.array([0.02, 0.7, 5.0, 83.0, 1200.0])
DISPERSION_GRID = np.array([0.05, 0.6, 3.0, 40.0])
COUNT_TOTALS = np.array([0.0, 1.0, 2.0, 9.0, 75.0, 1000.0, 4000.0])
MONEY_TOTALS = np.array([1e-3, 0.4, 1.0, 9.5, 75.25, 1000.0, 4000.0])

every_family = pytest.mark.parametrize("key", list(FAMILIES), ids=str)


def grid(key):
    """All combinations of expectation, dispersion and total, as three flat arrays."""
    totals = COUNT_TOTALS if key in COUNTS else MONEY_TOTALS
    return (axis.ravel() for axis in np.meshgrid(MU, DISPERSION_GRID, totals))


def model_logp(key, mu, dispersion, totals):
    """Log density of each total as the family adds it to a PyMC model."""
    with pm.Model() as model:
        FAMILIES[key].add_total(pm.Data("mu", mu), totals, pm.Data("dispersion", dispersion))
    (logp,) = model.compile_fn(model.logp(sum=False), inputs=[], mode="FAST_COMPILE")({})
    assert [variable.name for variable in model.observed_RVs] == [names.TOTAL]
    return logp


def test_every_family_of_the_schema_is_there():
    wanted = {(name, level) for name, levels in LEVELS.items() for level in levels or (None,)}
    assert set(FAMILIES) == wanted == set(LAWS)
    assert {key: family.dispersion for key, family in FAMILIES.items()} == dict(DISPERSION)
    for name, level in wanted:
        family = get_family(LikelihoodSpec(family=name, level=level))
        assert (family.name, family.level) == (name, level)


@every_family
def test_log_density_of_totals(key):
    mu, dispersion, totals = grid(key)
    law = LAWS[key](mu, dispersion)
    expected = law.logpmf(totals) if key in COUNTS else law.logpdf(totals)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(model_logp(key, mu, dispersion, totals), expected, rtol=1e-9)


@pytest.mark.parametrize("total", [1e6, 1e9])
@every_family
def test_log_density_of_huge_totals(key, total):
    # Terms as large as y log y cancel: no formula in log-gamma functions can do better than this.
    tolerance = 20 * np.finfo(float).eps * total * np.log(total)
    deviation = 1 + np.array([-3, -1, 0, 2]) * total**-0.5
    mu, dispersion = np.full(4, total), np.full(4, 2.5)
    totals = np.round(total * deviation)
    law = LAWS[key](mu, dispersion)
    expected = law.logpmf(totals) if key in COUNTS else law.logpdf(totals)
    found = model_logp(key, mu, dispersion, totals)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@every_family
def test_variance(key):
    mu, dispersion = (axis.ravel() for axis in np.meshgrid(MU, DISPERSION_GRID))
    expected = LAWS[key](mu, dispersion).var()
    np.testing.assert_allclose(FAMILIES[key].variance(mu, dispersion), expected, rtol=1e-12)
