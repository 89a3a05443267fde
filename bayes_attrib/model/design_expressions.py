"""Arithmetic of formulas, row by row, by walking their syntax tree: no text is ever evaluated."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.design_columns import Columns, CovariateError
from bayes_attrib.spec.formula_tree import Arithmetic, Column, Elementwise, Expression, Number

_OPERATORS: Final = MappingProxyType(
    {"+": operator.add, "-": operator.sub, "*": operator.mul},
)
_FUNCTIONS: Final[MappingProxyType[str, Callable[[Any], Any]]] = MappingProxyType(
    {"log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "exp": np.exp}
)
_DOMAINS: Final[MappingProxyType[str, tuple[Callable[[Any], Any], str, str]]] = MappingProxyType(
    {
        "log": (lambda x: x > 0, "above 0", "log1p takes values from 0 up"),
        "log1p": (lambda x: x > -1, "above -1", "use the column as it is"),
        "sqrt": (lambda x: x >= 0, "from 0 up", "use the column as it is"),
        "exp": (lambda x: x <= 700, "up to 700", "use the column as it is, or scale it down"),
    }
)
"""Where each function is defined and finite, in words, and what to do elsewhere."""


def evaluate(node: Expression, columns: Columns) -> FloatArray:
    """Evaluate an expression for every row.

    Parameters
    ----------
    node : Expression
        Its syntax tree.
    columns : mapping of str to ndarray, shape (n_rows,)
        The columns that it reads, as float.

    Returns
    -------
    ndarray of float, shape (n_rows,)
        Finite values; a number alone is one value, shape ().

    Raises
    ------
    CovariateError
        If a function meets a value for which it is not defined, or a value grows beyond bounds.
    """
    match node:
        case Number(value):
            return np.asarray(value)
        case Column(name):
            return np.asarray(columns[name], dtype=np.float64)
        case Elementwise(function, argument):
            values = evaluate(argument, columns)
            _require_domain(node, values)
            return np.asarray(_FUNCTIONS[function](values))
        case Arithmetic(sign, left, right):
            with np.errstate(over="ignore", invalid="ignore"):
                values = _OPERATORS[sign](evaluate(left, columns), evaluate(right, columns))
            _require_finite(node, values)
            return np.asarray(values)


def _require_domain(node: Elementwise, values: FloatArray) -> None:
    inside, domain, remedy = _DOMAINS[node.function]
    rows = np.flatnonzero(~inside(values))
    if len(rows):
        raise CovariateError(
            "covariate-outside-domain",
            f"{node.text}: {node.function} needs values {domain}, and {node.argument.text} is not",
            f"{remedy}; or correct the values",
            rows,
            np.atleast_1d(values)[rows],
        )


def _require_finite(node: Arithmetic, values: FloatArray) -> None:
    rows = np.flatnonzero(~np.isfinite(values))
    if len(rows):
        raise CovariateError(
            "infinite-covariate",
            f"{node.text} is too large a number",
            "rescale the columns, or take logarithms",
            rows,
        )
