"""A model's log density as native code, apart from the data that it is evaluated for."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bayes_attrib.errors import FitError
from bayes_attrib.inference.density.callbacks import words_of
from bayes_attrib.inference.density.frame import Centre, make_frame
from bayes_attrib.inference.density.machine_code import MachineCode
from bayes_attrib.inference.nutpie_alone import CompiledPyMCModel
from bayes_attrib.inputs.aggregate_data import FloatArray

JITTER = 1.0
"""Chains start uniformly within so much of the model's starting point, as PyMC's do."""


@dataclass(frozen=True)
class Layout:
    """What callbacks expect and return.

    Attributes
    ----------
    n_dim : int
        Length of the unconstrained point.
    variables : tuple of (str, tuple of int)
        Name and shape of each stored variable, in the order in which they are stored.
    arrays : tuple of str
        Names of the data, in the order in which every callback takes them.
    """

    n_dim: int
    variables: tuple[tuple[str, tuple[int, ...]], ...]
    arrays: tuple[str, ...]

    @property
    def n_stored(self) -> int:
        """Number of values that a draw stores."""
        return sum(int(np.prod(shape, dtype=np.int64)) for _, shape in self.variables)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Layout:
        """Make a layout from :meth:`as_dict`."""
        variables = tuple((str(name), tuple(shape)) for name, shape in plain["variables"])
        return cls(int(plain["n_dim"]), variables, tuple(plain["arrays"]))


@dataclass(frozen=True, eq=False)
class Density:
    """Compiled log density, the values that a draw stores, and where chains start.

    Attributes
    ----------
    layout : Layout
        Sizes, names and shapes.
    density, expand, start : MachineCode
        The callbacks (:mod:`bayes_attrib.inference.density.callbacks`).
    """

    layout: Layout
    density: MachineCode
    expand: MachineCode
    start: MachineCode

    def bind(
        self, values: Mapping[str, npt.NDArray[Any]], centre: Centre | None = None
    ) -> CompiledPyMCModel:
        """Join the code with data, for nutpie.

        Parameters
        ----------
        values : mapping of str to ndarray
            Data by name, of the types that the code was compiled for.
        centre : Centre, optional
            A point near the middle of the posterior: chains then begin around it, in coordinates in
            which common effects do not depend on other elements there. By default they begin around
            the model's starting point.

        Returns
        -------
        nutpie.compile_pymc.CompiledPyMCModel
            Ready to be sampled; its variables have neither dimensions nor coordinates.
        """
        data = {name: np.array(values[name], order="C") for name in self.layout.arrays}
        words = words_of(list(data.values()))
        frame = None if centre is None else make_frame(centre, self._gradient(words))
        shear = None if frame is None else frame.shear
        if shear is not None:
            words = words_of(list(data.values()), shear)
            data |= {"shear_places": shear.places, "shear_weights": shear.weights}  # kept alive
        stored = [name for name, _ in self.layout.variables]
        shapes = [shape for _, shape in self.layout.variables]
        return CompiledPyMCModel(
            dims={},
            reparameterized_names=[],
            compiled_logp_func=self.density,
            compiled_expand_func=self.expand,
            initial_point_func=self._starts(words) if frame is None else frame.start,
            shared_data=data,
            shared_var_keys={},
            user_data=words,
            n_expanded=self.layout.n_stored,
            shape_info=(stored, None, shapes),
            logp_func=None,
            expand_func=None,
            _n_dim=self.layout.n_dim,
            _shapes=dict(self.layout.variables),
            _coords={},
        )

    def _starts(self, words: npt.NDArray[np.uint64]) -> Callable[[Any], FloatArray]:
        """Return the function that gives a chain with a seed its first point."""
        pointer = ctypes.c_void_p
        function = ctypes.CFUNCTYPE(ctypes.c_int64, pointer, pointer)(self.start.address)
        point = np.empty(self.layout.n_dim)
        if function(point.ctypes.data, words.ctypes.data) != 0:
            raise FitError("the model has no starting point: its evaluation failed")

        def start(seed: Any) -> FloatArray:
            jitter = np.random.default_rng(seed).uniform(-JITTER, JITTER, size=len(point))
            return np.asarray(point + jitter, dtype=np.float64)

        return start

    def _gradient(self, words: npt.NDArray[np.uint64]) -> Callable[[FloatArray], FloatArray]:
        """Return the gradient of the log density as a function of the unconstrained point."""
        pointer, n = ctypes.c_void_p, self.layout.n_dim
        kinds = (ctypes.c_uint64, pointer, pointer, pointer, pointer)
        function = ctypes.CFUNCTYPE(ctypes.c_int64, *kinds)(self.density.address)

        def gradient(point: FloatArray) -> FloatArray:
            slope, value = np.empty(n), np.empty(1)
            places = (array.ctypes.data for array in (point, slope, value, words))
            failed = function(n, *places)
            return np.full(n, np.nan) if failed else slope

        return gradient


def data_values(model: Any, wanted: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Return the present values of a PyMC model's data by name."""
    return {name: np.asarray(model[name].get_value()) for name in wanted}
