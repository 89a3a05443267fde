"""Exposures whose transforms are learned: unknown parameters, and the factor that they make.

Exposures of the data are those at fixed values. What is learned multiplies the expected amount of
a pair by its exposure at the unknown values over that at the fixed ones.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_attrib import names
from bayes_attrib.exposure.curve_math import NUMPY, Functions
from bayes_attrib.exposure.lagged import Curve, LaggedDelivery
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.spec import ModelSpec
from bayes_attrib.spec.learned import Learned

GRAPH: Final = Functions(
    exp=pt.exp,
    log=pt.log,
    tanh=pt.tanh,
    softplus=pt.softplus,
    maximum=pt.maximum,
    cumsum=lambda x: pt.cumsum(x, axis=0),
    prepend_ones=lambda x: pt.concatenate([pt.ones((1,)), x]),
    carried=lambda lags, weights: lags @ weights,
)
"""PyTensor's functions."""

_BLOCK: Final = 1 << 22
"""Elements of (exposures, lags, draws) that are held at a time."""


@dataclass(frozen=True, eq=False)
class TransformTerm:
    """Logarithm of an exposure at unknown parameters over that at the fixed ones.

    Attributes
    ----------
    variable : str
        Variable of the posterior: the vector of unknown parameters.
    exposure : ndarray of float, shape (n_edges,)
        Exposures at the fixed values.
    curves : tuple of Curve
        Learned transforms.
    delivery : tuple of LaggedDelivery
        What each of them is made of.
    """

    variable: str
    exposure: FloatArray
    curves: tuple[Curve, ...]
    delivery: tuple[LaggedDelivery, ...]

    def graph(self, variable: Any) -> Any:
        """Return the term of every edge as a PyTensor vector, shape (n_edges,), in a model."""
        term = pt.zeros(len(self.exposure))
        for number, (curve, given) in enumerate(zip(self.curves, self.delivery, strict=True)):
            edges = pm.Data(f"delivery_edges_{number}", given.edges)
            log_exposure = curve.log_exposures(
                _data(given, number), variable, GRAPH, n_lags=given.lags.shape[1]
            )
            before = pm.Data(f"delivery_exposure_{number}", np.log(self.exposure[given.edges]))
            term = term[edges].set(log_exposure - before)
        return term

    def values(self, edges: slice, draws: FloatArray) -> FloatArray:
        """Return the term of some edges in every draw, shape (n_chosen, n_draws).

        Parameters
        ----------
        edges : slice
            Which edges.
        draws : ndarray, shape (n_parameters, n_draws)
            Draws of the unknown parameters.
        """
        start, stop, _ = edges.indices(len(self.exposure))
        term = np.zeros((stop - start, draws.shape[1]))
        for curve, given in zip(self.curves, self.delivery, strict=True):
            part = given.within(slice(start, stop))
            n_lags = part.lags.shape[1]
            step = max(1, _BLOCK // (n_lags * draws.shape[1]))
            for first in range(start, stop, step):
                block = part.within(slice(first, min(first + step, stop)))
                if len(block.edges):
                    log_exposure = curve.log_exposures(block, draws, NUMPY, n_lags=n_lags, axes=1)
                    before = np.log(self.exposure[block.edges])
                    term[block.edges - start] = log_exposure - before[:, np.newaxis]
        return term


def _data(given: LaggedDelivery, number: int) -> LaggedDelivery:
    """Return delivery as data of the model in context, which can be exchanged without compiling."""
    return LaggedDelivery(
        given.edges,
        pm.Data(f"delivery_lags_{number}", given.lags),
        pm.Data(f"delivery_place_{number}", given.place),
        pm.Data(f"delivery_place_lags_{number}", given.place_lags),
    )


def transform_term(data: AggregateData, spec: ModelSpec) -> TransformTerm | None:
    """Return the factor of learned transforms, or None where a spec learns none.

    Parameters
    ----------
    data : AggregateData
        Exposures at the fixed values, and the delivery that they are made of.
    spec : ModelSpec
        The model.
    """
    learned = learned_of(spec)
    if not learned.parameters:
        return None
    if len(data.delivery) != len(learned.transforms):
        raise ValueError(
            f"the spec {spec.name!r} learns {len(learned.transforms)} transforms, and the data "
            f"hold delivery of {len(data.delivery)}: read them with this spec"
        )
    curves = tuple(transform.curve for transform in learned.transforms)
    return TransformTerm(names.TRANSFORM, data.exposure.data, curves, data.delivery)


def learned_of(spec: ModelSpec) -> Learned:
    """Return what a spec leaves to be learned of its transforms; nothing where it has none."""
    return Learned((), ()) if spec.exposure is None else spec.exposure.learned


def add_transform_parameters(spec: ModelSpec) -> None:
    """Add the unknown parameters of transforms to the PyMC model in context, where there are any.

    Those with one distribution are one vector, such as ``transform_Beta``; all of them, in the
    order of the spec, are ``transform`` over ``transform_parameter``.
    """
    parameters = learned_of(spec).parameters
    if not parameters:
        return
    by_law: dict[str, list[int]] = defaultdict(list)
    for at, parameter in enumerate(parameters):
        by_law[parameter.prior.dist].append(at)
    parts, order = [], []
    for law, positions in by_law.items():
        settings = {
            key: pm.Data(
                f"{names.TRANSFORM}_{law}_{key}",
                np.array([parameters[at].prior.parameters[key] for at in positions]),
            )
            for key in parameters[positions[0]].prior.parameters
        }
        parts.append(getattr(pm, law)(transform_part(law), shape=len(positions), **settings))
        order += positions
    joined = pt.concatenate(parts) if len(parts) > 1 else parts[0]
    pm.Deterministic(names.TRANSFORM, joined[np.argsort(order)], dims=names.TRANSFORM_PARAMETER)


def transform_part(law: str) -> str:
    """Return the name of the vector of unknown parameters with one prior distribution."""
    return f"{names.TRANSFORM}_{law}"
