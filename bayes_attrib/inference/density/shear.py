"""A linear change of coordinates between the sampler and a model, as native code.

The sampler's point z and the model's point x differ in a few elements, which are x = B z; all
others are the same. The log density changes by a constant only, and slopes by the transpose of B.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from bayes_attrib.inference.nutpie_alone import address_as_void_pointer
from bayes_attrib.inputs.aggregate_data import FloatArray

_numba: Any = numba
_carray = _numba.carray

N_WORDS = 3
"""Words of a table that describe a shear: elements, address of their places, address of weights."""


@dataclass(frozen=True, eq=False)
class Shear:
    """Elements of the model's point that are sums of those of the sampler.

    Attributes
    ----------
    places : ndarray of int64, shape (n_sheared,)
        Which elements.
    weights : ndarray, shape (n_dim, n_sheared)
        Weight of every element of the sampler's point in each of them.
    """

    places: npt.NDArray[np.int64]
    weights: FloatArray

    @property
    def words(self) -> list[int]:
        """What native code reads; the arrays have to stay."""
        return [len(self.places), self.places.ctypes.data, self.weights.ctypes.data]

    def to_sampler(self, point: FloatArray) -> FloatArray:
        """Return the sampler's point that stands for a point of the model, shape (n_dim,)."""
        others = point.copy()
        others[self.places] = 0.0
        target = point[self.places] - (self.weights * others[:, np.newaxis]).sum(axis=0)
        others[self.places] = np.linalg.solve(self.weights[self.places].T, target)
        return others


def _to_model(point: Any, place: Any, words: Any) -> None:
    """Write the model's point that a point of the sampler stands for."""
    n, n_sheared = len(point), np.intp(words[0])
    for j in range(n):
        place[j] = point[j]
    if n_sheared > 0:
        places = _carray(address_as_void_pointer(words[1]), (n_sheared,), np.int64)
        weights = _carray(address_as_void_pointer(words[2]), (n, n_sheared), np.float64)
        sums = np.zeros(n_sheared)
        for j in range(n):
            for i in range(n_sheared):
                sums[i] += weights[j, i] * point[j]
        for i in range(n_sheared):
            place[places[i]] = sums[i]


def _slopes_to_sampler(slope: Any, out: Any, words: Any) -> None:
    """Write the slopes along the sampler's elements, given those along the model's."""
    n, n_sheared = len(out), np.intp(words[0])
    for j in range(n):
        out[j] = slope[j]
    if n_sheared > 0:
        places = _carray(address_as_void_pointer(words[1]), (n_sheared,), np.int64)
        weights = _carray(address_as_void_pointer(words[2]), (n, n_sheared), np.float64)
        common = np.empty(n_sheared)
        for i in range(n_sheared):
            common[i] = slope[places[i]]
            out[places[i]] = 0.0
        for j in range(n):
            total = 0.0
            for i in range(n_sheared):
                total += weights[j, i] * common[i]
            out[j] += total


to_model: Any = _numba.njit(_to_model)
slopes_to_sampler: Any = _numba.njit(_slopes_to_sampler)
