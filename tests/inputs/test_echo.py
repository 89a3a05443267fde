"""Totals that were computed from exposures, told from totals that were measured."""

import numpy as np
import pytest

from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.components import components
from bayes_attrib.inputs.echo import echo_findings, echoing_components
from bayes_attrib.spec import ModelSpec

N_WEEKS = 40


def exposures(rng, n_entities=4):
    size = rng.lognormal(0.0, 0.5, n_entities)
    return size * rng.lognormal(0.0, 0.5, (N_WEEKS, n_entities))


def two_channels(totals_of, rng):
    """Return data of two channels side by side; the totals of the second are measured."""
    first, second = exposures(rng), exposures(rng)
    dense = np.block([[first, np.zeros_like(second)], [np.zeros_like(first), second]])
    rates = rng.lognormal(0.0, 0.5, second.shape[1])
    measured = (second @ rates) * rng.gamma(100.0, 0.01, N_WEEKS)
    return AggregateData.from_dense(dense, np.concatenate([totals_of(first), measured]))


def spec(family):
    return ModelSpec.model_validate(
        {
            "schema_version": 1,
            "name": "echo",
            "columns": {"aggregate": ("aggregate",), "entity": "entity"},
            "likelihood": {"family": family},
        }
    )


def test_a_multiple_of_the_exposures_is_found_in_its_channel_alone():
    data = two_channels(lambda w: 3.0 * w.sum(axis=1), np.random.default_rng(1))
    assert echoing_components(data) == ["e1"]
    (finding,) = echo_findings(data, spec("gamma"))
    assert finding.severity == "warning"
    assert "'e1'" in finding.message
    assert 'family = "given"' in finding.remedy
    assert not list(echo_findings(data, spec("given")))


def test_multiples_may_differ_between_the_levels_of_a_key():
    rng = np.random.default_rng(2)
    dense = exposures(rng)
    geo = np.arange(N_WEEKS) % 2
    totals = dense.sum(axis=1) * np.array([1.0, 7.0])[geo]
    data = AggregateData.from_dense(dense, totals)
    assert echoing_components(data) == []
    keys = data.aggregate_keys.assign(geo=geo.astype(str))
    assert echoing_components(AggregateData(**{**fields(data), "aggregate_keys": keys})) == ["e1"]


def fields(data):
    names = ("totals", "entity_key", "entity_names", "exposure")
    return {name: getattr(data, name) for name in names}


@pytest.mark.parametrize("spread", [0.2, 0.5, 1.0])
def test_noiseless_totals_of_unequal_rates_are_not_found(spread):
    rng = np.random.default_rng(3)
    rates = np.exp(spread * np.array([-1.0, 0.5, 1.0, -0.5]))
    data = two_channels(lambda w: w @ rates, rng)
    assert echoing_components(data) == []


def test_measured_totals_of_equal_rates_are_not_found_when_they_scatter():
    found = [
        echoing_components(
            two_channels(
                lambda w, rng=rng: w.sum(axis=1) * rng.gamma(400.0, 1 / 400.0, N_WEEKS), rng
            )
        )
        for rng in map(np.random.default_rng, range(50))
    ]
    assert found == [[]] * 50  # noise of 5%


def test_totals_of_one_entity_each_prove_nothing_and_are_not_found():
    dense = np.eye(8)
    assert echoing_components(AggregateData.from_dense(dense, np.full(8, 2.0))) == []


def test_components_are_those_that_aggregates_connect():
    dense = np.array([[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]], dtype=float)
    of_aggregate, of_entity = components(AggregateData.from_dense(dense, [1, 1, 1, 0]))
    assert len({of_aggregate[0], of_aggregate[1], of_entity[0], of_entity[1]}) == 1
    assert of_aggregate[2] == of_entity[2]
    assert len({*of_aggregate, *of_entity}) == 4  # two of them stand alone
