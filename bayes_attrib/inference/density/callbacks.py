"""The three functions that nuts-rs calls, around those that PyTensor compiled for numba.

Data are no part of the code: each callback is handed the address of a table of words with the
address and the shape of every array. So one compiled callback serves all data of its structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from bayes_attrib.inference.density.machine_code import MachineCode, compile_callback
from bayes_attrib.inference.density.shear import N_WORDS, Shear, slopes_to_sampler, to_model
from bayes_attrib.inference.nutpie_alone import address_as_void_pointer

_numba: Any = numba
_types = _numba.types
_DOUBLES = _types.CPointer(_types.double)
_SIGNATURES = {
    "density": _types.int64(_types.uint64, _DOUBLES, _DOUBLES, _DOUBLES, _types.voidptr),
    "expand": _types.int64(_types.uint64, _types.uint64, _DOUBLES, _DOUBLES, _types.voidptr),
    "start": _types.int64(_DOUBLES, _types.voidptr),
}
_SOURCES = {
    "density": """
def density(n, point_, slope_, value_, words_):
    try:
{arrays}
        place = np.empty({n_in})
        to_model(carray(point_, ({n_in},)), place, words[{n_words}:])
        value, slope = function(place{arguments})
        out, total = carray(slope_, ({n_in},)), value[()]
        slopes_to_sampler(slope, out, words[{n_words}:])
        finite = np.isfinite(total)
        for i in range({n_in}):
            finite = finite and np.isfinite(out[i])
        carray(value_, (1,))[0] = total
        return 0 if finite else 3
    except Exception:
        return 1
""",
    "expand": """
def expand(n, n_out, point_, values_, words_):
    try:
{arrays}
        place = np.empty({n_in})
        to_model(carray(point_, ({n_in},)), place, words[{n_words}:])
        (values,) = function(place{arguments})
        out = carray(values_, ({n_out},))
        for i in range({n_out}):
            out[i] = values[i]
        return 0
    except Exception:
        return -2
""",
    "start": """
def start(values_, words_):
    try:
{arrays}
        (values,) = function({arguments_alone})
        out = carray(values_, ({n_out},))
        for i in range({n_out}):
            out[i] = values[i]
        return 0
    except Exception:
        return -2
""",
}


def make_callback(
    kind: str,
    function: Any,
    arrays: Sequence[npt.NDArray[Any]],
    used: Sequence[int],
    *,
    n_in: int,
    n_out: int,
) -> MachineCode:
    """Compile one of the callbacks.

    Parameters
    ----------
    kind : {"density", "expand", "start"}
        Log density with its gradient, the values to store, or the point to start from.
    function : numba function
        Takes the point (but for ``"start"``), and then the arrays that it uses.
    arrays : sequence of ndarray
        All arrays that will be given; only their types and numbers of dimensions matter.
    used : sequence of int
        Positions of the arrays that the function takes.
    n_in, n_out : int
        Lengths of the point and of the result.

    Returns
    -------
    MachineCode
        The callback.
    """
    lines, n_words = [], 0
    for i, array in enumerate(arrays):
        if i not in used:
            n_words += 1 + array.ndim
            continue
        shape = "".join(f"np.intp(words[{n_words + 1 + axis}]), " for axis in range(array.ndim))
        pointer = f"address_as_void_pointer(words[{n_words}])"
        lines.append(f"        array_{i} = carray({pointer}, ({shape}), dtype_{i})")
        n_words += 1 + array.ndim
    lines.insert(0, f"        words = carray(words_, ({n_words + N_WORDS},), np.uint64)")
    names = ", ".join(f"array_{i}" for i in used)
    source = _SOURCES[kind].format(
        arrays="\n".join(lines),
        arguments=f", {names}" if names else "",
        arguments_alone=names,
        n_in=n_in,
        n_out=n_out,
        n_words=n_words,
    )
    # The name is that of a module, which numba imports when it loads the code again.
    scope: dict[str, Any] = {
        "__name__": __name__,
        "np": np,
        "carray": _numba.carray,
        "address_as_void_pointer": address_as_void_pointer,
        "to_model": to_model,
        "slopes_to_sampler": slopes_to_sampler,
        "function": function,
        **{f"dtype_{i}": array.dtype for i, array in enumerate(arrays)},
    }
    exec(source, scope)  # noqa: S102, the text is the one above
    return compile_callback(scope[kind], _SIGNATURES[kind])


def words_of(
    arrays: Sequence[npt.NDArray[Any]], shear: Shear | None = None
) -> npt.NDArray[np.uint64]:
    """Return the table of addresses and shapes that callbacks read; the arrays have to stay."""
    words = [word for array in arrays for word in (array.ctypes.data, *array.shape)]
    return np.array([*words, *([0] * N_WORDS if shear is None else shear.words)], dtype=np.uint64)
