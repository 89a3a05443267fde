"""A log density in coordinates in which a posterior like it is known to be near standard normal.

With x = m + R z, R the lower root of a covariance, the density of z has the same logarithm as that
of x up to a constant, and its gradient is R' times that of x. A sampler of z needs no matrix of
masses, which is most of what tuning is for. Any m and R leave the law of x as it is; they only
decide how quickly it is drawn from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Self

import numba
import numpy as np
from numba.core import cgutils
from numba.extending import intrinsic

from bayes_attrib.inference.density.machine_code import MachineCode, compile_callback
from bayes_attrib.inference.nutpie_alone import CompiledPyMCModel, address_as_void_pointer
from bayes_attrib.inputs.aggregate_data import FloatArray

MOST_CORRELATED: Final = 400
"""Dimensions up to which correlations count; a gradient then takes so many squared steps more."""

_numba: Any = numba
_llvm: Any = vars(cgutils)["ir"]
_intrinsic: Any = intrinsic
_types = _numba.types
_DOUBLES = _types.CPointer(_types.double)
_DENSITY = _types.int64(_types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, _types.voidptr)
_EXPAND = _types.int64(_types.uint64, _types.uint64, _DOUBLES, _DOUBLES, _types.voidptr)
_N_WORDS = 8


@dataclass(frozen=True, eq=False)
class Whitening:
    """Centre and root of the covariance of a posterior's unconstrained point.

    Attributes
    ----------
    mean : ndarray, shape (n_dim,)
        Centre.
    root : ndarray, shape (n_dim, n_dim) or (1, n_dim)
        Lower triangular root of the covariance, or standard deviations alone.
    """

    mean: FloatArray
    root: FloatArray

    @classmethod
    def of(cls, points: FloatArray) -> Self:
        """Estimate both from draws.

        Correlations are shrunk: with n draws in d dimensions by the factor n / (n + 4 d), which
        keeps the covariance well-conditioned where draws are few. Numbers are rounded to single
        precision, so that the order in which a machine sums does not tell in what is drawn.

        Parameters
        ----------
        points : ndarray, shape (n_draws, n_dim)
            Draws.
        """
        n, n_dim = points.shape
        mean = _rounded(points.mean(axis=0))
        sd = np.maximum(points.std(axis=0, ddof=1), 1e-8)
        if n_dim > MOST_CORRELATED:
            return cls(mean, _rounded(sd)[np.newaxis])
        scaled = (points - mean) / sd
        correlation = (scaled.T @ scaled) / (n - 1)
        weight = n / (n + 4.0 * n_dim)
        shrunk = weight * correlation + (1.0 - weight) * np.eye(n_dim)
        return cls(mean, _rounded(sd[:, np.newaxis] * np.linalg.cholesky(shrunk)))

    def standardised(self, point: FloatArray) -> FloatArray:
        """Return the coordinates z of a point x, both of shape (n_dim,)."""
        if len(self.root) == len(self.mean):
            return np.asarray(np.linalg.solve(self.root, point - self.mean))
        return np.asarray((point - self.mean) / self.root[0])

    def bind(self, inner: CompiledPyMCModel, starts: FloatArray) -> CompiledPyMCModel:
        """Return a compiled model in these coordinates.

        Parameters
        ----------
        inner : nutpie.compile_pymc.CompiledPyMCModel
            What :meth:`bayes_attrib.inference.density.Density.bind` returns.
        starts : ndarray, shape (n_starts, n_dim)
            Points x; each chain starts from one that its seed chooses.

        Returns
        -------
        nutpie.compile_pymc.CompiledPyMCModel
            Draws the same variables.
        """
        density, expand = _callbacks()
        mean, root = np.ascontiguousarray(self.mean), np.ascontiguousarray(self.root)
        words = np.array(
            [
                inner.compiled_logp_func.address,
                inner.compiled_expand_func.address,
                inner.user_data.ctypes.data,
                mean.ctypes.data,
                len(mean),
                root.ctypes.data,
                *root.shape,
            ],
            dtype=np.uint64,
        )

        def start(seed: Any) -> FloatArray:
            """Return the first point of a chain."""
            chosen = int(np.random.default_rng(seed).integers(len(starts)))
            return _rounded(self.standardised(starts[chosen]))

        kept = {**inner.shared_data, "whitening": [mean, root, inner.user_data, inner]}
        return dataclasses.replace(
            inner,
            compiled_logp_func=density,
            compiled_expand_func=expand,
            initial_point_func=start,
            shared_data=kept,
            user_data=words,
        )


def _rounded(values: FloatArray) -> FloatArray:
    return values.astype(np.float32).astype(np.float64)


@cache
def _callbacks() -> tuple[MachineCode, MachineCode]:
    """Compile the callbacks that serve every whitening; a second's work, once in a process."""
    return compile_callback(_density, _DENSITY), compile_callback(_expand, _EXPAND)


