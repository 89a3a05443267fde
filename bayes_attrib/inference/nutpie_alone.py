"""nutpie without ArviZ, which it imports for a conversion that this package does not ask for.

ArviZ brings its plots and matplotlib along, and with them half of the time that importing this
package takes. While nutpie is imported, something stands in for it that imports the real one when
it is first used; everybody else gets the real one.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_PUT_OFF = "arviz"


class _StandIn(ModuleType):
    """Has what the module of that name has, and imports it to find out."""

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self.__name__), attribute)


_is_loaded = _PUT_OFF in sys.modules
if not _is_loaded:
    sys.modules[_PUT_OFF] = _StandIn(_PUT_OFF)
try:
    import nutpie
    from nutpie.compile_pymc import CompiledPyMCModel, address_as_void_pointer
finally:
    if not _is_loaded:
        del sys.modules[_PUT_OFF]

__all__ = ["CompiledPyMCModel", "address_as_void_pointer", "nutpie"]
