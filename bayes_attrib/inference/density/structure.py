"""What compiled code depends on, as one digest: equal digests stand for equal code."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
from numba.core.registry import cpu_target
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.configdefaults import config
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import toposort

_PACKAGES = ("pymc", "pymc-extras", "pytensor", "nutpie", "numba", "llvmlite", "numpy", "scipy")
_SOURCES = ("model", "inference/density")
"""Folders of this package whose text decides what is compiled."""


def structure_digest(model: pm.Model, stored: Sequence[str], described: Mapping[str, Any]) -> str:
    """Digest of all that the code of a model depends on, but for the values of its data.

    The description names what the model was built from; the graph adds every number that stands in
    it, so that data which are no ``pm.Data`` cannot be mistaken for others.

    Parameters
    ----------
    model : pymc.Model
        The model.
    stored : sequence of str
        Names of the variables that draws store.
    described : mapping
        Plain JSON values that decide how the graph was written.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    sizes = {name: len(values) for name, values in model.coords.items() if values is not None}
    parts = {
        "described": described,
        "stored": list(stored),
        "sizes": sizes,
        "transforms": [repr(type(t)) for t in model.rvs_to_transforms.values()],
        "data": {name: str(array.type) for name, array in sorted(_data(model).items())},
        "environment": _environment(),
    }
    digest.update(json.dumps(parts, sort_keys=True).encode())
    for line in _graph_lines(model):
        digest.update(line)
    return digest.hexdigest()


def _data(model: pm.Model) -> dict[str, Any]:
    return {str(array.name): array for array in model.data_vars}


def _graph_lines(model: pm.Model) -> Iterator[bytes]:
    """Yield every operation with its inputs, and every number, of the model as it was written."""
    outputs = [*model.free_RVs, *model.deterministics, *model.observed_RVs, *model.potentials]
    numbers: dict[Any, int] = {}
    for node in toposort(outputs):
        yield f"{type(node.op).__qualname__} {node.op}".encode()
        for variable in node.inputs:
            yield str(numbers.get(variable, "leaf")).encode()
            if variable not in numbers:
                yield _leaf(variable)
                numbers[variable] = len(numbers)
        for variable in node.outputs:
            yield str(variable.type).encode()
            numbers[variable] = len(numbers)
    yield " ".join(f"{variable.name}={numbers[variable]}" for variable in outputs).encode()


def _leaf(variable: Any) -> bytes:
    if isinstance(variable, Constant):
        value = variable.data
        if isinstance(value, np.ndarray):
            return str(variable.type).encode() + np.ascontiguousarray(value).tobytes()
        return str(value).encode()
    if isinstance(variable, SharedVariable):
        return f"{variable.name} {variable.type}".encode()
    return str(variable.type).encode()


@cache
def _environment() -> dict[str, Any]:
    """Versions, processor and source text that code was compiled with."""
    root = Path(__file__).parents[2]
    text = hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            text.update(path.read_bytes())
    triple, processor, features = cpu_target.target_context.codegen().magic_tuple()
    return {
        "python": sys.version,
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "processor": [triple, processor, features],
        "float": config.floatX,
        "source": text.hexdigest(),
    }
