"""Factors of a formula with what they learnt from the training rows, for those rows and others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.interpolate import BSpline

from bayes_attrib.citing import listed, quote
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.design_columns import Columns, CovariateError
from bayes_attrib.model.design_expressions import evaluate
from bayes_attrib.spec.formula_tree import Column, Expression


class Encoder(Protocol):
    """A factor with what it has learnt from the training rows."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its columns."""
        ...

    def encode(self, columns: Columns) -> FloatArray:
        """Return its columns for any rows, shape (n_rows, n_names)."""
        ...


@dataclass(frozen=True, slots=True)
class NumberEncoder:
    """A column or an elementwise function of columns, centred and divided; 0 and 1 change nothing.

    Attributes
    ----------
    names : tuple of str
        The factor.
    expression : Expression
        What to evaluate.
    center, scale : float
        Mean and standard deviation (n - 1) of the training rows where the factor is ``scale``.
    """

    names: tuple[str, ...]
    expression: Expression
    center: float = 0.0
    scale: float = 1.0

    def encode(self, columns: Columns) -> FloatArray:
        """Return the values of any rows, shape (n_rows, 1)."""
        return ((evaluate(self.expression, columns) - self.center) / self.scale)[:, None]


@dataclass(frozen=True, eq=False, slots=True)
class PolynomialEncoder:
    """Polynomials that are orthonormal over the training rows, and orthogonal to the constant.

    Attributes
    ----------
    names : tuple of str
        The factor with the degree of each column.
    expression : Expression
        What to evaluate.
    low, high : float
        Range of the training rows.
    weights : ndarray of float, shape (degree + 1, degree)
        Legendre coefficients of each polynomial on the range mapped to [-1, 1].
    """

    names: tuple[str, ...]
    expression: Expression
    low: float
    high: float
    weights: FloatArray

    def encode(self, columns: Columns) -> FloatArray:
        """Return the polynomials for any rows, shape (n_rows, degree)."""
        values = evaluate(self.expression, columns)
        return legendre(values, self.low, self.high, self.weights.shape[1]) @ self.weights


@dataclass(frozen=True, eq=False, slots=True)
class SplineEncoder:
    """B-splines with inner knots at quantiles of the training rows, without the first one.

    Attributes
    ----------
    names : tuple of str
        The factor with the number of each column.
    expression : Expression
        What to evaluate.
    knots : ndarray of float, shape (df + degree + 2,)
        All knots; the ends of the range are repeated degree + 1 times.
    degree : int
        Degree of the pieces.
    """

    names: tuple[str, ...]
    expression: Expression
    knots: FloatArray
    degree: int

    def encode(self, columns: Columns) -> FloatArray:
        """Return the basis for rows inside the training range, shape (n_rows, df).

        Raises
        ------
        CovariateError
            If a value lies outside: a spline says nothing there.
        """
        values = evaluate(self.expression, columns)
        low, high = self.knots[0], self.knots[-1]
        rows = np.flatnonzero((values < low) | (values > high))
        if len(rows):
            raise CovariateError(
                "covariate-outside-spline",
                f"{self.expression.text} lies outside of {low:g} to {high:g}, where its spline "
                "was fitted",
                "use poly or the plain column if the model must reach beyond its training rows, "
                "or leave these rows out",
                rows,
                values[rows],
            )
        each_alone = np.eye(len(self.knots) - self.degree - 1)
        return np.asarray(BSpline(self.knots, each_alone, self.degree)(values)[:, 1:])


@dataclass(frozen=True, slots=True)
class CategoryEncoder:
    """One 0/1 column for each level of a category; the first level is the reference.

    Attributes
    ----------
    column : str
        The column.
    levels : tuple of str
        Levels of the training rows, sorted as text.
    """

    column: str
    levels: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the levels' columns, such as ``region[north]``."""
        return tuple(f"{Column(self.column).text}[{level}]" for level in self.levels)

    def encode(self, columns: Columns) -> FloatArray:
        """Return the indicators for any rows, shape (n_rows, n_levels).

        Raises
        ------
        CovariateError
            If a row has a level that the training rows do not have.
        """
        values = columns[self.column]
        codes = pd.Index(self.levels).get_indexer(pd.Index(values))
        rows = np.flatnonzero(codes < 0)
        if len(rows):
            known = listed([quote(level) for level in self.levels])
            raise CovariateError(
                "unknown-covariate-level",
                f"column {self.column!r} has levels that the fit has never seen",
                f"known levels: {known}; leave these rows out, or fit again with such rows",
                rows,
                values[rows],
            )
        return np.eye(len(self.levels))[codes]


def legendre(values: FloatArray, low: float, high: float, degree: int) -> FloatArray:
    """Evaluate Legendre polynomials on a range that is mapped to [-1, 1].

    Parameters
    ----------
    values : ndarray of float, shape (n_rows,)
        Where to evaluate.
    low, high : float
        The range.
    degree : int
        The highest degree.

    Returns
    -------
    ndarray of float, shape (n_rows, degree + 1)
        One column for each degree from 0.
    """
    position = (2 * values - (low + high)) / (high - low)
    return np.asarray(np.polynomial.legendre.legvander(position, degree))
