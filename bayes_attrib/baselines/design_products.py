"""Products with a design of groups and covariates, which many entities share rows of."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy.sparse as sp

from bayes_attrib.inputs.aggregate_data import FloatArray

DISTINCT: Final = 0.1
"""Distinct rows over rows up to which products are made with the distinct rows alone."""

DENSE: Final = 0.4
"""Share of elements other than zero from which on a design is a dense array."""


class DesignProducts:
    """Multiplies a design, or its transpose, with vectors.

    Groups alone have as many distinct rows as there are combinations of groups, so a product is one
    with a small table, and a look-up for each entity.

    Parameters
    ----------
    design : ndarray or csr_array, shape (n_entities, n_coarse)
        The design.
    """

    def __init__(self, design: Any) -> None:
        sparse = sp.csr_array(design)
        is_dense = sparse.nnz > DENSE * np.prod(sparse.shape)
        self._table: Any = sparse.toarray() if is_dense else sparse
        self._codes: Any = None
        distinct = _distinct_rows(sparse)
        if distinct is not None:
            self._table, self._codes = distinct

    def forward(self, coefficients: FloatArray) -> FloatArray:
        """Return the design times a vector of shape (n_coarse,), as a new array."""
        product = np.asarray(self._table @ coefficients)
        return product if self._codes is None else product[self._codes]

    def backward(self, per_entity: FloatArray) -> FloatArray:
        """Return the design's transpose times a vector of shape (n_entities,)."""
        if self._codes is not None:
            sums = np.bincount(self._codes, per_entity, minlength=self._table.shape[0])
            per_entity = np.asarray(sums, dtype=np.float64)
        return np.asarray(self._table.T @ per_entity)


def _distinct_rows(design: sp.csr_array) -> tuple[sp.csr_array, Any] | None:
    """Return distinct rows and the place of each row among them; None if they are many.

    Rows are told apart by their products with a random vector, and compared in full afterwards.
    """
    if not design.shape[0]:
        return None
    product = design @ np.random.default_rng(0).standard_normal(design.shape[1])
    _, first, codes = np.unique(product, return_index=True, return_inverse=True)
    if len(first) > DISTINCT * design.shape[0]:
        return None
    table = sp.csr_array(design[first])
    same = (sp.csr_array(table[codes]) != design).nnz == 0
    return (table, codes) if same else None
