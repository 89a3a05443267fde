"""Formulas: what they mean, and that nothing outside of the vocabulary passes."""

from __future__ import annotations

import ast
import builtins
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_attrib.errors import SpecError
from bayes_attrib.spec import ModelSpec, parse_spec
from bayes_attrib.spec.formula import parse_formula
from bayes_attrib.spec.formula_tree import FUNCTIONS, columns_of

SPEC = """
schema_version = 1
name = "hcp_brick"

[columns]
aggregate = ["brick_id"]
entity = "hcp_id"

"""


def terms(text):
    return [":".join(factor.text for factor in term) for term in parse_formula(text).terms]


def fault(text):
    with pytest.raises(SpecError) as caught:
        parse_formula(text)
    (finding,) = caught.value.findings
    assert (finding.code, finding.severity, finding.where) == (
        "invalid-formula",
        "error",
        "formula",
    )
    return finding


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("seniority + log1p(potential)", ["seniority", "log1p(potential)"]),
        ("a+b+a", ["a", "b"]),
        ("b:a + a:b", ["b:a"]),
        ("a:a", ["a"]),
        ("a * b", ["a", "b", "a:b"]),
        ("a * b + c", ["a", "b", "c", "a:b"]),
        ("a * b:c", ["a", "b:c", "a:b:c"]),
        ("a * b * c", ["a", "b", "c", "a:b", "a:c", "b:c", "a:b:c"]),
        ("a * b - b", ["a", "a:b"]),
        ("(a + b):c", ["a:c", "b:c"]),
        ("(a + b) * (c + d)", ["a", "b", "c", "d", "a:c", "a:d", "b:c", "b:d"]),
        ("(a + b + c):(a + b + c) - a - b - c", ["a:b", "a:c", "b:c"]),
        ("poly(x, 2)", ["poly(x, degree=2)"]),
        ("poly( x , degree = 3 )", ["poly(x, degree=3)"]),
        ("bs(x)", ["bs(x, df=3, degree=3)"]),
        ("bs(x, 5)", ["bs(x, df=5, degree=3)"]),
        ("bs(x, degree=2, df=4)", ["bs(x, df=4, degree=2)"]),
        ("bs(x, degree=1)", ["bs(x, df=1, degree=1)"]),
        ("scale(a - 2 * b)", ["scale(a - 2 * b)"]),
        ("log(a * (b + 1) - (c - .5e1))", ["log(a * (b + 1) - (c - 5))"]),
        ("sqrt(((a)))", ["sqrt(a)"]),
        ("exp(-a * -2)", ["exp((0 - a) * -2)"]),
        ("log(a * (b * c))", ["log(a * (b * c))"]),
        ("exp(log(a) - log(b))", ["exp(log(a) - log(b))"]),
        ("C(region):x", ["C(region):x"]),
        ("`my col` + C(`cost in €`)", ["`my col`", "C(`cost in €`)"]),
        ("`plain`", ["plain"]),
        ("`log(x)`", ["`log(x)`"]),
        ("log + C + poly", ["log", "C", "poly"]),
        ("größe * 年", ["größe", "年", "größe:年"]),
        ("a\n + b\t", ["a", "b"]),
    ],
)
def test_meaning(text, meaning):
    assert terms(text) == meaning
    assert terms(" + ".join(meaning)) == meaning


def test_columns_are_named_in_order_and_by_role():
    formula = parse_formula("z:poly(log(`b c`) - a, 2) + a + C(`b d`) * d")
    assert formula.columns == ("a", "b d", "d", "z", "b c")
    assert formula.categorical == ("b d",)
    assert formula.numeric == ("b c", "a")


def test_a_column_that_was_taken_away_again_is_not_read():
    assert parse_formula("a + b - b").columns == ("a",)


