"""The result of sampling: a frozen view of an xarray DataTree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from bayes_attrib import names
from bayes_attrib.errors import FitError
from bayes_attrib.inference.draw_files import load_tree, save_tree
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.inputs.aggregate_data import FloatArray

__all__ = ["PosteriorFit", "load_tree", "save_tree"]


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
            A variable of the posterior; ``log_rate`` is known from ``rate`` where it is not kept.

        Returns
        -------
        ndarray, shape (..., n_draws)
            The variable's own dimensions first, draws last, in C order.
        """
        if name == names.LOG_RATE and name not in self.posterior:
            rates = self.draws(names.RATE)
            return np.log(rates, out=rates)
        return np.array(self._draws_last(name), dtype=np.float64, order="C")

    def rate_matrix(self) -> DrawMatrix:
        """Return the draws of the rates, shape (n_entities, n_draws), copied only if need be.

        Rates of single precision, as many draws of many entities have them, stay so in memory.
        """
        values = self.rate_array()
        single = values.dtype == np.float32
        return DrawMatrix.of(np.ascontiguousarray(values, dtype=None if single else np.float64))

    def rate_array(self) -> npt.NDArray[np.floating[Any]]:
        """Return a view of the draws of the rates as they are kept, (n_entities, n_draws)."""
        return self._draws_last(names.RATE)

    def _draws_last(self, name: str) -> npt.NDArray[Any]:
        """Return a view of the draws of a variable, shape (..., n_draws)."""
        values = self.posterior[name].to_numpy()
        return np.moveaxis(values.reshape(-1, *values.shape[2:]), 0, -1)
