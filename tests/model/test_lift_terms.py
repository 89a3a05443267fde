"""The term of lift tests: its graph, its NumPy twin, and the variance of a part, by other means."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from bayes_attrib.errors import FitError, SpecError
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.lift_test import LiftTest
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.model.families import FAMILIES, Cells
from bayes_attrib.model.lift_terms import LiftParts
from bayes_attrib.model.structure import describe_structure
from bayes_attrib.spec import parse_plain

EXPOSURE = np.array([[2.0, 1.0, 0.5], [1.0, 3.0, 0.0], [0.0, 0.0, 0.0], [0.5, 1.0, 4.0]])
COUNTS = np.array([9.0, 5.0, 0.0, 11.0])
MEASURED = [(6.0, 1.5, 1.0), (9.0, 2.0, 0.7)]
MEMBERS = [{(0, 0), (1, 0)}, {(0, 1), (0, 2), (3, 2)}]
"""(aggregate, entity) pairs that each of two tests covers."""

CASES = [key for key in FAMILIES if key[1] != "pair_approximation"]


def lift_data(base, *, members=MEMBERS, measured=MEASURED):
    """Give data lift tests by pairs of positions."""
    place = {
        pair: edge
        for edge, pair in enumerate(zip(base.edge_aggregate, base.edge_entity, strict=True))
    }
    tests = tuple(
        LiftTest(f"t{i}", "", "", "", *numbers, np.array([place[pair] for pair in pairs]))
        for i, (pairs, numbers) in enumerate(zip(members, measured, strict=True))
    )
    return dataclasses.replace(base, lift_tests=tests)


def make_case(family, level):
    counts = "poisson" in family or "binomial" in family
    totals = COUNTS if counts else COUNTS + 0.5 * (COUNTS > 0)
    data = lift_data(AggregateData.from_dense(EXPOSURE, totals))
    spec = parse_plain(
        {
            "schema_version": 1,
            "name": "lift",
            "columns": {"aggregate": "aggregate", "entity": "entity"},
            "likelihood": {"family": family, **({"level": level} if level else {})},
            "rates": {"geometry": {"entity": "centered"}},
        },
        source="test",
    )
    return data, spec


def by_hand(data, spec, rate, noise):
    """Mean and sd of both increments, by loops over pairs."""
    mu = EXPOSURE @ rate
    found = []
    for pairs, (_, error, ratio) in zip(MEMBERS, MEASURED, strict=True):
        mean = variance = 0.0
        for b in {b for b, _ in pairs}:
            part = sum(EXPOSURE[b, e] * rate[e] for c, e in pairs if c == b) / mu[b]
            y = data.totals[b]
            mean += y * part
            family = spec.likelihood.base_family, spec.likelihood.level
            if family in {("poisson", None), ("negative_binomial", "aggregate")}:
                variance += stats.binom(y, part).var()
            elif family == ("negative_binomial", "pair"):
                size = mu[b] / noise["phi"]
                variance += stats.betabinom(y, part * size, (1 - part) * size).var()
            elif family == ("gamma", "pair"):
                size = mu[b] / noise["phi"]
                variance += y**2 * stats.beta(part * size, (1 - part) * size).var()
        found.append((ratio * mean, np.sqrt(error**2 + ratio**2 * variance)))
    return found


@pytest.mark.parametrize(
    ("family", "level"),
    [
        ("poisson", None),
        ("negative_binomial", "pair"),
        ("gamma", "aggregate"),
        ("gamma", "pair"),
        ("hurdle_gamma", "pair"),
    ],
)
def test_density_and_twin_by_hand(family, level):
    data, spec = make_case(family, level)
    model = build_model(data, spec)
    rng = np.random.default_rng(1)
    point = {
        name: value + 0.3 * rng.standard_normal(np.shape(value))
        for name, value in model.initial_point().items()
    }
    point = {name: point[name] for name in ("log_rate", "phi_log__") if name in point}
    term = model.compile_fn(
        model.logp(vars=[model["lift_increment"]], sum=False),
        inputs=[value for value in model.value_vars if value.name in point],
        mode="FAST_COMPILE",
    )(point)[0]
    rate = np.exp(point["log_rate"])
    noise = {"phi": np.exp(point["phi_log__"])} if "phi_log__" in point else {}
    noise |= {name: np.float64(0.5) for name in spec.likelihood.parameters if name not in noise}
    expected = by_hand(data, spec, rate, noise)
    for value, (mean, sd), (increment, _, _) in zip(term, expected, MEASURED, strict=True):
        assert value == pytest.approx(stats.norm.logpdf(increment, mean, sd), rel=1e-10)
    parts = LiftParts.of(data)
    amounts = data.exposure.data * rate[data.edge_entity]
    mean, variance = parts.moments(
        (parts.to_parts @ amounts[parts.edge])[:, np.newaxis],
        data.expected_totals(rate)[parts.aggregate][:, np.newaxis],
        FAMILIES[family, level],
        {name: np.atleast_1d(value) for name, value in noise.items()},
    )
    np.testing.assert_allclose(mean[:, 0], [m for m, _ in expected], rtol=1e-12)
    np.testing.assert_allclose(np.sqrt(variance[:, 0]), [s for _, s in expected], rtol=1e-12)


@pytest.mark.statistical
@pytest.mark.parametrize(("family", "level"), CASES)
def test_variance_of_a_part_is_that_of_drawn_amounts(family, level):
    """60,000 draws; each of three comparisons fails by chance with probability below 1e-6."""
    law, n = FAMILIES[family, level], 60_000
    mu, total = np.array([2.0, 1.0, 3.0]), 12.0
    noise = {name: np.full(n, 1.7) for name in law.parameters}
    cells = Cells(np.array([total]), np.array([0, 3]), np.repeat(mu[:, np.newaxis], n, axis=1))
    drawn = law.draw_amounts(cells, noise, np.random.default_rng(4))
    for e in range(3):
        exact = float(np.ravel(law.part_variance(total, mu[e] / 6, 6.0, {"phi": 1.7}))[0])
        squares = (drawn[e] - total * mu[e] / 6) ** 2
        error = squares.std() / np.sqrt(n)
        assert abs(squares.mean() - exact) <= 5 * error + 1e-18


@pytest.mark.parametrize("family", ["lognormal", "hurdle_lognormal"])
def test_approximate_pairs_are_refused(family):
    data, spec = make_case(family, "pair_approximation")
    with pytest.raises(SpecError, match="has no known law of a part of a total"):
        build_model(data, spec)
    with pytest.raises(FitError, match="no variance in closed form"):
        FAMILIES[family, "pair_approximation"].part_variance(1.0, 0.5, 1.0, {})


def test_models_without_tests_have_no_term():
    data, spec = make_case("gamma", "aggregate")
    without = dataclasses.replace(data, lift_tests=())
    model = build_model(without, spec)
    assert "lift_increment" not in model.named_vars
    assert "lift_test" not in model.coords


def test_structure_tells_sizes_of_tests_apart():
    data, spec = make_case("gamma", "aggregate")
    geometry = choose_geometry(data, spec)
    whole = describe_structure(data, spec, geometry)
    assert whole["lift_tests"] == {"tests": 2, "parts": 4, "members": 5}
    fewer = dataclasses.replace(data, lift_tests=data.lift_tests[:1])
    assert describe_structure(fewer, spec, geometry) != whole
    moved = lift_data(dataclasses.replace(data, lift_tests=()), measured=[(5, 1, 1), (8, 3, 0.9)])
    assert describe_structure(moved, spec, geometry) == whole
