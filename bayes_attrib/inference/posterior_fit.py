"""The result of sampling: a frozen view of an xarray DataTree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from bayes_attrib import names
from bayes_attrib.errors import FitError
from bayes_attrib.inputs.aggregate_data import FloatArray


@dataclass(frozen=True, eq=False)
class PosteriorFit:
    """Posterior draws of one fit.

    Attributes
    ----------
    tree : xarray.DataTree
        Groups ``posterior`` and ``sample_stats`` over (chain, draw, ...), and ``observed_data``.
    method : str
        How the draws were made, such as ``"nuts"``.
    """

    tree: xr.DataTree
    method: str

    def __post_init__(self) -> None:
        posterior = self.posterior
        if names.RATE not in posterior or posterior[names.RATE].dims[2:] != (names.ENTITY,):
            raise FitError(
                "the posterior has no variable 'rate' over the dimension 'entity'; a model of your "
                'own needs pm.Deterministic("rate", ..., dims="entity")'
            )

    @property
    def posterior(self) -> xr.Dataset:
        """Draws of every variable, with leading dimensions (chain, draw)."""
        return self.tree["posterior"].to_dataset()

    @property
    def sample_stats(self) -> xr.Dataset:
        """What the sampler said about every draw."""
        return self.tree["sample_stats"].to_dataset()

    @property
    def n_chains(self) -> int:
        """Number of chains."""
        return int(self.posterior.sizes[names.CHAIN])

    @property
    def n_draws(self) -> int:
        """Number of draws over all chains."""
        return self.n_chains * int(self.posterior.sizes[names.DRAW])

    def draws(self, name: str) -> FloatArray:
        """Return the draws of a variable, chain after chain.

        Parameters
        ----------
        name : str
            A variable of the posterior.

        Returns
        -------
        ndarray, shape (..., n_draws)
            The variable's own dimensions first, draws last, in C order.
        """
        values = self.posterior[name].to_numpy()
        flat = values.reshape(-1, *values.shape[2:])
        return np.ascontiguousarray(np.moveaxis(flat, 0, -1), dtype=np.float64)


def save_tree(tree: xr.DataTree, path: Path) -> None:
    """Write a tree as netCDF with lossless compression; the same tree gives the same bytes."""
    encoding = {
        node.path: {name: {"zlib": True, "complevel": 1} for name in _numeric(node.to_dataset())}
        for node in tree.subtree
    }
    tree.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def load_tree(path: Path) -> xr.DataTree:
    """Read a tree from netCDF into memory and close the file."""
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()


def _numeric(dataset: xr.Dataset) -> list[str]:
    return [str(name) for name, array in dataset.variables.items() if array.dtype.kind in "fiub"]
