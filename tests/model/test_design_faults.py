"""What is said about rows that do not fit a formula, word by word."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.errors import DataError
from bayes_attrib.model.design import build_design
from bayes_attrib.spec.formula import parse_formula

BAD = pd.DataFrame(
    {
        "a": [1.0, 2.0, 0.0, -1.0, 3.0],
        "b": [2.0, 4.0, 0.0, -2.0, 6.0],
        "k": [7.0] * 5,
        "gap": [1.0, np.nan, 3.0, np.nan, 2.0],
        "inf": [1.0, np.inf, 3.0, -np.inf, 2.0],
        "r": ["n", "s", "s", "n", "n"],
        "q": ["u", "v", "u", "v", "u"],
        "one": ["z"] * 5,
        "none": ["n", None, "s", "s", "n"],
        "mixed": ["1", "x", "2", "3", "y"],
        "zeros": [0.0, 0.0, 0.0, 0.0, 9.0],
    },
    index=["H1", "H2", "H3", "H4", "H5"],
)
FILL = "fill the cells, or take the column out of the formula"
NOT_TEXT = "correct the cells; a category stands alone or in C(), outside of other functions"
VARY = "take it out of the formula, or merge levels: what never varies has no effect"
TAKE_OUT = "take one of them out of the formula; for two categories write a * b instead of a:b"


def build(text, table):
    return build_design(parse_formula(text), pd.DataFrame(table))


def faults(text, table=BAD):
    with pytest.raises(DataError) as caught:
        build(text, table)
    findings = caught.value.findings
    assert {finding.where for finding in findings} == {f"formula {text!r}"}
    assert {finding.severity for finding in findings} == {"error"}
    return [(finding.code, finding.message, finding.remedy) for finding in findings]


@pytest.mark.parametrize(
    ("text", "code", "message", "remedy"),
    [
        (
            "log(a)",
            "covariate-outside-domain",
            "log(a): log needs values above 0, and a is not (2 rows): 0 ('H3') and -1 ('H4')",
            "log1p takes values from 0 up; or correct the values",
        ),
        (
            "log1p(a) + a",
            "covariate-outside-domain",
            "log1p(a): log1p needs values above -1, and a is not (1 row): -1 ('H4')",
            "use the column as it is; or correct the values",
        ),
        (
            "sqrt(a - 1):r",
            "covariate-outside-domain",
            (
                "sqrt(a - 1): sqrt needs values from 0 up, and a - 1 is not (2 rows): -1 ('H3') "
                "and -2 ('H4')"
            ),
            "use the column as it is; or correct the values",
        ),
        (
            "exp(500 * a)",
            "covariate-outside-domain",
            (
                "exp(500 * a): exp needs values up to 700, and 500 * a is not (2 rows): 1000 "
                "('H2') and 1500 ('H5')"
            ),
            "use the column as it is, or scale it down; or correct the values",
        ),
        (
            "poly(log(a), 2)",
            "covariate-outside-domain",
            "log(a): log needs values above 0, and a is not (2 rows): 0 ('H3') and -1 ('H4')",
            "log1p takes values from 0 up; or correct the values",
        ),
        (
            "scale(a * 1e308)",
            "infinite-covariate",
            "a * 1e+308 is too large a number (2 rows): 'H2' and 'H5'",
            "rescale the columns, or take logarithms",
        ),
        (
            "inf",
            "infinite-covariate",
            "column 'inf' has values that are not finite (2 rows): inf ('H2') and -inf ('H4')",
            FILL,
        ),
        (
            "gap * a",
            "missing-covariate-value",
            "column 'gap' has empty cells (2 rows): 'H2' and 'H4'",
            FILL,
        ),
        ("none", "missing-covariate-value", "column 'none' has empty cells (1 row): 'H2'", FILL),
        (
            "age",
            "missing-covariate",
            "there is no column 'age'",
            (
                "add it to the table, or correct the formula; the table has 'a', 'b', 'k', "
                "'gap', 'inf' and 6 more"
            ),
        ),
        (
            "log(mixed)",
            "covariate-not-a-number",
            (
                "log(mixed) needs numbers in column 'mixed', and it holds text (2 rows): 'x' "
                "('H2') and 'y' ('H5')"
            ),
            NOT_TEXT,
        ),
        (
            "r + scale(r)",
            "covariate-not-a-number",
            (
                "scale(r) needs numbers in column 'r', and it holds text (5 rows): 'n' ('H1'), "
                "'s' ('H2'), 's' ('H3'), 'n' ('H4') and 'n' ('H5')"
            ),
            NOT_TEXT,
        ),
        ("k + a", "constant-covariate", "k is 7 in every row", VARY),
        ("scale(a) + sqrt(k)", "constant-covariate", "sqrt(k) is 2.64575 in every row", VARY),
        (
            "one",
            "constant-covariate",
            "column 'one' is 'z' in every row",
            "take it out of the formula: what never varies has no effect to estimate",
        ),
        (
            "scale(k)",
            "too-few-values",
            "scale(k) needs 2 different values of k, and there is 1",
            "take it out of the formula",
        ),
        (
            "poly(zeros, 2)",
            "too-few-values",
            "poly(zeros, degree=2) needs 3 different values of zeros, and there are 2",
            "use a simpler function of it, or C(zeros)",
        ),
        (
            "bs(log1p(zeros), df=4)",
            "too-few-values",
            (
                "bs(log1p(zeros), df=4, degree=3) needs 5 different values of log1p(zeros), and "
                "there are 2"
            ),
            "take it out of the formula",
        ),
        (
            "a + b",
            "collinear-covariates",
            "b follows from a: their coefficients cannot be told apart",
            TAKE_OUT,
        ),
        (
            "r:q",
            "collinear-covariates",
            (
                "r[s]:q[v] follows from r[n]:q[u], r[n]:q[v] and r[s]:q[u]: their coefficients "
                "cannot be told apart"
            ),
            TAKE_OUT,
        ),
    ],
)
def test_training_rows(text, code, message, remedy):
    assert faults(text) == [(code, message, remedy)]


def test_faults_of_all_columns_are_listed_together():
    codes = [code for code, _, _ in faults("gap + inf + none + age + log(r) + a")]
    assert codes == [
        "missing-covariate-value",
        "infinite-covariate",
        "missing-covariate-value",
        "missing-covariate",
        "covariate-not-a-number",
    ]
    codes = [code for code, _, _ in faults("log(a) + one + scale(k) + b")]
    assert codes == ["covariate-outside-domain", "constant-covariate", "too-few-values"]
    assert [message for _, message, _ in faults("a + k + b + k:a")] == ["k is 7 in every row"]


def test_a_combination_that_never_occurs_is_named():
    table = {"r": ["n", "n", "s", "s"] * 3, "q": ["u", "v", "u", "u"] * 3}
    ((code, message, remedy),) = faults("r * q", table)
    assert (code, message) == ("constant-covariate", "r[s]:q[v] is 0 in every row")
    assert "merge levels" in remedy


def test_rows_without_labels_are_counted():
    ((_, message, _),) = faults("log(a)", BAD.reset_index(drop=True))
    assert message.endswith("(2 rows): 0 (row 3) and -1 (row 4)")
    labels = pd.MultiIndex.from_arrays([["B"] * 5, BAD.index])
    ((_, message, _),) = faults("log(a)", BAD.set_index(labels))
    assert message.endswith("(2 rows): 0 ('B / H3') and -1 ('B / H4')")


def test_only_a_few_rows_are_cited():
    ((_, message, _),) = faults("log(a)", {"a": [0.0] * 9 + [1.0]})
    assert message.endswith(
        "(9 rows): 0 (row 1), 0 (row 2), 0 (row 3), 0 (row 4), 0 (row 5) and 4 more"
    )


def test_knots_that_coincide():
    values = np.concatenate([np.zeros(50), np.arange(1.0, 11)])
    ((code, message, remedy),) = faults("bs(x, df=4, degree=2)", {"x": values})
    assert code == "spline-knots-coincide"
    assert message.endswith("with so many equal values they coincide: 0, 0, 0, 10")
    assert remedy == "lower df, or use poly"


def test_a_polynomial_that_cannot_be_computed():
    values = np.random.default_rng(1).lognormal(0, 2, 300)
    ((code, message, remedy),) = faults("poly(x, 15)", {"x": values})
    assert code == "ill-conditioned-polynomial"
    assert message.startswith("poly(x, degree=15) bends more than its values allow")
    assert "logarithms" in remedy


def test_a_category_of_many_levels_belongs_in_pooling():
    names = [f"B{i:03d}" for i in range(201)]
    ((code, message, remedy),) = faults("brick", {"brick": names * 2})
    assert code == "too-many-levels"
    assert message.startswith("column 'brick' is a category of 201 levels, such as 'B000', 'B001'")
    assert "belongs in pooling" in remedy
    assert len(build("brick", {"brick": names[1:] * 2}).names) == 199


@pytest.mark.parametrize(
    ("change", "code", "message", "remedy"),
    [
        (
            {"region": ["east", "north", "Northern"]},
            "unknown-covariate-level",
            (
                "column 'region' has levels that the fit has never seen (2 rows): 'east' (row 1) "
                "and 'Northern' (row 3)"
            ),
            "known levels: 'north' and 'south'; leave these rows out, or fit again with such rows",
        ),
        (
            {"age": [40.0, 29.0, 70.0]},
            "covariate-outside-spline",
            (
                "age lies outside of 30 to 60, where its spline was fitted (2 rows): 29 (row 2) "
                "and 70 (row 3)"
            ),
            (
                "use poly or the plain column if the model must reach beyond its training rows, or "
                "leave these rows out"
            ),
        ),
        (
            {"potential": [1.0, 0.0, 2.0]},
            "covariate-outside-domain",
            "log(potential): log needs values above 0, and potential is not (1 row): 0 (row 2)",
            "log1p takes values from 0 up; or correct the values",
        ),
        (
            {"potential": ["1", "2", "many"]},
            "covariate-not-a-number",
            (
                "column 'potential' holds numbers where the model was fitted, and it holds text "
                "(1 row): 'many' (row 3)"
            ),
            NOT_TEXT,
        ),
        (
            {"potential": [1.0, np.nan, 2.0]},
            "missing-covariate-value",
            "column 'potential' has empty cells (1 row): row 2",
            FILL,
        ),
    ],
)
def test_rows_never_seen(change, code, message, remedy):
    rng = np.random.default_rng(5)
    design = build(
        "bs(age) + region + log(potential)",
        {
            "age": np.linspace(30, 60, 20),
            "region": ["north", "south"] * 10,
            "potential": rng.lognormal(size=20),
        },
    )
    good = {"age": [40.0, 45.0, 50.0], "region": ["north"] * 3, "potential": [1.0, 2.0, 3.0]}
    assert design.apply(pd.DataFrame(good)).shape == (3, 5)
    with pytest.raises(DataError) as caught:
        design.apply(pd.DataFrame(good | change))
    (finding,) = caught.value.findings
    assert (finding.code, finding.message, finding.remedy) == (code, message, remedy)


def test_a_column_that_new_rows_lack():
    design = build("a + r", BAD)
    with pytest.raises(DataError, match="there is no column 'r'"):
        design.apply(BAD[["a"]])
