"""A finished fit and its data, put together again from what the fit left behind."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import xarray as xr

from bayes_attrib import names
from bayes_attrib.inference.constant_data import (
    GROUP,
    Texts,
    covariate_of,
    formula_columns,
    texts_of,
    variable_of,
)
from bayes_attrib.inference.delivery_constants import delivery_of
from bayes_attrib.inference.lift_constants import lift_tests_of
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, Grouping
from bayes_attrib.spec import ModelSpec


def rebuild_fit(
    spec: ModelSpec, cells: pd.DataFrame, totals: FloatArray, tree: xr.DataTree, method: str
) -> tuple[PosteriorFit, AggregateData]:
    """Put a fit and its data together again.

    Parameters
    ----------
    spec : ModelSpec
        The model that was fitted.
    cells : DataFrame
        Cells of the run in their order: key columns, ``exposure``, and ``truth_amount`` if known.
    totals : ndarray, shape (n_exposed,)
        Totals of the aggregates with exposure, in the order of their first cell.
    tree : xarray.DataTree
        Groups ``posterior``, and ``constant_data`` as :func:`constant_data` writes it.
    method : str
        How the draws were made, such as ``"nuts"``.

    Returns
    -------
    fit : PosteriorFit
        The draws.
    data : AggregateData
        The data that were fitted, but for aggregates without exposure, which have no part in a fit.

    Raises
    ------
    KeyError
        If the tree lacks what the spec's model reads.
    """
    constants = tree["constant_data"].to_dataset()
    posterior = _seen_levels(spec, tree["posterior"].to_dataset(), constants)
    keys, rows = _aggregates(cells[list(spec.columns.aggregate)])
    entities = texts_of(posterior[names.ENTITY])
    columns = pd.Index(entities).get_indexer(pd.Index(cells[spec.columns.entity].astype(str)))
    exposure = (cells[names.EXPOSURE].to_numpy(dtype=np.float64), (rows, columns))
    has_unattributed = spec.unattributed is not None
    data = AggregateData(
        aggregate_keys=keys,
        totals=totals,
        entity_key=spec.columns.entity,
        entity_names=entities,
        exposure=sp.csr_array(exposure, shape=(len(keys), len(entities))),
        groupings={
            column: _grouping(column, constants, posterior, has_unattributed=has_unattributed)
            for column in spec.rates.groups
        },
        aggregate_groupings={
            column: _in_order(column, _groups(constants, column), posterior, dim)
            for column, dim in _aggregate_dims(spec).items()
        },
        entity_covariates=_covariates(spec, names.ENTITIES_TABLE, constants),
        pair_covariates=_pair_covariates(spec, constants, columns < len(entities) - 1)
        if has_unattributed
        else _covariates(spec, names.EXPOSURES_TABLE, constants),
        aggregate_covariates=_covariates(spec, names.AGGREGATES_TABLE, constants),
        has_unattributed=has_unattributed,
        delivery=delivery_of(constants),
        lift_tests=lift_tests_of(constants),
        truth=cells["truth_amount"].to_numpy() if "truth_amount" in cells else None,
    )
    fit = {name: node.to_dataset() for name, node in tree.children.items()}
    return PosteriorFit(xr.DataTree.from_dict({**fit, "posterior": posterior}), method), data


def _aggregate_dims(spec: ModelSpec) -> dict[str, str]:
    """Grouping columns of the aggregates, with the dimension that their levels have in draws."""
    dims = {column: column for column in spec.rates.aggregate_effects}
    return dims if spec.rates.drift is None else {**dims, spec.rates.drift.period: names.PERIOD}


def _seen_levels(spec: ModelSpec, posterior: xr.Dataset, constants: xr.Dataset) -> xr.Dataset:
    """Leave out levels whose aggregates all lack exposure: the rebuilt data do not know them."""
    chosen = {
        dim: np.isin(texts_of(posterior[dim]), _groups(constants, column))
        for column, dim in _aggregate_dims(spec).items()
        if dim in posterior.coords
    }
    return posterior.isel({dim: np.flatnonzero(seen) for dim, seen in chosen.items()})


def _aggregates(keys: pd.DataFrame) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return the distinct keys in order of appearance, and which of them each cell has."""
    texts = keys.astype("str")
    row = texts.groupby(list(texts.columns), sort=False).ngroup().to_numpy()
    return texts.drop_duplicates().reset_index(drop=True), row.astype(np.int64)


def _groups(constants: xr.Dataset, column: str) -> Texts:
    return texts_of(constants[variable_of(GROUP, column)])


def _grouping(
    column: str, constants: xr.Dataset, posterior: xr.Dataset, *, has_unattributed: bool
) -> Grouping:
    """Grouping of the entities; what no exposure explains has the last level."""
    labels = _groups(constants, column)
    if not has_unattributed:
        return _in_order(column, labels, posterior, column)
    own = _in_order(column, labels[:-1], posterior, column)
    return Grouping(
        column, (*own.levels, names.UNATTRIBUTED), np.append(own.codes, len(own.levels))
    )


def _in_order(column: str, labels: Texts, posterior: xr.Dataset, dim: str) -> Grouping:
    """Group with the levels in the order of the draws, where those of a user's model have any."""
    if dim not in posterior.coords:
        return Grouping.from_labels(column, labels)
    levels = texts_of(posterior[dim])
    return Grouping(column, tuple(levels), pd.Index(levels).get_indexer(pd.Index(labels)))


def _covariates(spec: ModelSpec, table: str, constants: xr.Dataset) -> pd.DataFrame | None:
    columns = formula_columns(spec, table)
    if not columns:
        return None
    found = {column: constants[covariate_of(table, column)] for column in columns}
    return pd.DataFrame(
        {c: v.to_numpy() if v.dtype.kind == "f" else texts_of(v) for c, v in found.items()}
    )


def _pair_covariates(
    spec: ModelSpec, constants: xr.Dataset, attributable: npt.NDArray[np.bool_]
) -> pd.DataFrame | None:
    """Covariates of all pairs; the fit kept none for those of the unattributed entity."""
    known = _covariates(spec, names.EXPOSURES_TABLE, constants)
    if known is None:
        return None
    position = np.where(attributable, np.cumsum(attributable) - 1, -1)
    return known.reset_index(drop=True).reindex(position).reset_index(drop=True)
