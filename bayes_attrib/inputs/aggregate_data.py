"""The one in-memory form of the data: totals, sparse exposures, entities and their groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from bayes_attrib import names
from bayes_attrib.exposure.lagged import LaggedDelivery
from bayes_attrib.inputs.drawn_totals import DrawnTotals
from bayes_attrib.inputs.lift_test import LiftTest
from bayes_attrib.inputs.paths import join_parts

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Assignment of every entity to one level of a grouping column.

    Attributes
    ----------
    name : str
        The column, such as ``"specialty"``.
    levels : tuple of str
        Names of the levels, sorted; each occurs at least once.
    codes : ndarray of int, shape (n_entities,)
        Index into ``levels`` for each entity.
    """

    name: str
    levels: tuple[str, ...]
    codes: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", _frozen(np.asarray(self.codes, dtype=np.int64)))
        if self.codes.ndim != 1 or not np.array_equal(
            np.unique(self.codes), np.arange(len(self.levels))
        ):
            raise ValueError(f"grouping {self.name!r}: codes must use each of the levels")

    @classmethod
    def from_labels(cls, name: str, labels: npt.ArrayLike) -> Grouping:
        """Build a grouping from one label per entity, shape (n_entities,)."""
        levels, codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
        return cls(name, tuple(str(level) for level in levels), codes.astype(np.int64))

    @property
    def indicator(self) -> sp.csr_array:
        """Sparse 0/1 matrix, shape (n_levels, n_entities), that sums entities to levels."""
        n = len(self.codes)
        shape = (len(self.levels), n)
        return sp.csr_array((np.ones(n), (self.codes, np.arange(n))), shape=shape)


