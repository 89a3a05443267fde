"""What a fit was given, kept beside its draws, so that it can be predicted from without its tables.

Totals are not repeated: they are among the observed data. Aggregates without exposure are left out,
as they are from the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from bayes_attrib import names
from bayes_attrib.inference.delivery_constants import delivery_constants
from bayes_attrib.inference.lift_constants import lift_constants
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.design import Design, build_design
from bayes_attrib.spec import ModelSpec
from bayes_attrib.spec.formula import parse_formula

Texts = npt.NDArray[np.object_]
Variable = tuple[tuple[str, ...], Any]

GROUP, _PAIR = "group", "pair"
_TABLES: Final = (names.ENTITIES_TABLE, names.EXPOSURES_TABLE, names.AGGREGATES_TABLE)


def constant_data(data: AggregateData, spec: ModelSpec) -> xr.Dataset:
    """Return what prediction needs of the data that were fitted.

    Parameters
    ----------
    data : AggregateData
        The data that were fitted.
    spec : ModelSpec
        The model.

    Returns
    -------
    xarray.Dataset
        ``reference_rate`` (r0, totals per unit of exposure); over ``entity``, ``exposure`` (sum
        over aggregates) and ``group_<column>``; over ``aggregate``, ``group_<column>`` of its own
        groupings; over ``lift_test`` and ``lift_member``, lift tests and the cells that they cover;
        what learned exposures are made of; and the columns that formulas read,
        ``<table>_covariate_<column>``. Slashes in names of columns are written ``%2F``.
    """
    own = names.ATTRIBUTABLE if data.has_unattributed else names.ENTITY
    exposed, attributable = data.is_exposed, data.edge_entity < data.n_attributable
    found: dict[str, Variable] = {
        "reference_rate": ((), data.reference_rate),
        names.EXPOSURE: ((names.ENTITY,), np.asarray(data.exposure.sum(axis=0)).ravel()),
    }
    for column in spec.rates.groups:
        found[variable_of(GROUP, column)] = ((names.ENTITY,), _labels(data.groupings[column]))
    for column, grouping in data.aggregate_groupings.items():
        found[variable_of(GROUP, column)] = ((names.AGGREGATE,), _labels(grouping)[exposed])
    for table, dim, frame, rows in (
        (names.ENTITIES_TABLE, own, data.entity_covariates, slice(None)),
        (names.EXPOSURES_TABLE, _PAIR, data.pair_covariates, attributable),
        (names.AGGREGATES_TABLE, names.AGGREGATE, data.aggregate_covariates, exposed),
    ):
        for column in formula_columns(spec, table):
            if frame is not None:
                found[covariate_of(table, column)] = ((dim,), _values(frame[column])[rows])
    found |= lift_constants(data) | delivery_constants(data)
    coords = {
        names.ENTITY: data.entity_names,
        names.AGGREGATE: data.aggregate_labels[exposed],
    }
    if data.has_unattributed:
        coords[names.ATTRIBUTABLE] = data.entity_names[:-1]
    return xr.Dataset(found, coords=coords)


@dataclass(frozen=True, eq=False)
class FittedData:
    """What is known of the data of a finished fit.

    Attributes
    ----------
    reference_rate : float
        r0, totals per unit of exposure.
    entities : ndarray of str (object), shape (n_attributable,)
        Names of the entities, but for the one of what no exposure explains.
    groups : mapping of str to ndarray of str (object), shape (n_attributable,)
        Group of every entity; the groups of a nested column are paths.
    designs : mapping of str to Design
        Covariates by the stem of the table that holds their columns, where the spec has a formula.
    """

    reference_rate: float
    entities: Texts
    groups: Mapping[str, Texts]
    designs: Mapping[str, Design]

    @classmethod
    def of(cls, dataset: xr.Dataset, spec: ModelSpec) -> FittedData:
        """Read what :func:`constant_data` wrote.

        Parameters
        ----------
        dataset : xarray.Dataset
            The group ``constant_data`` of a posterior file.
        spec : ModelSpec
            The model that was fitted.
        """
        entities = texts_of(dataset[names.ENTITY])
        n = len(entities) - (spec.unattributed is not None)
        return cls(
            float(dataset["reference_rate"]),
            entities[:n],
            {c: texts_of(dataset[variable_of(GROUP, c)])[:n] for c in spec.rates.groups},
            dict(_designs(dataset, spec)),
        )


def _designs(dataset: xr.Dataset, spec: ModelSpec) -> Iterable[tuple[str, Design]]:
    for table in _TABLES:
        formula = _formula(spec, table)
        if formula is not None:
            columns = {c: dataset[covariate_of(table, c)] for c in formula_columns(spec, table)}
            rows = pd.DataFrame(
                {
                    c: v.to_numpy() if v.dtype.kind == "f" else texts_of(v)
                    for c, v in columns.items()
                }
            )
            yield table, build_design(parse_formula(formula), rows)


def _formula(spec: ModelSpec, table: str) -> str | None:
    return {
        names.ENTITIES_TABLE: spec.rates.covariates,
        names.EXPOSURES_TABLE: spec.rates.pair_covariates,
        names.AGGREGATES_TABLE: spec.likelihood.zero_covariates,
    }[table]


def formula_columns(spec: ModelSpec, table: str) -> tuple[str, ...]:
    """Return the columns of a table that the spec's formula for it reads."""
    formula = _formula(spec, table)
    return () if formula is None else tuple(parse_formula(formula).columns)


def _labels(grouping: Grouping) -> Texts:
    return np.array(grouping.levels, dtype=object)[grouping.codes]


def _values(column: pd.Series) -> FloatArray | Texts:
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64)
    return column.astype(str).to_numpy(dtype=object)


def texts_of(values: xr.DataArray) -> Texts:
    """Return the labels of a variable or coordinate as an array of str."""
    return values.to_numpy().astype(str).astype(object)


def covariate_of(table: str, column: str) -> str:
    """Name of the variable that holds a column which a formula reads."""
    return variable_of(f"{table}_covariate", column)


def variable_of(prefix: str, column: str) -> str:
    """Name of a variable; netCDF keeps the slash for paths."""
    return f"{prefix}_{column.replace('%', '%25').replace('/', '%2F')}"
