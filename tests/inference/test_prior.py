"""Draws from the prior: repeatable, unit-free, and of every kind of model that a spec can name."""

import dataclasses

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import scipy.sparse as sp

from bayes_attrib.errors import FitError
from bayes_attrib.inference import sample_prior
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.model.families import FAMILIES
from bayes_attrib.spec import parse_plain

DRAWS = 60
N_WEEKS, N_ENTITIES = 6, 5


def make_data(*, counts=True):
    """Five entities in six weeks, the last of which nobody is exposed in."""
    rng = np.random.default_rng(3)
    exposure = rng.lognormal(size=(N_WEEKS, N_ENTITIES)) * (rng.random((N_WEEKS, N_ENTITIES)) < 0.7)
    exposure[:, 0], exposure[-1] = 1.0, 0.0
    totals = rng.poisson(20.0, size=N_WEEKS) + (0.0 if counts else 0.25)
    totals[-1] = 0.0
    weeks = [f"w{b}" for b in range(N_WEEKS)]
    stored = sp.csr_array(exposure)
    return AggregateData(
        aggregate_keys=pd.DataFrame({"week": weeks}),
        totals=totals,
        entity_key="who",
        entity_names=np.array([f"e{i}" for i in range(N_ENTITIES)], dtype=object),
        exposure=stored,
        groupings={"kind": Grouping.from_labels("kind", list("aabbb"))},
        aggregate_groupings={"week": Grouping("week", tuple(weeks), np.arange(N_WEEKS))},
        entity_covariates=pd.DataFrame({"age": rng.normal(size=N_ENTITIES)}),
        pair_covariates=pd.DataFrame({"slot": rng.normal(size=stored.nnz)}),
    )


def make_spec(family=("poisson", None), *, rates=None, priors=None, **likelihood):
    return parse_plain(
        {
            "schema_version": 1,
            "name": "test",
            "columns": {"aggregate": ["week"], "entity": "who"},
            "likelihood": {"family": family[0], "level": family[1], **likelihood},
            "rates": rates or {"pooling": ["kind"]},
            "priors": priors or {},
            "inference": {"seed": 7},
        },
        source="test",
    )


def test_a_seed_gives_the_same_draws_and_another_seed_others():
    data, spec = make_data(), make_spec()
    one, two = (sample_prior(data, spec, draws=DRAWS, seed=7) for _ in range(2))
    other = sample_prior(data, spec, draws=DRAWS, seed=8)
    assert one.tree.identical(two.tree)
    assert sample_prior(data, spec, draws=DRAWS).tree.identical(one.tree)  # the spec's own seed
    assert not np.array_equal(one.totals, other.totals)


@pytest.mark.parametrize("key", list(FAMILIES), ids=str)
def test_every_family_predicts_totals_that_it_allows(key):
    family, data = FAMILIES[key], make_data(counts=FAMILIES[key].counts)
    prior = sample_prior(data, make_spec(key), draws=DRAWS)
    assert prior.totals.shape == (N_WEEKS - 1, DRAWS)
    assert np.isfinite(prior.totals).all()
    assert (prior.totals >= 0).all()
    if family.counts:
        assert np.array_equal(prior.totals, np.rint(prior.totals))
    assert (prior.totals > 0).all() or family.zeros_allowed
    assert set(prior.spec.parameters) <= set(prior.variables)


def test_explicit_amounts_have_the_prior_of_the_marginal_model():
    data = make_data()
    marginal, explicit = (
        sample_prior(data, make_spec(amounts=amounts), draws=DRAWS)
        for amounts in ("marginal", "explicit")
    )
    assert np.array_equal(marginal.totals, explicit.totals)


