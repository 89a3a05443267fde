"""The pairs of aggregate and entity that have exposure, before they become a sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp

from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.inputs.table import Tables


@dataclass(frozen=True, eq=False)
class Pairs:
    """Exposures, and what belongs to them, in one order.

    Attributes
    ----------
    aggregate, entity : ndarray of int, shape (n_pairs,)
        Row and column of each pair.
    exposure : ndarray of float, shape (n_pairs,)
        Exposures, zero or more.
    amount : ndarray of float, shape (n_pairs,), or None
        Known amounts.
    covariates : DataFrame, shape (n_pairs, n_covariates)
        What the formula of pairs reads; no columns where there is none.
    """

    aggregate: IntArray
    entity: IntArray
    exposure: FloatArray
    amount: FloatArray | None
    covariates: pd.DataFrame

    def canonical(self) -> Pairs:
        """Return the pairs with positive exposure, in order of aggregate and entity."""
        kept = np.flatnonzero(self.exposure > 0)
        width = int(self.entity.max(initial=0)) + 1
        kept = kept[np.argsort(self.aggregate[kept] * width + self.entity[kept])]
        return Pairs(
            self.aggregate[kept],
            self.entity[kept],
            self.exposure[kept],
            None if self.amount is None else self.amount[kept],
            self.covariates.iloc[kept].reset_index(drop=True),
        )

    def matrix(self, shape: tuple[int, int]) -> sp.csr_array:
        """Return the exposures of canonical pairs as a sparse matrix."""
        sizes = np.bincount(self.aggregate, minlength=shape[0])
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return sp.csr_array((self.exposure, self.entity, starts), shape=shape)


def pairs_of(tables: Tables, entity: IntArray) -> Pairs:
    """Collect the pairs of checked tables.

    Parameters
    ----------
    tables : Tables
        Checked tables.
    entity : ndarray of int, shape (n_exposure_rows,)
        Position of each exposure row's entity.

    Returns
    -------
    Pairs
        In the order of the exposures table.
    """
    columns, table = tables.spec.columns, tables.exposures
    has_amounts = columns.amount in table.frame
    return Pairs(
        tables.aggregate_of_exposure,
        entity,
        table[columns.exposure].to_numpy(),
        table[columns.amount].to_numpy() if has_amounts else None,
        table.covariates,
    )


def with_unattributed(pairs: Pairs, tables: Tables, entity: int) -> Pairs:
    """Append the pairs of the entity that stands for what no exposure explains.

    Its known amount is what the known amounts of the others leave of the total, if anything. Its
    covariates are NaN, or the empty text: no formula applies to it.

    Parameters
    ----------
    pairs : Pairs
        Pairs of the other entities.
    tables : Tables
        Checked tables.
    entity : int
        Position of the new entity.

    Returns
    -------
    Pairs
        The given pairs, then one per aggregate.
    """
    exposure = tables.unattributed_exposure
    aggregate = np.arange(len(exposure))
    amount = None
    if pairs.amount is not None:
        totals = tables.aggregates[tables.spec.columns.total].to_numpy()
        known = np.bincount(pairs.aggregate, weights=pairs.amount, minlength=len(totals))
        amount = np.concatenate([pairs.amount, np.maximum(totals - known, 0.0)])
    none = pd.DataFrame(
        {
            name: np.full(len(exposure), np.nan if pd.api.types.is_float_dtype(column) else "")
            for name, column in pairs.covariates.items()
        },
        index=aggregate,
    )
    return Pairs(
        np.concatenate([pairs.aggregate, aggregate]),
        np.concatenate([pairs.entity, np.full(len(exposure), entity)]),
        np.concatenate([pairs.exposure, exposure]),
        amount,
        pd.concat([pairs.covariates, none], ignore_index=True),
    )