@dataclass(frozen=True, eq=False)
class AggregateData:
    """Totals and the exposures of the entities that share them; checked once, then frozen.

    Attributes
    ----------
    aggregate_keys : DataFrame, shape (n_aggregates, n_keys)
        Key of every aggregate as text, one column per key column; rows are unique.
    totals : ndarray of float, shape (n_aggregates,)
        Observed totals, in units or money; finite and not negative.
    entity_key : str
        Name of the entity's key column.
    entity_names : ndarray of str (object), shape (n_entities,)
        Names of the entities; unique.
    exposure : csr_array of float, shape (n_aggregates, n_entities)
        Known exposures without duplicates, stored values positive and finite. Indices come out
        sorted within each row; what is given one per stored exposure is put in the same order.
    groupings : mapping of str to Grouping
        Grouping columns of the entities; the levels of a nested column are paths from the top.
    aggregate_groupings : mapping of str to Grouping
        Grouping columns of the aggregates; the levels of a period are in the order of time.
    entity_covariates, pair_covariates, aggregate_covariates : DataFrame or None
        Columns that formulas read, one row per entity, stored exposure, or aggregate; numbers as
        float, categories as text.
    has_unattributed : bool
        Whether the last entity stands for what no exposure explains; it is then a level of its
        own, the last one, in every grouping, and ``entity_covariates`` has no row for it.
    truth : ndarray of float, shape (n_edges,), or None
        True amount of each stored exposure, aligned with ``exposure.data``; for scoring only.
    delivery : tuple of LaggedDelivery
        What the exposures of each learned transform of the spec are made of, in the spec's order.
    lift_tests : tuple of LiftTest
        Measured increments of some of the stored exposures; names are unique.

    total_draws : DrawnTotals or None
        Draws of all totals, where they are estimates and the spec makes use of that.

    Raises
    ------
    ValueError
        If an invariant does not hold. Tables from outside are checked with better messages by
        :func:`bayes_attrib.inputs.read_tables` before they come here.
    """

    aggregate_keys: pd.DataFrame
    totals: FloatArray
    entity_key: str
    entity_names: npt.NDArray[np.object_]
    exposure: sp.csr_array
    groupings: Mapping[str, Grouping] = field(default_factory=dict)
    aggregate_groupings: Mapping[str, Grouping] = field(default_factory=dict)
    entity_covariates: pd.DataFrame | None = None
    pair_covariates: pd.DataFrame | None = None
    aggregate_covariates: pd.DataFrame | None = None
    has_unattributed: bool = False
    truth: FloatArray | None = None
    delivery: tuple[LaggedDelivery, ...] = ()
    lift_tests: tuple[LiftTest, ...] = ()
    total_draws: DrawnTotals | None = None

    def __post_init__(self) -> None:
        self._sort_edges()
        exposure = sp.csr_array(self.exposure, dtype=np.float64)
        if not exposure.has_canonical_format:
            raise ValueError("exposure must hold each pair once: it has duplicates")
        for array in (exposure.data, exposure.indices, exposure.indptr):
            array.flags.writeable = False
        freeze = object.__setattr__
        freeze(self, "exposure", exposure)
        freeze(self, "totals", _frozen(np.asarray(self.totals, dtype=np.float64)))
        freeze(self, "entity_names", _frozen(np.asarray(self.entity_names, dtype=object)))
        freeze(self, "aggregate_keys", self.aggregate_keys.reset_index(drop=True))
        freeze(self, "groupings", MappingProxyType(dict(self.groupings)))
        freeze(self, "aggregate_groupings", MappingProxyType(dict(self.aggregate_groupings)))
        if self.truth is not None:
            freeze(self, "truth", _frozen(np.asarray(self.truth, dtype=np.float64)))
        self._check()

    def _sort_edges(self) -> None:
        """Order stored exposures, and what is given for each of them, by row and column."""
        given = sp.csr_array(self.exposure)
        if given.has_sorted_indices:
            return
        row = np.repeat(np.arange(given.shape[0]), np.diff(given.indptr))
        order = np.lexsort((given.indices, row))
        in_order = (given.data[order], given.indices[order], given.indptr)
        object.__setattr__(self, "exposure", sp.csr_array(in_order, shape=given.shape))
        if self.truth is not None:
            object.__setattr__(self, "truth", np.asarray(self.truth)[order])
        position = np.argsort(order).astype(np.int64)
        carried = tuple(part.moved(position) for part in self.delivery)
        object.__setattr__(self, "delivery", carried)
        moved = tuple(test.moved(position) for test in self.lift_tests)
        object.__setattr__(self, "lift_tests", moved)
        if self.pair_covariates is not None:
            covariates = self.pair_covariates.iloc[order].reset_index(drop=True)
            object.__setattr__(self, "pair_covariates", covariates)

    @classmethod
    def from_dense(
        cls,
        exposure: npt.ArrayLike,
        totals: npt.ArrayLike,
        *,
        entity_names: Sequence[str] | None = None,
        aggregate_names: Sequence[str] | None = None,
        groupings: Mapping[str, Sequence[str]] | None = None,
        truth: npt.ArrayLike | None = None,
    ) -> AggregateData:
        """Build the data of a small problem from arrays, without files.

        Parameters
        ----------
        exposure : array-like of float, shape (n_aggregates, n_entities)
            Exposures, zero or more.
        totals : array-like of float, shape (n_aggregates,)
            Observed totals, in units or money.
        entity_names, aggregate_names : sequence of str, optional
            Names; ``"e1"`` and ``"b1"`` upwards where they are not given.
        groupings : mapping of str to sequence of str, optional
            One label per entity for each grouping column.
        truth : array-like of float, shape (n_aggregates, n_entities), optional
            True amounts, for scoring only.

        Returns
        -------
        AggregateData
            With the key columns ``aggregate`` and ``entity``.

        Raises
        ------
        ValueError
            If shapes do not agree, or exposures or totals are negative or not finite.
        """
        dense = np.asarray(exposure, dtype=np.float64)
        if dense.ndim != 2 or not np.all(np.isfinite(dense) & (dense >= 0)):
            raise ValueError("exposure must be a matrix of finite numbers that are zero or more")
        amounts = None if truth is None else np.asarray(truth, dtype=np.float64)
        if amounts is not None and amounts.shape != dense.shape:
            raise ValueError(f"truth has the shape {amounts.shape}, and exposure {dense.shape}")
        if aggregate_names is None:
            aggregate_names = [f"b{row + 1}" for row in range(dense.shape[0])]
        if entity_names is None:
            entity_names = [f"e{column + 1}" for column in range(dense.shape[1])]
        return cls(
            aggregate_keys=pd.DataFrame({names.AGGREGATE: list(aggregate_names)}, dtype="str"),
            totals=np.asarray(totals, dtype=np.float64),
            entity_key=names.ENTITY,
            entity_names=np.array(list(entity_names), dtype=object),
            exposure=sp.csr_array(dense),
            groupings={
                name: Grouping.from_labels(name, labels)
                for name, labels in (groupings or {}).items()
            },
            truth=None if amounts is None else amounts[dense > 0],
        )

    def _check(self) -> None:
        _require(self._shape_requirements())
        _require(self._value_requirements())

    def _shape_requirements(self) -> dict[str, bool]:
        n_aggregates, n_entities = self.exposure.shape
        return {
            "totals has one value per row of exposure": self.totals.shape == (n_aggregates,),
            "aggregate_keys has one row per row of exposure": len(self.aggregate_keys)
            == n_aggregates,
            "entity_names has one name per column of exposure": self.entity_names.shape
            == (n_entities,),
            "groupings cover the entities": all(
                len(grouping.codes) == n_entities for grouping in self.groupings.values()
            ),
            "aggregate_groupings cover the aggregates": all(
                len(grouping.codes) == n_aggregates
                for grouping in self.aggregate_groupings.values()
            ),
            "covariates have one row per entity, stored exposure or aggregate": all(
                table is None or len(table) == n_rows
                for table, n_rows in (
                    (self.entity_covariates, self.n_attributable),
                    (self.pair_covariates, self.n_edges),
                    (self.aggregate_covariates, n_aggregates),
                )
            ),
            "truth has one amount per stored exposure": self.truth is None
            or self.truth.shape == (self.n_edges,),
            "total_draws have one row per aggregate": self.total_draws is None
            or len(self.total_draws.values) == n_aggregates,
            "delivery is carried into stored exposures": all(
                not len(part.edges) or (part.edges[0] >= 0 and part.edges[-1] < self.n_edges)
                for part in self.delivery
            ),
            "lift tests are about stored exposures": all(
                test.edges[0] >= 0 and test.edges[-1] < self.n_edges for test in self.lift_tests
            ),
            "names of lift tests are unique": len({test.name for test in self.lift_tests})
            == len(self.lift_tests),
        }

    def _value_requirements(self) -> dict[str, bool]:
        totals, stored = self.totals, self.exposure.data
        return {
            "aggregate keys are unique": not self.aggregate_keys.duplicated().any(),
            "entity names are unique": len(set(self.entity_names)) == self.n_entities,
            "totals are finite and not negative": bool(np.all(np.isfinite(totals) & (totals >= 0))),
            "stored exposures are finite and positive": bool(
                np.all(np.isfinite(stored) & (stored > 0))
            ),
            "positive totals have exposure": bool(np.all(self.is_exposed | (totals == 0))),
        }

    @property
    def n_aggregates(self) -> int:
        """Number of aggregates."""
        return int(self.exposure.shape[0])

    @property
    def n_entities(self) -> int:
        """Number of entities."""
        return int(self.exposure.shape[1])

    @property
    def n_attributable(self) -> int:
        """Number of entities but the one that stands for what no exposure explains."""
        return self.n_entities - int(self.has_unattributed)

    @property
    def n_edges(self) -> int:
        """Number of (aggregate, entity) pairs with positive exposure."""
        return int(self.exposure.nnz)

    @property
    def is_exposed(self) -> npt.NDArray[np.bool_]:
        """Whether each aggregate has any exposure, shape (n_aggregates,)."""
        return np.diff(self.exposure.indptr) > 0

    @cached_property
    def edge_aggregate(self) -> IntArray:
        """Row of every stored exposure, shape (n_edges,)."""
        rows = np.repeat(np.arange(self.n_aggregates), np.diff(self.exposure.indptr))
        return _frozen(rows.astype(np.int64))

    @property
    def edge_entity(self) -> npt.NDArray[np.integer[Any]]:
        """Column of every stored exposure, shape (n_edges,)."""
        return self.exposure.indices

    @cached_property
    def aggregate_labels(self) -> npt.NDArray[np.object_]:
        """One unique text per aggregate, shape (n_aggregates,): its keys joined by ' / '."""
        rows = list(self.aggregate_keys.astype(str).itertuples(index=False, name=None))
        return _frozen(np.array(join_parts(rows), dtype=object))

    @property
    def grand_total(self) -> float:
        """Sum of all totals."""
        return float(self.totals.sum())

    @property
    def reference_rate(self) -> float:
        """The data's own rate r0: sum of totals over sum of exposures, per unit of exposure.

        The exposure of an unattributed entity has a unit of its own and does not count.
        """
        attributable = self.edge_entity < self.n_attributable
        return self.grand_total / float(self.exposure.data[attributable].sum())

    def attributable_grouping(self, name: str) -> Grouping:
        """Return a grouping of the attributable entities alone, without the unattributed level."""
        grouping = self.groupings[name]
        if not self.has_unattributed:
            return grouping
        return Grouping(name, grouping.levels[:-1], grouping.codes[:-1])

    def expected_totals(self, rate: FloatArray) -> FloatArray:
        """Expected totals mu = exposure @ rate.

        Parameters
        ----------
        rate : ndarray, shape (n_entities,) or (n_entities, n_draws)
            Rates per unit of exposure.

        Returns
        -------
        ndarray, shape (n_aggregates,) or (n_aggregates, n_draws)
            Expected totals in the unit of the totals.
        """
        return np.asarray(self.exposure @ rate)

    def expected_amounts(self, rate: FloatArray) -> FloatArray:
        """Expected amounts mu_eb = rate_e * exposure_eb of every edge.

        Parameters
        ----------
        rate : ndarray, shape (n_entities,)
            Rates per unit of exposure.

        Returns
        -------
        ndarray, shape (n_edges,)
            Expected amounts, aligned with ``exposure.data``.
        """
        return self.exposure.data * rate[self.edge_entity]

    def split_totals(self, rate: FloatArray) -> FloatArray:
        """Split every total in proportion to the expected amounts: y_b mu_eb / mu_b.

        Parameters
        ----------
        rate : ndarray, shape (n_entities,)
            Rates per unit of exposure; an aggregate with a positive total needs one positive rate.

        Returns
        -------
        ndarray, shape (n_edges,)
            Amounts, aligned with ``exposure.data``; they sum to the totals within each aggregate.
        """
        expected = self.expected_amounts(rate)
        mu = self.expected_totals(rate)
        ratio = np.divide(self.totals, mu, out=np.zeros_like(mu), where=mu > 0)
        return expected * ratio[self.edge_aggregate]

    def sum_to_entities(self, per_edge: FloatArray) -> FloatArray:
        """Sum a value per edge, shape (n_edges,), over aggregates to shape (n_entities,)."""
        sums = np.bincount(self.edge_entity, weights=per_edge, minlength=self.n_entities)
        return np.asarray(sums, dtype=np.float64)


def _require(requirements: Mapping[str, bool]) -> None:
    broken = [requirement for requirement, holds in requirements.items() if not holds]
    if broken:
        raise ValueError(f"not AggregateData: it must hold that {'; '.join(broken)}")


def _frozen[T: np.generic](array: npt.NDArray[T]) -> npt.NDArray[T]:
    """Return a read-only array that the caller's own array does not alias."""
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array