def _call(callee: Any, arguments: Any) -> Any:
    """Signature and code of a call through an address, given first; arrays go in as pointers.

    An array is taken as such, not as its address, for else it would be let go before the call.
    """
    kinds = tuple(callee.args)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        wanted = [context.get_value_type(kind) for kind in kinds]
        kind = _llvm.FunctionType(context.get_value_type(callee.return_type), wanted)
        function = builder.inttoptr(values[0], kind.as_pointer())
        given = [
            context.make_array(of)(context, builder, value).data
            if isinstance(of, _types.Array)
            else value
            for of, value in zip(signature.args[1:], values[1:], strict=True)
        ]
        return builder.call(function, given)

    return callee.return_type(*arguments), generate


def _njit[F: Callable[..., None]](function: F) -> F:
    """Compile a function for others that are compiled."""
    compiled: F = _numba.njit(function)
    return compiled


@_intrinsic  # type: ignore[untyped-decorator]
def _call_density(  # noqa: PLR0917 - called by place in compiled code
    typing: Any,  # noqa: ARG001
    address: Any,
    n: Any,
    point: Any,
    slope: Any,
    value: Any,
    words: Any,
) -> Any:
    return _call(_DENSITY, (address, n, point, slope, value, words))


@_intrinsic  # type: ignore[untyped-decorator]
def _call_expand(  # noqa: PLR0917 - called by place in compiled code
    typing: Any,  # noqa: ARG001
    address: Any,
    n: Any,
    n_out: Any,
    point: Any,
    values: Any,
    words: Any,
) -> Any:
    return _call(_EXPAND, (address, n, n_out, point, values, words))


@_njit
def _unwhiten(mean: FloatArray, root: FloatArray, z: FloatArray, x: FloatArray) -> None:
    """Fill in x = mean + root z."""
    if len(root) == len(mean):
        for i in range(len(mean)):
            total = mean[i]
            for j in range(i + 1):
                total += root[i, j] * z[j]
            x[i] = total
    else:
        for i in range(len(mean)):
            x[i] = mean[i] + root[0, i] * z[i]


@_njit
def _whiten_slope(root: FloatArray, slope: FloatArray, slope_z: FloatArray) -> None:
    """Fill in the gradient by z, root' times that by x."""
    if len(root) == len(slope):
        for j in range(len(slope)):
            slope_z[j] = 0.0
        for i in range(len(slope)):
            for j in range(i + 1):
                slope_z[j] += root[i, j] * slope[i]
    else:
        for i in range(len(slope)):
            slope_z[i] = root[0, i] * slope[i]


def _density(n: Any, point_: Any, slope_: Any, value_: Any, words_: Any) -> Any:
    """Log density and gradient at z; a callback, see :mod:`bayes_attrib.inference.density`."""
    size, words = np.intp(n), _numba.carray(words_, (_N_WORDS,), np.uint64)
    mean = _numba.carray(address_as_void_pointer(words[3]), (size,), np.float64)
    shape = (np.intp(words[6]), size)
    root = _numba.carray(address_as_void_pointer(words[5]), shape, np.float64)
    x, slope = np.empty(size), np.empty(size)
    _unwhiten(mean, root, _numba.carray(point_, (size,)), x)
    own = address_as_void_pointer(words[2])
    status = _call_density(words[0], n, x, slope, value_, own)
    _whiten_slope(root, slope, _numba.carray(slope_, (size,)))
    return status


def _expand(n: Any, n_out: Any, point_: Any, values_: Any, words_: Any) -> Any:
    """Values to store at z; a callback."""
    size, words = np.intp(n), _numba.carray(words_, (_N_WORDS,), np.uint64)
    mean = _numba.carray(address_as_void_pointer(words[3]), (size,), np.float64)
    shape = (np.intp(words[6]), size)
    root = _numba.carray(address_as_void_pointer(words[5]), shape, np.float64)
    x = np.empty(size)
    _unwhiten(mean, root, _numba.carray(point_, (size,)), x)
    return _call_expand(words[1], n, n_out, x, values_, address_as_void_pointer(words[2]))
