"""How the factors of a formula learn from the training rows."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from scipy.linalg import qr, solve_triangular

from bayes_attrib.citing import listed, quote
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.design_columns import Columns, CovariateError
from bayes_attrib.model.design_encoders import (
    CategoryEncoder,
    Encoder,
    NumberEncoder,
    PolynomialEncoder,
    SplineEncoder,
    legendre,
)
from bayes_attrib.model.design_expressions import evaluate
from bayes_attrib.spec.formula_tree import Basis, Category, Column, Elementwise, Factor

MAX_LEVELS: Final = 200
_MAX_CONDITION: Final = 1e10


def fit_encoder(factor: Factor, columns: Columns) -> Encoder:
    """Learn from the training rows what a factor needs to know.

    Parameters
    ----------
    factor : Factor
        The factor.
    columns : mapping of str to ndarray, shape (n_rows,)
        Training rows: numbers as float, categories as text.

    Returns
    -------
    Encoder
        Encodes training rows and any others in the same way.

    Raises
    ------
    CovariateError
        If the training rows vary too little, or a category has too many levels.
    """
    match factor:
        case Category(column):
            return _fit_category(column.name, columns)
        case Column(name) if columns[name].dtype == object:
            return _fit_category(name, columns)
        case Column() | Elementwise():
            return NumberEncoder((factor.text,), factor)
        case Basis(function, argument, _):
            return _BASES[function](factor, evaluate(argument, columns))


def _fit_category(name: str, columns: Columns) -> CategoryEncoder:
    levels = sorted({str(level) for level in pd.unique(columns[name])})
    if len(levels) == 1:
        raise CovariateError(
            "constant-covariate",
            f"column {name!r} is {quote(levels[0])} in every row",
            "take it out of the formula: what never varies has no effect to estimate",
        )
    if len(levels) > MAX_LEVELS:
        raise CovariateError(
            "too-many-levels",
            f"column {name!r} is a category of {len(levels):,} levels, such as "
            f"{listed([quote(level) for level in levels])}",
            "a category of many levels belongs in pooling; a column of numbers must hold "
            "numbers only and stand outside of C()",
        )
    return CategoryEncoder(name, tuple(levels))


def _fit_scale(factor: Basis, values: FloatArray) -> NumberEncoder:
    _require_distinct(factor, values, 2)
    center, scale = float(values.mean()), float(values.std(ddof=1))
    return NumberEncoder((factor.text,), factor.argument, center, scale)


def _fit_polynomial(factor: Basis, values: FloatArray) -> PolynomialEncoder:
    (degree,) = factor.options
    _require_distinct(factor, values, degree + 1)
    low, high = float(values.min()), float(values.max())
    (upper,) = qr(legendre(values, low, high, degree), mode="r")
    if np.linalg.cond(upper[: degree + 1]) > _MAX_CONDITION:
        raise CovariateError(
            "ill-conditioned-polynomial",
            f"{factor.text} bends more than its values allow: most lie close together in the range "
            f"from {low:g} to {high:g}",
            "lower the degree, or take logarithms first, as in poly(log1p(x), degree=2)",
        )
    upper = upper[: degree + 1] * np.sign(np.diag(upper))[:, None]
    weights = solve_triangular(upper, np.eye(degree + 1))[:, 1:]
    return PolynomialEncoder(_numbered(factor, degree), factor.argument, low, high, weights)


def _fit_spline(factor: Basis, values: FloatArray) -> SplineEncoder:
    df, degree = factor.options
    _require_distinct(factor, values, df + 1)
    inner = np.quantile(values, np.linspace(0, 1, df - degree + 2))
    if len(np.unique(inner)) < len(inner):
        shown = ", ".join(f"{knot:g}" for knot in inner)
        raise CovariateError(
            "spline-knots-coincide",
            f"{factor.text} puts its knots at quantiles, and with so many equal values they "
            f"coincide: {shown}",
            "lower df, or use poly",
        )
    knots = np.concatenate([[inner[0]] * degree, inner, [inner[-1]] * degree])
    return SplineEncoder(_numbered(factor, df), factor.argument, knots, degree)


_BASES: Final[MappingProxyType[str, Callable[[Basis, FloatArray], Encoder]]] = MappingProxyType(
    {"scale": _fit_scale, "poly": _fit_polynomial, "bs": _fit_spline}
)


def _require_distinct(factor: Basis, values: FloatArray, wanted: int) -> None:
    found = len(np.unique(values))
    if found < wanted:
        raise CovariateError(
            "too-few-values",
            f"{factor.text} needs {wanted} different values of {factor.argument.text}, "
            f"and there {'is 1' if found == 1 else f'are {found}'}",
            f"use a simpler function of it, or C({factor.argument.text})"
            if isinstance(factor.argument, Column) and found > 1
            else "take it out of the formula",
        )


def _numbered(factor: Basis, count: int) -> tuple[str, ...]:
    return tuple(f"{factor.text}[{number}]" for number in range(1, count + 1))