def test_formulas_are_values():
    assert parse_formula("a + b") == parse_formula("a + b")
    assert hash(parse_formula("a + b")) == hash(parse_formula("a + b"))
    with pytest.raises(AttributeError):
        parse_formula("a").text = "b"


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("", "the formula is empty", "name a column"),
        (" \n", "the formula is empty", "name a column"),
        ("a - a", "nothing is left of 'a - a'", "keep a term"),
        ("0 + a", "the number 0 stands outside of a function, at character 1", "own intercept"),
        ("a + 1", "the number 1 stands outside of a function, at character 5", "own intercept"),
        ("-1 + a", "the number -1 stands outside of a function, at character 1", "own intercept"),
        ("a - 1", "the number 1 stands outside of a function, at character 5", "own intercept"),
        ("2 * a", "the number 2 stands outside of a function", "standardised"),
        ("a - b", "there is no term b before '-' to take away, at character 3", "scale(a - b)"),
        ("-a", "'-' is out of place, at character 1", "a formula knows columns, + - : *"),
        ("a +", "the formula breaks off, at character 4", "remove the last sign"),
        ("a + * b", "'*' is out of place, at character 5", "a formula knows"),
        ("a b", "'b' is out of place, at character 3", "a formula knows"),
        ("(a", "'(' is not closed, at character 1", "closing parenthesis"),
        ("a)", "')' is out of place, at character 2", "a formula knows"),
        ("log1p(a + b", "'log1p' is not closed, at character 1", "closing parenthesis"),
        ("a / b", "'/' is not known to formulas, at character 3", "exp(log(a) - log(b))"),
        ("a // b", "'//' is not known to formulas, at character 3", "exp(log(a) - log(b))"),
        ("a ** 2", "'**' is not known to formulas, at character 3", "poly(column, degree=2)"),
        ("a^2", "'^' is not known to formulas, at character 2", "poly(column, degree=2)"),
        ("y ~ a", "'~' is not known to formulas, at character 3", "right of ~"),
        ("a.b", "'.' is not known to formulas, at character 2", "`a.b`"),
        ("a['b']", "'[' is not known to formulas, at character 2", "a formula knows"),
        ("'a'", '"\'" is not known to formulas, at character 1', "backticks"),
        ('"a"', "'\"' is not known to formulas, at character 1", "backticks"),
        ("`a", "'`' is not known to formulas, at character 1", "close the backticks"),
        ("``", "'`' is not known to formulas, at character 1", "close the backticks"),
        ("2a", "'2a' is not known to formulas, at character 1", "a formula knows"),
        ("log(0x10 + a)", "'0x10' is not known to formulas, at character 5", "a formula knows"),
        ("log(1_000 * a)", "'1_000' is not known to formulas, at character 5", "a formula knows"),
        ("log(1e999 + a)", "the number 1e999 is too large, at character 5", "smaller number"),
        ("log(2)", "log reads no column, at character 1", "log(column)"),
        ("log()", "')' is out of place, at character 5", "a formula knows"),
        ("log(a, 2)", "',' is out of place, at character 6", "log takes one column"),
        ("log(a:b)", "':' is out of place, at character 6", "write * for a product"),
        ("log(a, base=2)", "',' is out of place, at character 6", "log takes one column"),
        ("sin(a)", "unknown function 'sin', at character 1", "known functions: log, log1p"),
        ("ln(a)", "unknown function 'ln', at character 1", "did you mean 'log'?"),
        ("log10(a)", "unknown function 'log10', at character 1", "did you mean 'log'?"),
        ("sqr(a)", "unknown function 'sqr', at character 1", "did you mean 'sqrt'?"),
        ("c(a)", "unknown function 'c', at character 1", "known functions"),
        ("a:__import__('os')", "unknown function '__import__', at character 3", "known functions"),
        ("`log`(a)", "'(' is out of place, at character 6", "a formula knows"),
        ("log(scale(a))", "scale stands inside another function, at character 5", "outermost"),
        ("poly(C(a), 2)", "C stands inside another function, at character 6", "outermost"),
        ("C(1)", "'1' is out of place, at character 3", "C takes the name of one column"),
        ("C(a + b)", "'+' is out of place, at character 5", "a formula knows"),
        ("C(a, b)", "',' is out of place, at character 4", "C takes the name of one column"),
        ("C('a')", '"\'" is not known to formulas, at character 3', "backticks"),
        ("a + C(a)", "column a stands both inside C() and outside", "C(a) everywhere or nowhere"),
        ("log(`a b`):C(`a b`)", "column `a b` stands both inside C()", "C(`a b`) everywhere"),
        ("poly(a)", "poly needs a degree, at character 1", "poly(a, degree=2)"),
        ("poly(a, 0)", "degree of poly is '0', at character 9", "whole number from 1 to 50"),
        ("poly(a, 51)", "degree of poly is '51', at character 9", "whole number from 1 to 50"),
        ("poly(a, 2.0)", "degree of poly is '2.0', at character 9", "whole number"),
        ("poly(a, -1)", "degree of poly is '-', at character 9", "whole number"),
        ("poly(a, b)", "degree of poly is 'b', at character 9", "whole number"),
        ("poly(a, raw=1)", "poly does not take 'raw', at character 9", "poly takes degree=..."),
        ("poly(a, 2, 3)", "poly does not take '3', at character 12", "poly takes degree=..."),
        ("poly(a, 2, degree=2)", "poly does not take 'degree', at character 12", "degree=..."),
        ("scale(a, 2)", "scale does not take '2', at character 10", "scale takes nothing"),
        ("bs(a, df=2)", "bs has df=2, fewer than its degree=3, at character 1", "df=3 or more"),
        ("bs(a, knots=3)", "bs does not take 'knots', at character 7", "df=... and degree=..."),
        ("bs(a, 5, 3, 2)", "bs does not take '2', at character 13", "df=... and degree=..."),
        ("*".join("abcdefghijk"), "expands to more than 1,000 terms", "cross fewer columns"),
        ("(" * 41 + "a" + ")" * 41, "nested too deeply, at character 41", "remove parentheses"),
        ("log(" + "-" * 99 + "a)", "nested too deeply, at character 44", "remove parentheses"),
        ("exp(" * 99 + "a" + ")" * 99, "nested too deeply", "remove parentheses"),
    ],
)
def test_faults_name_the_piece_its_place_and_a_remedy(text, message, remedy):
    finding = fault(text)
    assert message in finding.message
    assert remedy in finding.remedy


