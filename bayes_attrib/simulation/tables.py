"""Simulated tables, and the scenario that they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.inputs.nesting import nested_groupings
from bayes_attrib.simulation.options import ScenarioOptions, did_you_mean
from bayes_attrib.spec import Columns


class Tables(NamedTuple):
    """The three tables of a data folder, and what else belongs to it, by stem."""

    aggregates: pd.DataFrame
    exposures: pd.DataFrame
    entities: pd.DataFrame
    others: Mapping[str, pd.DataFrame] = MappingProxyType({})


@dataclass(frozen=True)
class Scenario[O: ScenarioOptions]:
    """A way of making data with known truth.

    Attributes
    ----------
    name : str
        Name by which :func:`bayes_attrib.simulation.simulate` knows it.
    description : str
        One sentence for people who choose.
    options : type
        Its options, with ranges, defaults and descriptions.
    draw : callable
        Takes options and a random generator, returns :class:`Tables`.
    """

    name: str
    description: str
    options: type[O]
    draw: Callable[[O, np.random.Generator], Tables]


@dataclass(frozen=True, eq=False)
class SimulatedTables:
    """Tables with known truth, and what made them.

    Attributes
    ----------
    aggregates : DataFrame
        Key columns of every aggregate, and its total.
    exposures : DataFrame
        One row per (aggregate, entity): keys, exposure, and the true amount.
    entities : DataFrame
        One row per entity: key, groups, covariates, and ``rate_true``, the true expected amount per
        unit of exposure. The truth is for scoring, never for fitting.
    scenario : str
        Name of the scenario.
    seed : int
        Seed of the random generator.
    options : ScenarioOptions
        All options, defaults included.
    others : mapping of str to DataFrame
        Tables that no fit reads, by stem, such as those that totals were added up from.
    """

    aggregates: pd.DataFrame
    exposures: pd.DataFrame
    entities: pd.DataFrame
    scenario: str
    seed: int
    options: ScenarioOptions
    others: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def spec_columns(self) -> Columns:
        """Column names, as a spec states them."""
        return self.options.columns

    def build_data(
        self,
        pooling: Sequence[str] = (),
        nested: Sequence[str] = (),
        covariates: Sequence[str] = (),
    ) -> AggregateData:
        """Build the in-memory form of the tables, in the tables' own order.

        Parameters
        ----------
        pooling : sequence of str
            Columns of the entities table to carry as crossed groupings.
        nested : sequence of str
            Columns of the entities table to carry as nested groupings, from the top down; their
            groups are named by their paths.
        covariates : sequence of str
            Columns of the entities table to carry as covariates.

        Returns
        -------
        AggregateData
            Aggregates and entities in the order of their tables, with the truth.

        Raises
        ------
        SpecError
            If the entities table has no such column.
        """
        columns = self.spec_columns
        self._check_columns((*pooling, *nested, *covariates))
        keys = self.aggregates[list(columns.aggregate)]
        pairs = self.exposures[self.exposures[columns.exposure] > 0]
        rows = _positions(keys, pairs[list(columns.aggregate)])
        cols = _positions(self.entities[[columns.entity]], pairs[[columns.entity]])
        order = np.lexsort((cols, rows))
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(keys)))])
        index = (cols[order].astype(np.int32), starts.astype(np.int32))
        exposure = pairs[columns.exposure].to_numpy(dtype=np.float64)[order]
        shape = (len(keys), len(self.entities))
        return AggregateData(
            aggregate_keys=keys,
            totals=self.aggregates[columns.total].to_numpy(dtype=np.float64),
            entity_key=columns.entity,
            entity_names=self.entities[columns.entity].to_numpy(dtype=object),
            exposure=sp.csr_array((exposure, *index), shape=shape),
            groupings=self._groupings(pooling, nested),
            entity_covariates=self._covariates(covariates),
            truth=pairs[columns.amount].to_numpy(dtype=np.float64)[order],
        )

    def _groupings(self, pooling: Sequence[str], nested: Sequence[str]) -> dict[str, Grouping]:
        crossed = {g: Grouping.from_labels(g, self.entities[g].to_numpy()) for g in pooling}
        return crossed | nested_groupings(self.entities, nested)

    def _covariates(self, columns: Sequence[str]) -> pd.DataFrame | None:
        """Return covariates, numbers as float."""
        if not columns:
            return None
        chosen = self.entities[list(columns)]
        return chosen.astype(dict.fromkeys(chosen.select_dtypes("number").columns, np.float64))

    def _check_columns(self, columns: Sequence[str]) -> None:
        known = {str(name): None for name in self.entities.columns}
        findings = [
            Finding(
                "unknown-column",
                "error",
                f"scenario {self.scenario}, entities",
                f"has no column {name!r}",
                f"{did_you_mean(name, known)}columns: {', '.join(known)}",
            )
            for name in columns
            if name not in known
        ]
        if findings:
            raise SpecError("the columns do not fit the simulated entities:", findings)


def _positions(table: pd.DataFrame, lookups: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return the row of ``table`` whose key equals each row of ``lookups``."""
    if table.shape[1] == 1:
        index = pd.Index(table.iloc[:, 0])
        found = index.get_indexer(pd.Index(lookups.iloc[:, 0]))
    else:
        found = pd.MultiIndex.from_frame(table).get_indexer(pd.MultiIndex.from_frame(lookups))
    return found.astype(np.int64)
