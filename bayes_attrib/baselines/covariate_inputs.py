"""What EM with covariates is given, checked and put into form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from bayes_attrib import names
from bayes_attrib.baselines.linear_rates import LinearRates
from bayes_attrib.baselines.marginals import GammaMarginal, Marginal, PoissonMarginal
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray

TotalsFamily = Literal["poisson", "gamma"]


def marginal_of(family: TotalsFamily, alpha: float | None) -> Marginal:
    """Return the law of the totals; a gamma law without alpha has it free."""
    if family == "poisson":
        if alpha is not None:
            raise ValueError(f"alpha belongs to the gamma family; got alpha={alpha:g} for poisson")
        return PoissonMarginal()
    if family != "gamma":
        raise ValueError(f"family must be 'poisson' or 'gamma'; got {family!r}")
    if alpha is not None and not (np.isfinite(alpha) and alpha > 0):
        raise ValueError(f"alpha must be positive and finite; got {alpha:g}")
    return GammaMarginal(alpha=1.0 if alpha is None else float(alpha), is_free=alpha is None)


def check_options(ridge: float, tolerance: float, max_iterations: int) -> None:
    """Raise ValueError where an option is out of range."""
    if not (np.isfinite(ridge) and ridge >= 0):
        raise ValueError(f"ridge must be finite and not negative; got {ridge:g}")
    if not tolerance > 0:
        raise ValueError(f"tolerance must be positive; got {tolerance:g}")
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1; got {max_iterations}")


def check_totals(data: AggregateData, family: TotalsFamily) -> None:
    """Raise ValueError where the family cannot have produced the totals."""
    if data.grand_total == 0:
        raise ValueError(
            "all totals are zero, so there is nothing to split and the intercept has no finite "
            "estimate"
        )
    zero = data.is_exposed & (data.totals == 0)
    if family == "gamma" and zero.any():
        raise ValueError(
            f"a gamma total is positive; {zero.sum()} aggregate(s) have total 0, first "
            f"{data.aggregate_labels[np.flatnonzero(zero)[0]]!r}; leave them out, or use "
            "family='poisson'"
        )


def columns_of(
    data: AggregateData, matrix: FloatArray, covariates: Sequence[str]
) -> tuple[tuple[str, ...], FloatArray]:
    """Check the covariates, and give the unattributed entity a column of its own.

    Parameters
    ----------
    data : AggregateData
        Gives the entities.
    matrix : ndarray of float, shape (n_attributable, n_covariates)
        Covariates.
    covariates : sequence of str
        Names of the columns.

    Returns
    -------
    tuple of str
        Names, with ``"unattributed"`` at the end where the data have such an entity.
    ndarray of float, shape (n_entities, n_names)
        Covariates of all entities.

    Raises
    ------
    ValueError
        If the matrix does not fit the entities and names, or is not finite.
    """
    matrix, labels = np.asarray(matrix, dtype=np.float64), tuple(covariates)
    wanted = (data.n_attributable, len(labels))
    if matrix.shape != wanted or not labels:
        raise ValueError(
            "matrix must have one row per attributable entity and one named column per covariate, "
            f"at least one; got shape {matrix.shape} for {wanted[0]} entities and names {labels}"
        )
    if not np.isfinite(matrix).all():
        e, j = (int(i) for i in np.argwhere(~np.isfinite(matrix))[0])
        raise ValueError(
            f"covariates must be finite; {labels[j]!r} of {data.entity_names[e]!r} is "
            f"{matrix[e, j]:g}"
        )
    if not data.has_unattributed:
        return labels, matrix
    columns = np.zeros((data.n_entities, len(labels) + 1))
    columns[:-1, :-1] = matrix
    columns[-1, -1] = 1.0
    return (*labels, names.UNATTRIBUTED), columns


def check_rank(model: LinearRates) -> None:
    """Raise ValueError where the exposed entities do not determine the coefficients."""
    predictors = model.predictors[model.problem.is_exposed]
    rank = int(np.linalg.matrix_rank(predictors))
    if rank < predictors.shape[1]:
        raise ValueError(
            f"intercept and {predictors.shape[1] - 1} covariate(s) have rank {rank} over the "
            "exposed entities, so coefficients are not determined; give a positive ridge, or drop "
            "a column"
        )