def test_a_long_formula_is_quoted_around_its_fault():
    text = " + ".join(f"column_{number}" for number in range(500)) + " + sin(age) + a"
    message = fault(text).message
    place = text.index("sin") + 1
    assert message.startswith(f"unknown function 'sin', at character {place} of the formula, near")
    assert "column_499 + sin(age) + a'" in message
    assert len(message) < 160


def test_every_function_is_known():
    for function in FUNCTIONS:
        option = ", 2" if function == "poly" else ""
        assert parse_formula(f"{function}(x{option})").columns == ("x",)


def test_a_spec_holds_formulas_as_text_and_checks_them():
    rates = '[rates]\ncovariates = "a + log(b)"\npair_covariates = "C(c)"\n'
    zeros = '[likelihood]\nfamily = "zero_inflated_poisson"\nzero_covariates = "d"\n'
    spec = parse_spec(SPEC + rates + zeros)
    assert spec.rates.covariates == "a + log(b)"
    assert (spec.rates.pair_covariates, spec.likelihood.zero_covariates) == ("C(c)", "d")
    again = ModelSpec.model_validate_json(spec.model_dump_json())
    assert (again, again.digest) == (spec, spec.digest)
    with pytest.raises(SpecError) as caught:
        parse_spec((SPEC + rates + zeros).replace("log(b)", "lag(b)").replace('"d"', '"{d}"'))
    assert [(finding.where, finding.message) for finding in caught.value.findings] == [
        (
            "spec, likelihood.zero_covariates",
            "'{' is not known to formulas, at character 1 of '{d}'",
        ),
        ("spec, rates.covariates", "unknown function 'lag', at character 5 of 'a + lag(b)'"),
    ]
    assert caught.value.findings[1].remedy.startswith("did you mean 'log'? known functions")


# Python expressions, harmless and not; generated as text, since that is what a spec holds.

NAMES = st.sampled_from(["a", "b", "region", "log", "C", "os", "__import__", "eval", "__class__"])
LITERALS = st.sampled_from(
    ["1", "0", "2.5", "'x'", "b'x'", "True", "None", "...", "1j", "[]", "{}"]
)
BINARY = st.sampled_from([*"+-*:/%@&|^<", "//", "**", "<<", "==", "and", "or", "in", "is"])
CALLED = st.sampled_from([*FUNCTIONS, "eval", "open", "np.log", "I", "__import__", "(lambda x: x)"])


def compound(inner):
    return st.one_of(
        st.builds("{} {} {}".format, inner, BINARY, inner),
        st.builds("({})".format, inner),
        st.builds("{}({})".format, CALLED, inner),
        st.builds("{}({}, {})".format, CALLED, inner, inner),
        st.builds("{}({}, {}={})".format, CALLED, inner, NAMES, inner),
        st.builds("{}.{}".format, inner, NAMES),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("[{} for {} in {}]".format, inner, NAMES, inner),
        st.builds("{} if {} else {}".format, inner, inner, inner),
        st.builds("({} := {})".format, NAMES, inner),
        st.builds("f'{{{}}}'".format, inner),
        st.builds("-{}".format, inner),
        st.builds("*{}".format, inner),
        st.builds("{}, {}".format, inner, inner),
    )


