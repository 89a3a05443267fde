"""Designs: numbers against independent computations, rows never seen, and faults read aloud."""

from __future__ import annotations

import dataclasses

import formulaic
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bayes_attrib.errors import DataError
from bayes_attrib.model.design import build_design
from bayes_attrib.spec.formula import parse_formula

N = 60


def build(text, table):
    return build_design(parse_formula(text), pd.DataFrame(table))


def standardised(columns):
    """Columns with mean 0 and standard deviation 1."""
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


def raw(design):
    return design.matrix * design.scale + design.center


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "potential": rng.lognormal(1, 1, N),
            "age": rng.uniform(30, 60, N),
            "score": rng.normal(size=N),
            "region": rng.choice(["north", "south", "west"], N),
            "size": rng.choice(["big", "small"], N),
            "cost in €": rng.gamma(3, size=N),
        },
        index=pd.Index([f"H{e:02d}" for e in range(N)], name="hcp_id"),
    )


def test_by_hand():
    design = build(
        "seniority + region",
        {"seniority": [1.0, 2.0, 3.0, 6.0], "region": ["south", "north", "north", "east"]},
    )
    assert design.names == ("seniority", "region[north]", "region[south]")
    third = 1 / np.sqrt(3)
    expected = [
        [-2 / np.sqrt(3.5), -1, 3 * third],
        [-1 / np.sqrt(3.5), 1, -third],
        [0, 1, -third],
        [3 / np.sqrt(3.5), -1, -third],
    ]
    np.testing.assert_allclose(design.matrix, expected, atol=1e-15)
    np.testing.assert_allclose(design.center, [3, 0.5, 0.25])
    np.testing.assert_allclose(design.scale, [np.sqrt(3.5), 0.5, np.sqrt(3) / 4])


def test_coefficients_on_the_users_scale_give_the_same_predictor_up_to_the_intercept(table):
    design = build("potential * region + age", table)
    beta = np.random.default_rng(3).normal(size=(5, len(design.names)))
    difference = design.matrix @ beta.T - raw(design) @ design.raw_coefficients(beta).T
    np.testing.assert_allclose(difference, np.broadcast_to(difference[0], difference.shape))


