"""From a formula and a table to standardised covariates, and back to the user's scale."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd

from bayes_attrib.errors import DataError
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.design_columns import (
    Columns,
    CovariateError,
    Kind,
    column_kinds,
    read_column,
)
from bayes_attrib.model.design_encoders import CategoryEncoder, Encoder
from bayes_attrib.model.design_factors import fit_encoder
from bayes_attrib.model.design_rank import constant_columns, dependent_columns
from bayes_attrib.spec.formula import Formula
from bayes_attrib.spec.formula_tree import Factor, Term


@dataclass(frozen=True, eq=False, slots=True)
class Design:
    """Covariates of the training rows, and how to compute those of any others.

    Attributes
    ----------
    formula : Formula
        What was built.
    names : tuple of str
        Names of the columns, such as ``log1p(potential)``, ``region[north]`` or
        ``poly(age, degree=2)[1]``.
    matrix : ndarray of float, shape (n_rows, n_columns)
        Columns of the training rows: mean 0, standard deviation 1; indicators of levels too.
    center, scale : ndarray of float, shape (n_columns,)
        Mean and standard deviation (n) of the columns over the training rows, on the user's scale.
    kinds : mapping of str to {"number", "category"}
        What each column of the table is.
    encoders : mapping of Factor to Encoder
        What each factor has learnt from the training rows.
    """

    formula: Formula
    names: tuple[str, ...]
    matrix: FloatArray
    center: FloatArray
    scale: FloatArray
    kinds: Mapping[str, Kind]
    encoders: Mapping[Factor, Encoder]

    def apply(self, table: pd.DataFrame) -> FloatArray:
        """Return the covariates of any rows, as the training rows would have had them.

        Parameters
        ----------
        table : DataFrame, shape (n_rows, any)
            Holds the columns of the formula.

        Returns
        -------
        ndarray of float, shape (n_rows, n_columns)
            On the scale of ``matrix``: centre and scale are those of the training rows.

        Raises
        ------
        DataError
            If a cell is missing or outside of a function's domain, or a level is new.
        """
        columns = _read(self.formula, table, self.kinds)
        encoded = _each(
            self.formula,
            table.index,
            self.encoders,
            lambda factor: self.encoders[factor].encode(columns),
        )
        _, raw = _expand(self.formula, self.encoders, encoded)
        return (raw - self.center) / self.scale

    def raw_coefficients(self, beta: FloatArray) -> FloatArray:
        """Return coefficients on the user's scale: effect on the log of one unit of a column.

        Parameters
        ----------
        beta : ndarray of float, shape (..., n_columns)
            Coefficients of the standardised columns.

        Returns
        -------
        ndarray of float, shape (..., n_columns)
            ``beta / scale``.
        """
        return beta / self.scale


def build_design(formula: Formula, table: pd.DataFrame) -> Design:
    """Build the covariates of a formula from its training rows.

    Parameters
    ----------
    formula : Formula
        What to build.
    table : DataFrame, shape (n_rows, any)
        Training rows; messages cite them by the labels of the index.

    Returns
    -------
    Design
        Standardised covariates.

    Raises
    ------
    DataError
        If a cell is missing or outside of a function's domain, a column is constant, or columns
        are linear combinations of each other. The faults of all columns are listed.
    """
    kinds = column_kinds(formula, table)
    columns = _read(formula, table, kinds)
    fitted = _each(formula, table.index, formula.factors, lambda f: _fit(f, columns))
    encoders = {factor: encoder for factor, (encoder, _) in fitted.items()}
    encoded = {factor: block for factor, (_, block) in fitted.items()}
    names, raw = _expand(formula, encoders, encoded)
    _refuse(formula, table.index, constant_columns(names, raw))
    center = raw.mean(axis=0)
    scale = raw.std(axis=0)
    matrix = (raw - center) / scale
    _refuse(formula, table.index, dependent_columns(names, matrix))
    matrix.flags.writeable = False
    return Design(formula, names, matrix, center, scale, kinds, encoders)


def _fit(factor: Factor, columns: Columns) -> tuple[Encoder, FloatArray]:
    encoder = fit_encoder(factor, columns)
    return encoder, encoder.encode(columns)


def _read(formula: Formula, table: pd.DataFrame, kinds: Mapping[str, Kind]) -> Columns:
    return _each(
        formula,
        table.index,
        formula.columns,
        lambda name: read_column(formula, table, name, kinds.get(name)),
    )


def _each[K, V](
    formula: Formula, index: pd.Index, keys: Iterable[K], compute: Callable[[K], V]
) -> dict[K, V]:
    """Compute a value for every key, and raise the faults of all keys together."""
    found: dict[K, V] = {}
    faults: list[CovariateError] = []
    for key in keys:
        try:
            found[key] = compute(key)
        except CovariateError as fault:
            faults.append(fault)
    _refuse(formula, index, faults)
    return found


def _refuse(formula: Formula, index: pd.Index, faults: Iterable[CovariateError]) -> None:
    findings = [fault.finding(formula, index) for fault in faults]
    if findings:
        count = "one fault" if len(findings) == 1 else f"{len(findings)} faults"
        raise DataError(f"the covariates have {count}:", findings)


def _expand(
    formula: Formula, encoders: Mapping[Factor, Encoder], encoded: Mapping[Factor, FloatArray]
) -> tuple[tuple[str, ...], FloatArray]:
    """Multiply factors to terms: names, and columns of shape (n_rows, n_columns)."""
    names: list[str] = []
    blocks: list[FloatArray] = []
    present = {frozenset(term) for term in formula.terms} | {frozenset[Factor]()}
    for term in formula.terms:
        starts = [_first_column(factor, term, encoders, present) for factor in term]
        labels = [encoders[f].names[start:] for f, start in zip(term, starts, strict=True)]
        factors = [encoded[f][:, start:] for f, start in zip(term, starts, strict=True)]
        names += map(":".join, itertools.product(*labels))
        blocks.append(reduce(_rowwise_products, factors))
    return tuple(names), np.hstack(blocks)


def _first_column(
    factor: Factor,
    term: Term,
    encoders: Mapping[Factor, Encoder],
    present: AbstractSet[frozenset[Factor]],
) -> int:
    """Return 1 to drop a category's reference level: where the rest of its term stands alone."""
    is_category = isinstance(encoders[factor], CategoryEncoder)
    return int(is_category and frozenset(term) - {factor} in present)


def _rowwise_products(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return all products of a left and a right column, the right one varying fastest."""
    shape = (len(left), left.shape[1] * right.shape[1])
    return (left[:, :, None] * right[:, None, :]).reshape(shape)
