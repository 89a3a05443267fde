"""Whether the columns of a design can be told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy.linalg import qr

from bayes_attrib.citing import listed
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.design_columns import CovariateError

_CONSTANT: Final = 1e-12
_DEPENDENT: Final = 1e-7
_INVOLVED: Final = 1e-5


def constant_columns(names: tuple[str, ...], raw: FloatArray) -> Iterator[CovariateError]:
    """Yield a fault for every column that is the same in all rows, up to rounding.

    Parameters
    ----------
    names : tuple of str
        Names of the columns.
    raw : ndarray of float, shape (n_rows, n_columns)
        Columns on the user's scale.

    Yields
    ------
    CovariateError
        Names the column and its value.
    """
    spread, size = np.ptp(raw, axis=0), np.abs(raw).max(axis=0)
    for column in np.flatnonzero(spread <= _CONSTANT * size):
        yield CovariateError(
            "constant-covariate",
            f"{names[column]} is {raw[0, column]:g} in every row",
            "take it out of the formula, or merge levels: what never varies has no effect",
        )


def dependent_columns(names: tuple[str, ...], standardised: FloatArray) -> Iterator[CovariateError]:
    """Yield a fault for every column that is a linear combination of those before it.

    A column counts as one if what the others leave of it has less than 1e-7 of its norm.

    Parameters
    ----------
    names : tuple of str
        Names of the columns.
    standardised : ndarray of float, shape (n_rows, n_columns)
        Columns with mean 0 and standard deviation 1.

    Yields
    ------
    CovariateError
        Names the column and those that it follows from.
    """
    (upper,) = qr(standardised / np.sqrt(len(standardised)), mode="r", check_finite=False)
    upper = upper[: len(names)]  # the columns in fewer dimensions, with the same inner products
    kept: list[int] = []
    axes = np.empty((len(upper), 0))
    for column in range(len(names)):
        rest = upper[:, column]
        for _ in range(2):  # Gram-Schmidt; twice is enough for orthogonality to working precision
            rest = rest - axes @ (axes.T @ rest)
        size = np.linalg.norm(rest)
        if size > _DEPENDENT:
            kept.append(column)
            axes = np.column_stack([axes, rest / size])
            continue
        weights, *_ = np.linalg.lstsq(upper[:, kept], upper[:, column], rcond=None)
        others = [names[kept[i]] for i in np.flatnonzero(np.abs(weights) > _INVOLVED)]
        yield CovariateError(
            "collinear-covariates",
            f"{names[column]} follows from {listed(others)}: their coefficients cannot be told "
            "apart",
            "take one of them out of the formula; for two categories write a * b instead of a:b",
        )