PYTHON = st.recursive(st.one_of(NAMES, LITERALS), compound, max_leaves=6)

# Formulas inside of the vocabulary, and the same with a piece of Python somewhere.

COLUMNS = st.sampled_from(["a", "b", "c", "`a b`", "log"])
ARITHMETIC = st.recursive(
    st.one_of(COLUMNS, st.sampled_from(["1", "2.5", "1e3"])),
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from("+-*"), inner),
        st.builds("{}({} + a)".format, st.sampled_from(["log", "log1p", "sqrt", "exp"]), inner),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
    ),
    max_leaves=4,
)
FACTOR = st.one_of(
    COLUMNS,
    st.builds("log(b * ({}))".format, ARITHMETIC),
    st.builds("scale(a - {})".format, ARITHMETIC),
    st.builds("poly({} - c, {})".format, ARITHMETIC, st.integers(1, 9)),
    st.builds("bs({} + c, degree=2, df={})".format, ARITHMETIC, st.integers(2, 9)),
    st.just("C(region)"),
)
FORMULAS = st.recursive(
    FACTOR,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from("+*:"), inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=5,
)


@st.composite
def spliced(draw):
    """One word or sign of a formula gives way to an expression, an operator, or nothing."""
    words = re.findall(r"`a b`|\w+|\S", draw(FORMULAS))
    place = draw(st.integers(0, len(words) - 1))
    words[place] = draw(st.one_of(PYTHON, NAMES, BINARY, st.just("")))
    return " ".join(words)


def is_inside(node):
    """Whether Python itself reads a text as names, + - *, and calls of the listed functions."""
    match node:
        case ast.Expression(body):
            return is_inside(body)
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() | ast.MatMult(), right):
            return is_inside(left) and is_inside(right)
        case ast.UnaryOp(ast.USub(), operand):
            return is_inside(operand)
        case ast.Call(ast.Name(function), arguments, keywords):
            values = [keyword.value for keyword in keywords]
            numbers = all(isinstance(value, ast.Constant) for value in values)
            return function in FUNCTIONS and numbers and all(map(is_inside, [*arguments, *values]))
        case ast.Constant(value):  # to a formula, True and None are columns of that name
            return type(value) in (int, float) or value in (True, None)
        case _:
            return isinstance(node, ast.Name)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.one_of(PYTHON, spliced()))
def test_no_python_outside_of_the_vocabulary_passes(text):
    try:
        parse_formula(text)
    except SpecError:
        return
    # ':' is no operator of Python; as '@' it stands where a binary operator may stand. Python's
    # reserved words are columns of that name to a formula.
    plain = re.sub(r"\b(and|or|in|is|if|else|for|lambda)\b", "word", text.replace("`a b`", "word"))
    assert is_inside(ast.parse(plain.replace(":", "@").strip(), mode="eval"))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(FORMULAS)
def test_what_is_inside_passes_and_reads_the_same_when_it_is_written_out(text):
    formula = parse_formula(text)
    assert terms(" + ".join(terms(text))) == terms(text)
    assert set(formula.columns) == {c for f in formula.factors for c in columns_of(f)}
    assert formula.categorical == (("region",) if "region" in text else ())


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_formula_or_a_spec_error(text):
    try:
        found = parse_formula(text).columns
    except SpecError as error:
        found = error.findings
    assert found


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "a + (lambda: 1)()",
        "C(a).__class__.__bases__",
        "`__import__('os').system('true')`",
        "log(`eval('1')`)",
        "eval(a)",
    ],
)
def test_nothing_is_evaluated(text, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("evaluated")

    for name in ("eval", "exec", "compile", "__import__"):
        monkeypatch.setattr(builtins, name, refuse)
    try:
        found = parse_formula(text).columns
    except SpecError:
        found = None
    monkeypatch.undo()
    expected = {
        "`__import__('os').system('true')`": ("__import__('os').system('true')",),
        "log(`eval('1')`)": ("eval('1')",),
    }
    assert found == expected.get(text)
