"""From a PyMC model to native code: the steps that take seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.initial_point import make_initial_point_expression
from pymc.pytensorf import compile as compile_graph
from pytensor.configdefaults import config
from pytensor.gradient import grad
from pytensor.graph.replace import clone_replace
from pytensor.graph.rewriting.utils import rewrite_graph
from pytensor.graph.traversal import graph_inputs

from bayes_attrib.errors import FitError
from bayes_attrib.inference.density.callbacks import make_callback
from bayes_attrib.inference.density.compiled import Density, Layout
from bayes_attrib.inference.density.machine_code import MachineCode


def compile_density(model: pm.Model, stored: Sequence[str]) -> Density:
    """Compile a model's log density, its gradient, and the variables that draws store.

    Parameters
    ----------
    model : pymc.Model
        Any model; its data stay exchangeable.
    stored : sequence of str
        Names of the variables to store.

    Returns
    -------
    Density
        Code that :meth:`~bayes_attrib.inference.density.compiled.Density.bind` joins with data.

    Raises
    ------
    FitError
        If the model depends on shared variables that are no data of its own.
    """
    free = [model.rvs_to_values[variable] for variable in model.free_RVs]
    starts = make_initial_point_expression(
        free_rvs=model.free_RVs,
        rvs_to_transforms=model.rvs_to_transforms,
        initval_strategies=model.rvs_to_initial_values,
        return_transformed=True,
    )
    by_name = {variable.name: variable for variable in model.unobserved_value_vars}
    values = [by_name[name] for name in stored]
    log_density: Any = rewrite_graph(model.logp(), include=_rewrites(model))
    slopes: Any = grad(log_density, free)
    gradient = pt.concatenate([slope.ravel() for slope in slopes])
    free_shapes, stored_shapes = _shapes(free, starts, values)
    point = pt.TensorType("float64", shape=(int(sum(map(np.prod, free_shapes))),))("point")
    parts = dict(zip(free, _parts(point, free, free_shapes), strict=True))
    flat = pt.concatenate([value.ravel() for value in _with(values, parts)])
    first = pt.concatenate([start.ravel() for start in _settled(model, starts)])
    graphs = {
        "density": _with([log_density, gradient], parts),
        "expand": [flat.astype("float64")],
        "start": [first.astype("float64")],
    }
    # Fast-math lets the compiler reorder sums, and it does so differently for kernels that it
    # compiles and for those that it finds in its cache: the same seed would give other draws.
    with config.change_flags(numba__fastmath=False), model:
        functions = {
            kind: compile_graph([] if kind == "start" else [point], graph, mode="NUMBA")
            for kind, graph in graphs.items()
        }
        arrays = _arrays(model, functions.values())
        layout = Layout(
            point.type.shape[0],
            tuple(zip(stored, stored_shapes, strict=True)),
            tuple(str(array.name) for array in arrays),
        )
        codes = {kind: _callback(kind, made, arrays, layout) for kind, made in functions.items()}
    return Density(layout, **codes)


def _with(graphs: Sequence[Any], replaced: dict[Any, Any]) -> list[Any]:
    """Copy graphs with some of their variables replaced."""
    copies: Any = clone_replace(list(graphs), replaced)
    return list(copies)


def _rewrites(model: pm.Model) -> list[str]:
    unchecked = [] if model.check_bounds else ["local_remove_check_parameter"]
    return ["canonicalize", "stabilize", *unchecked]


def _shapes(
    free: Sequence[Any], starts: Sequence[Any], values: Sequence[Any]
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Shapes of free and of stored variables at the starting point."""
    at_start = _with(values, dict(zip(free, starts, strict=True)))
    known = [_static_shape(value) for value in (*starts, *at_start)]
    unknown = [i for i, shape in enumerate(known) if shape is None]
    if unknown:
        graphs = [(*starts, *at_start)[i].shape for i in unknown]
        found = compile_graph([], graphs, mode="FAST_COMPILE")()
        for i, shape in zip(unknown, found, strict=True):
            known[i] = tuple(int(n) for n in shape)
    shapes = [shape for shape in known if shape is not None]
    return shapes[: len(starts)], shapes[len(starts) :]


def _settled(model: pm.Model, starts: Sequence[Any]) -> list[Any]:
    """Replace by numbers all starting values that do not depend on data.

    PyMC writes some of them, such as those of zero-sum effects, in the shape of a random draw.
    """
    data = set(model.data_vars)
    fixed = [start for start in starts if data.isdisjoint(graph_inputs([start]))]
    numbers = compile_graph([], fixed, mode="FAST_COMPILE")()
    settled = {start: _constant(value) for start, value in zip(fixed, numbers, strict=True)}
    sizes = {n: pt.constant(n.get_value()) for n in model.dim_lengths.values() if n.owner is None}
    return _with(starts, settled | sizes)


def _constant(value: Any) -> Any:
    """Write an array of equal numbers as such, since large arrays cannot be part of the code."""
    value = np.asarray(value)
    same = value.size > 1 and bool(np.all(value == value.flat[0]))
    return pt.full(value.shape, value.flat[0]) if same else pt.constant(value)


def _static_shape(variable: Any) -> tuple[int, ...] | None:
    shape = variable.type.shape
    return None if None in shape else tuple(shape)


def _parts(point: Any, free: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """Cut the flat point into the free variables."""
    parts, begin = [], 0
    for variable, shape in zip(free, shapes, strict=True):
        end = begin + int(np.prod(shape))
        parts.append(point[begin:end].reshape(shape).astype(variable.dtype))
        begin = end
    return parts


def _arrays(model: pm.Model, functions: Iterable[Any]) -> list[Any]:
    """Return the data that functions depend on, in the order of their names."""
    found = {array for made in functions for array in made.get_shared()}
    foreign = [i for i in found if i.name is None or model.named_vars.get(i.name) is not i]
    if foreign:
        raise FitError(
            f"the model depends on {', '.join(map(str, foreign))}, shared variables that are no "
            "data of its own; make them with pm.Data inside the model"
        )
    return sorted(found, key=lambda array: str(array.name))


def _callback(kind: str, made: Any, arrays: Sequence[Any], layout: Layout) -> MachineCode:
    return make_callback(
        kind,
        made.vm.jit_fn,
        [array.get_value(borrow=True) for array in arrays],
        [arrays.index(array) for array in made.get_shared()],
        n_in=layout.n_dim,
        n_out=layout.n_dim if kind == "start" else layout.n_stored,
    )