@pytest.mark.parametrize(
    ("text", "names", "columns"),
    [
        ("C(size)", ["size[small]"], lambda t: [t["size"] == "small"]),
        ("size", ["size[small]"], lambda t: [t["size"] == "small"]),
        (
            "region:age",
            ["region[north]:age", "region[south]:age", "region[west]:age"],
            lambda t: [(t.region == level) * t.age for level in ("north", "south", "west")],
        ),
        (
            "age + region:age",
            ["age", "region[south]:age", "region[west]:age"],
            lambda t: [t.age, (t.region == "south") * t.age, (t.region == "west") * t.age],
        ),
        (
            "region * size - region",
            [
                "size[small]",
                *["region[south]:size[big]", "region[south]:size[small]"],
                *["region[west]:size[big]", "region[west]:size[small]"],
            ],
            lambda t: [
                t["size"] == "small",
                *[(t.region == "south") & (t["size"] == size) for size in ("big", "small")],
                *[(t.region == "west") & (t["size"] == size) for size in ("big", "small")],
            ],
        ),
        (
            "scale(age):scale(score)",
            ["scale(age):scale(score)"],
            lambda t: [
                (t.age - t.age.mean()) / t.age.std() * (t.score - t.score.mean()) / t.score.std()
            ],
        ),
        (
            "sqrt(age * 2 - potential * 0) + exp(-score)",
            ["sqrt(age * 2 - potential * 0)", "exp(0 - score)"],
            lambda t: [np.sqrt(2 * t.age), np.exp(-t.score)],
        ),
        (
            "log(`cost in €`) + age",
            ["log(`cost in €`)", "age"],
            lambda t: [np.log(t["cost in €"]), t.age],
        ),
    ],
)
def test_columns_against_direct_computation(table, text, names, columns):
    design = build(text, table)
    assert list(design.names) == names
    expected = np.column_stack(columns(table)).astype(float)
    np.testing.assert_allclose(raw(design), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(design.matrix, standardised(expected), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("degree", [1, 2, 5])
def test_poly_is_the_orthonormal_basis_of_powers(table, degree):
    powers = np.vander(table.age - table.age.mean(), degree + 1, increasing=True)
    q, r = np.linalg.qr(powers)
    expected = (q * np.sign(np.diag(r)))[:, 1:]
    design = build(f"poly(age, {degree})", table)
    np.testing.assert_allclose(raw(design), expected, atol=1e-12)
    np.testing.assert_allclose(design.matrix.T @ design.matrix, N * np.eye(degree), atol=1e-9)
    assert design.names[0] == f"poly(age, degree={degree})[1]"


def splines_by_recursion(x, knots, degree):
    """B-splines by the recursion of de Boor (1978), A Practical Guide to Splines, chapter IX."""
    last = knots < knots[-1]
    end = np.flatnonzero(last)[-1]  # the last piece is closed on the right

    def piece(i, k):
        if k == 0:
            inside = (knots[i] <= x) & (x < knots[i + 1])
            return inside | ((i == end) & (x == knots[-1]))
        total = np.zeros_like(x)
        if knots[i + k] > knots[i]:
            total += (x - knots[i]) / (knots[i + k] - knots[i]) * piece(i, k - 1)
        if knots[i + k + 1] > knots[i + 1]:
            right = (knots[i + k + 1] - x) / (knots[i + k + 1] - knots[i + 1])
            total += right * piece(i + 1, k - 1)
        return total

    return np.column_stack([piece(i, degree) for i in range(len(knots) - degree - 1)])


@pytest.mark.parametrize(("df", "degree"), [(3, 3), (5, 3), (2, 1), (1, 1), (6, 2)])
def test_bs_is_the_spline_basis_without_its_first_column(table, df, degree):
    age = table.age.to_numpy()
    inner = np.quantile(age, np.linspace(0, 1, df - degree + 2)[1:-1])
    knots = np.r_[[age.min()] * (degree + 1), inner, [age.max()] * (degree + 1)]
    expected = splines_by_recursion(age, knots, degree)
    np.testing.assert_allclose(expected.sum(axis=1), 1)
    design = build(f"bs(age, df={df}, degree={degree})", table)
    assert len(design.names) == df
    np.testing.assert_allclose(raw(design), expected[:, 1:], atol=1e-12)


ATOMS = st.sampled_from(
    [
        *["potential", "age", "score", "region", "C(size)", "log(potential)", "scale(score)"],
        *["poly(age, 2)", "bs(age, df=4)", "log1p(potential * 2 + age)", "sqrt(age - 20)"],
    ]
)
FORMULAS = st.recursive(
    ATOMS,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("++:*"), inner),
    max_leaves=3,
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(text=FORMULAS)
def test_spans_what_formulaic_spans(text, table):
    """Another implementation, with codings of its own, describes the same space of predictors."""
    try:
        design = build(text, table)
    except DataError:
        assume(False)
    other = formulaic.model_matrix(text, table, context={"log1p": np.log1p, "sqrt": np.sqrt})
    ours = np.column_stack([np.ones(N), design.matrix])
    theirs = other.to_numpy(dtype=float)
    assert theirs.shape[1] == ours.shape[1]
    theirs = theirs / np.linalg.norm(theirs, axis=0)
    fitted = ours @ np.linalg.lstsq(ours, theirs, rcond=None)[0]
    np.testing.assert_allclose(fitted, theirs, atol=1e-8)


STATEFUL = "poly(age, 3) + bs(score, df=4, degree=2) + scale(potential) * region + C(size)"


def test_rows_are_encoded_alone_as_among_all(table):
    design = build(STATEFUL, table)
    np.testing.assert_allclose(design.apply(table), design.matrix, atol=1e-12)
    for row in (0, 17, N - 1):
        alone = design.apply(table.iloc[[row]])
        np.testing.assert_allclose(alone, design.matrix[[row]], atol=1e-12)
    assert design.apply(table.iloc[:0]).shape == (0, len(design.names))


def test_rows_never_seen_keep_the_training_state(table):
    design = build("poly(age, 2) + scale(score) + log(potential)", table)
    new = pd.DataFrame({"age": [20.0, 90.0], "score": [9.0, -9.0], "potential": [1.0, np.e]})
    powers = np.vander(table.age, 3)
    weights, *_ = np.linalg.lstsq(powers, raw(design)[:, :2], rcond=None)
    expected = np.column_stack(
        [
            np.vander(new.age, 3) @ weights,
            (new.score - table.score.mean()) / table.score.std(),
            [0, 1],
        ]
    )
    np.testing.assert_allclose(
        design.apply(new), (expected - design.center) / design.scale, rtol=1e-8
    )


def test_a_union_that_changes_no_state_gives_the_same_rows(table):
    text = "poly(age, 2) + region * log(potential) + bs(score)"
    once = build(text, table)
    twice = build(text, pd.concat([table, table]))
    np.testing.assert_allclose(twice.matrix, np.vstack([once.matrix] * 2), atol=1e-10)
    np.testing.assert_allclose(once.apply(pd.concat([table, table])), twice.matrix, atol=1e-10)


def test_a_design_is_rebuilt_from_stored_columns(table, tmp_path):
    design = build(STATEFUL, table)
    columns = list(design.formula.columns)
    table[columns].reset_index(drop=True).to_parquet(tmp_path / "columns.parquet")
    again = build(design.formula.text, pd.read_parquet(tmp_path / "columns.parquet"))
    assert again.names == design.names
    np.testing.assert_array_equal(again.matrix, design.matrix)
    np.testing.assert_array_equal(again.apply(table), design.apply(table))


def test_numbers_in_c_are_names():
    years = {"year": [2023.0, 2024.0, 2025.5, 2023.0]}
    design = build("C(year)", years)
    assert design.names == ("year[2024]", "year[2025.5]")
    as_text = build("C(year)", {"year": ["2023", "2024", "2025.5", "2023"]})
    np.testing.assert_array_equal(as_text.matrix, design.matrix)
    np.testing.assert_array_equal(design.apply(pd.DataFrame(years)), design.matrix)
    np.testing.assert_array_equal(
        design.apply(pd.DataFrame({"year": ["2025.5", "2023"]})), design.matrix[[2, 0]]
    )


def test_whole_numbers_and_truth_values():
    design = build(
        "visits + active", {"visits": [1, 2, 3, 5], "active": [True, False, True, False]}
    )
    assert design.names == ("visits", "active[True]")
    np.testing.assert_allclose(raw(design), [[1, 1], [2, 0], [3, 1], [5, 0]], atol=1e-14)


def test_scale_of_units_changes_no_covariate(table):
    text = "age:region + potential:score + bs(potential, df=4)"
    scaled = table.assign(age=table.age * 1e6, potential=table.potential * 1e-9)
    first, second = build(text, table), build(text, scaled)
    np.testing.assert_allclose(second.matrix, first.matrix, atol=1e-9)


def test_a_design_is_frozen(table):
    design = build("age", table)
    with pytest.raises(dataclasses.FrozenInstanceError):
        design.names = ()
    with pytest.raises(ValueError, match="read-only"):
        design.matrix[0, 0] = 1.0