def test_effects_of_groups_sum_to_zero_and_have_their_sd():
    prior = sample_prior(
        make_data(),
        make_spec(priors={"sigma_kind": {"dist": "HalfNormal", "sigma": 3.0}}),
        draws=800,
    )
    effects = prior.draws("effect_kind")
    np.testing.assert_allclose(effects.sum(axis=0), 0.0, atol=1e-9)
    # Zero-sum normals of two levels are +-z with Var(z) = sigma**2 / 2; 5 standard errors.
    ratio = (effects[0] / prior.draws("sigma_kind")) ** 2
    assert abs(ratio.mean() - 0.5) < 5 * ratio.std() / np.sqrt(prior.n_draws)


def test_shares_split_every_observed_total():
    data = make_data()
    prior = sample_prior(data, make_spec(), draws=DRAWS)
    weights, rate = data.exposure.toarray()[:-1], prior.draws("rate")
    by_hand = np.zeros((N_ENTITIES, DRAWS))
    for row, total in zip(weights, data.totals, strict=False):
        amounts = row[:, np.newaxis] * rate
        by_hand += total * amounts / amounts.sum(axis=0)
    np.testing.assert_allclose(prior.shares, by_hand / data.totals.sum(), rtol=1e-12)
    np.testing.assert_allclose(prior.shares.sum(axis=0), 1.0, rtol=1e-12)


def test_factors_of_edges_enter_expected_amounts():
    rates = {
        "covariates": "age",
        "pair_covariates": "slot",
        "aggregate_effects": ["week"],
    }
    data = make_data()
    prior = sample_prior(data, make_spec(rates=rates), draws=DRAWS)
    slots = data.pair_covariates["slot"].to_numpy()
    factor = np.exp(
        prior.draws("effect_week")[data.edge_aggregate]
        + np.outer((slots - slots.mean()) / slots.std(), prior.draws("beta_pair"))
    )
    amounts = data.exposure.data[:, np.newaxis] * prior.draws("rate")[data.edge_entity] * factor
    np.testing.assert_allclose(prior.expected.amounts(slice(None)), amounts, rtol=1e-9)


@pytest.mark.parametrize(
    "key", [("gamma", "aggregate"), ("gamma", "pair"), ("lognormal", "aggregate")]
)
def test_units_change_no_share_and_scale_the_totals(key):
    data = make_data(counts=False)
    other = dataclasses.replace(data, totals=100 * data.totals, exposure=1000 * data.exposure)
    one, two = (sample_prior(d, make_spec(key), draws=DRAWS) for d in (data, other))
    np.testing.assert_allclose(two.shares, one.shares, rtol=1e-9)
    np.testing.assert_allclose(two.totals, 100 * one.totals, rtol=1e-6)
    np.testing.assert_allclose(two.draws("rate"), one.draws("rate") / 10, rtol=1e-9)


@pytest.mark.parametrize("key", [("poisson", None), ("gamma", "aggregate")])
def test_a_prior_beyond_all_numbers_is_an_error_that_names_it(key):
    wild = {"intercept": {"dist": "Normal", "mu": 0.0, "sigma": 900.0}}
    data = make_data(counts=FAMILIES[key].counts)
    with pytest.raises(FitError, match=r"cannot be drawn.*tighten the priors of intercept"):
        sample_prior(data, make_spec(key, priors=wild), draws=DRAWS)


def test_a_model_of_ones_own_is_drawn_from_as_it_is():
    data = make_data()
    coords = {"entity": data.entity_names, "aggregate": data.aggregate_labels[:-1]}
    with pm.Model(coords=coords) as model:
        rate = pm.Exponential("rate", 1.0, dims="entity")
        mu = pm.math.dot(data.exposure.toarray()[:-1], rate)
        pm.Poisson("total", mu, observed=data.totals[:-1].astype(int), dims="aggregate")
    prior = sample_prior(data, make_spec(), model=model, draws=DRAWS, seed=1)
    assert prior.variables == ("rate",)
    assert prior.totals.shape == (N_WEEKS - 1, DRAWS)
    np.testing.assert_allclose(prior.shares.sum(axis=0), 1.0)


def test_nothing_is_written_to_the_streams(capfd):
    sample_prior(make_data(), make_spec(), draws=5)
    assert capfd.readouterr() == ("", "")
