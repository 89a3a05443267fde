"""Files of draws: netCDF, written and read a block of entities at a time where they are large."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import h5netcdf
import numpy as np
import xarray as xr

from bayes_attrib import names
from bayes_attrib.inference.draw_matrix import BLOCK_ELEMENTS
from bayes_attrib.inference.large_rates import is_large

_PER_ENTITY: Final = (names.CHAIN, names.DRAW, names.ENTITY)


def save_tree(tree: xr.DataTree, path: Path) -> None:
    """Write a tree as netCDF without any loss; the same tree gives the same bytes.

    Draws of rates are stored as they are: compression takes seconds per hundred megabytes and
    saves a tenth, because most of their digits are random. All else is compressed.

    Parameters
    ----------
    tree : xarray.DataTree
        Groups of variables.
    path : Path
        File to write.
    """
    large = {node.path: _large(node) for node in tree.subtree}
    rest = without_large(tree)
    encoding = {
        node.path: {name: {"zlib": True, "complevel": 1} for name in _compressible(node)}
        for node in rest.subtree
    }
    rest.to_netcdf(path, engine="h5netcdf", encoding=encoding)
    if any(large.values()):
        with h5netcdf.File(path, "a") as file:
            for group, variables in large.items():
                for name, array in variables.items():
                    _append(file[group], name, array)


def load_tree(path: Path) -> xr.DataTree:
    """Read a tree from netCDF into memory and close the file."""
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return load_open_tree(tree)


def load_open_tree(tree: xr.DataTree, *, every: int = 1) -> xr.DataTree:
    """Read an open tree into memory, draws of many entities with all draws of one side by side.

    Parameters
    ----------
    tree : xarray.DataTree
        What :func:`xarray.open_datatree` returned.
    every : int
        Every so many draws of a chain are read.

    Returns
    -------
    xarray.DataTree
        The same, in memory.
    """
    thinned = {names.DRAW: slice(None, None, every)} if every > 1 else {}
    return tree.map_over_datasets(lambda dataset: _load(dataset, thinned))


def without_large(tree: xr.DataTree) -> xr.DataTree:
    """Return a tree without the draws of the rates of very many entities."""
    rest = tree.map_over_datasets(lambda dataset: dataset.drop_vars(_large_names(dataset)))
    rest.attrs = tree.attrs
    return rest


def _load(dataset: xr.Dataset, thinned: Mapping[str, slice]) -> xr.Dataset:
    names_of_large = _large_names(dataset)
    dataset = dataset.isel(thinned, missing_dims="ignore")
    large = {name: dataset[name] for name in names_of_large}
    loaded = dataset.drop_vars(list(large)).load()
    for name, array in large.items():
        n_chains, n_draws, n_entities = array.shape
        values = np.empty((n_entities, n_chains, n_draws), dtype=array.dtype)
        for block in _blocks(n_entities, n_chains * n_draws):
            part = array.isel({names.ENTITY: block}).to_numpy()
            values[block] = np.moveaxis(part, -1, 0)
        loaded[name] = (_PER_ENTITY, np.moveaxis(values, 0, -1), array.attrs)
    return loaded


def _append(group: Any, name: str, array: xr.DataArray) -> None:
    n_chains, n_draws, n_entities = array.shape
    step = next(_blocks(n_entities, n_chains * n_draws)).stop
    chunks = (n_chains, n_draws, step)
    variable = group.create_variable(name, _PER_ENTITY, array.dtype, chunks=chunks)
    values = array.to_numpy()
    for block in _blocks(n_entities, n_chains * n_draws):
        variable[:, :, block] = np.ascontiguousarray(values[:, :, block])
    for key, value in array.attrs.items():
        variable.attrs[key] = value


def _blocks(n_entities: int, n_draws: int) -> Iterator[slice]:
    step = max(1, BLOCK_ELEMENTS // max(1, n_draws))
    for start in range(0, n_entities, step):
        yield slice(start, min(start + step, n_entities))


def _large(node: xr.DataTree) -> dict[str, xr.DataArray]:
    dataset = node.to_dataset()
    return {name: dataset[name] for name in _large_names(dataset)}


def _large_names(dataset: xr.Dataset) -> list[str]:
    return [
        str(name)
        for name, array in dataset.data_vars.items()
        if array.dims == _PER_ENTITY and is_large(array.size)
    ]


def _compressible(node: xr.DataTree) -> list[str]:
    return [
        str(name)
        for name, array in node.to_dataset().variables.items()
        if array.dtype.kind in "fiub"
        and not (array.dtype.kind == "f" and array.dims == _PER_ENTITY)
    ]
