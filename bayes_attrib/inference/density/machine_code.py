"""Native code of C callbacks, which can be kept in a file and loaded by a later process."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba.core.ccallback import CFunc
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.serialize import dumps


@dataclass(frozen=True, eq=False)
class MachineCode:
    """Compiled code of one C callback.

    Attributes
    ----------
    result : numba.core.compiler.CompileResult
        Owns the code for as long as the process needs it.
    """

    result: Any

    @property
    def address(self) -> int:
        """Address of the callback in this process."""
        name = self.result.fndesc.llvm_cfunc_wrapper_name
        return int(self.result.library.get_pointer_to_function(name))

    def dump(self) -> bytes | None:
        """Return the code as bytes; None if it holds addresses of this process."""
        if self.result.library.has_dynamic_globals or self.result.lifted:
            return None
        serialise: Callable[..., bytes] = dumps
        return serialise(self.result._reduce())  # noqa: SLF001, as numba's own cache does

    @classmethod
    def load(cls, content: bytes) -> MachineCode:
        """Make the code of :meth:`dump` callable; it has to be trusted like any program."""
        context = cpu_target.target_context
        context.refresh()
        parts = pickle.loads(content)  # noqa: S301
        rebuild: Callable[..., Any] = CompileResult._rebuild  # noqa: SLF001
        return cls(rebuild(context, *parts))


class _Catch:
    """Takes the place of a callback's cache of files: it finds nothing, and keeps the result."""

    result: Any = None

    def load_overload(self, signature: Any, context: Any) -> None:
        """Find nothing."""

    def save_overload(self, signature: Any, result: Any) -> None:  # noqa: ARG002
        """Keep the result of the compilation."""
        self.result = result


def compile_callback(function: Callable[..., Any], signature: Any) -> MachineCode:
    """Compile a function of numba's vocabulary as a C callback.

    Parameters
    ----------
    function : callable
        What to compile.
    signature : numba signature
        Types of arguments and result.

    Returns
    -------
    MachineCode
        Its code.
    """
    callback: Any = CFunc(function, (signature.args, signature.return_type), {}, {})
    catch = _Catch()
    callback._cache = catch  # noqa: SLF001, it has no public way to keep the result
    callback.compile()
    return MachineCode(catch.result)
