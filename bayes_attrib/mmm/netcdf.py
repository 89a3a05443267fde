"""NetCDF files as trees of labelled arrays, read whole, with faults in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from bayes_attrib.citing import listed, quote
from bayes_attrib.exposure.period_axis import text_of
from bayes_attrib.mmm.refusal import refusal

FloatArray = npt.NDArray[np.float64]


def open_tree(path: Path) -> xr.DataTree:
    """Read a netCDF file with all its groups into memory.

    Parameters
    ----------
    path : Path
        NetCDF 4 file.

    Returns
    -------
    xarray.DataTree
        Its content; the file is closed.

    Raises
    ------
    DataError
        If there is no such file, or it is not netCDF.
    """
    if not path.is_file():
        raise refusal("missing-file", path.name, "there is no such file", "check the path")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            return tree.load()
    except (OSError, ValueError, KeyError) as error:
        raise refusal(
            "unreadable-file",
            path.name,
            f"cannot be read as netCDF: {str(error).splitlines()[0]}",
            "save the fit again, and copy the file as a binary",
        ) from error


def group_of(tree: xr.DataTree, name: str, file: str) -> xr.Dataset:
    """Return a group of a tree.

    Parameters
    ----------
    tree : xarray.DataTree
        Content of a file.
    name : str
        Name of the group.
    file : str
        Name of the file, for messages.

    Returns
    -------
    xarray.Dataset
        The group.

    Raises
    ------
    DataError
        If the file has no such group.
    """
    if name not in tree.children:
        held = listed([quote(child) for child in tree.children]) or "none"
        raise refusal(
            "missing-group",
            file,
            f"there is no group {quote(name)}; the groups are {held}",
            "save the model after it was fitted",
        )
    return tree[name].to_dataset()


def array_of(
    group: xr.Dataset, name: str, dims: Sequence[str], where: str, *, broadcast: bool = False
) -> FloatArray:
    """Return a variable as floats of 64 bits with its axes in a given order.

    Parameters
    ----------
    group : Dataset
        Where it stands.
    name : str
        Name of the variable.
    dims : sequence of str
        Axes of the result.
    where : str
        File and group, for messages.
    broadcast : bool
        Repeat the variable along axes that it lacks, rather than refuse it.

    Returns
    -------
    ndarray of float
        Values with one axis for each of ``dims``.

    Raises
    ------
    DataError
        If there is no such variable, it has other axes, or a value is not finite.
    """
    if name not in group:
        known = [str(key) for key in group.data_vars]
        raise refusal(
            "missing-variable",
            where,
            f"there is no variable {quote(name)}",
            f"save all variables of the fit; the variables are {listed(known)}",
        )
    found = group[name]
    odd = [str(dim) for dim in found.dims if dim not in dims]
    lacking = [] if broadcast else [dim for dim in dims if dim not in found.dims]
    if odd or lacking:
        raise refusal(
            "unexpected-dimensions",
            f"{where}, {name}",
            f"has the dimensions {listed([str(dim) for dim in found.dims]) or 'none'}, where "
            f"{listed(list(dims))} are expected",
            "export it with these dimensions, none summed up and none added",
        )
    empty = [dim for dim in dims if not group.sizes[dim]]
    if empty:
        raise refusal(
            "no-values",
            f"{where}, {name}",
            f"there is nothing along the dimension {listed([quote(dim) for dim in empty])}",
            "save or export the fit again, with its draws",
        )
    sizes = {dim: group.sizes[dim] for dim in dims if dim not in found.dims}
    values = found.expand_dims(sizes).transpose(*dims).to_numpy().astype(np.float64)
    if not np.isfinite(values).all():
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        at = ", ".join(f"{dim} {i}" for dim, i in zip(dims, bad, strict=True))
        raise refusal(
            "not-finite",
            f"{where}, {name}",
            f"{int((~np.isfinite(values)).sum()):,} of {values.size:,} values are not finite, the "
            f"first at {at}",
            "fit again: an interrupted or diverged fit cannot be imported",
        )
    return values


def labels_of(group: xr.Dataset, dim: str, where: str) -> tuple[str, ...]:
    """Return the labels of a dimension as text; dates in ISO's form.

    Parameters
    ----------
    group : Dataset
        Where it stands.
    dim : str
        Name of the dimension.
    where : str
        File and group, for messages.

    Returns
    -------
    tuple of str
        Labels in the order of the file.

    Raises
    ------
    DataError
        If the dimension has no labels, or one of them twice.
    """
    if dim not in group.coords:
        raise refusal(
            "missing-labels",
            where,
            f"the dimension {quote(dim)} has no labels",
            "export it with its coordinates",
        )
    values: Any = pd.Index(group[dim].to_numpy())
    found = tuple(text.strip() for text in text_of(values))
    twice = sorted({text for text in found if found.count(text) > 1})
    if twice:
        raise refusal(
            "repeated-labels",
            f"{where}, {dim}",
            f"given more than once: {listed([quote(text) for text in twice])}",
            "name each once",
        )
    return found
