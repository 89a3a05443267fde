"""Delivery of the last periods before each exposure, and the exposures that curves make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bayes_attrib.exposure.adstock_kinds import NoAdstock
from bayes_attrib.exposure.channel_transform import ChannelTransform
from bayes_attrib.exposure.curve_math import (
    Functions,
    LearnableAdstock,
    learned_weights,
    log_curve,
)

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LaggedDelivery:
    """What is carried over into the exposures that one curve makes.

    Attributes
    ----------
    edges : ndarray of int, shape (n_exposures,)
        Which stored exposures they are; increasing.
    lags : ndarray of float, shape (n_exposures, n_lags)
        Scaled delivery of the entity l periods before, l = 0, 1, ...
    place : ndarray of int, shape (n_exposures,)
        Row of ``place_lags`` of each: the channel in the aggregate.
    place_lags : ndarray of float, shape (n_places, n_lags)
        The same of all entities of the channel together.
    """

    edges: IntArray
    lags: FloatArray
    place: IntArray
    place_lags: FloatArray

    def moved(self, position: IntArray) -> LaggedDelivery:
        """Return the same for exposures in another order, given the new position of each."""
        edges = position[self.edges]
        order = np.argsort(edges)
        return LaggedDelivery(edges[order], self.lags[order], self.place[order], self.place_lags)

    def within(self, edges: slice) -> LaggedDelivery:
        """Return the part that is about some consecutive exposures."""
        first, last = np.searchsorted(self.edges, [edges.start, edges.stop])
        part = slice(int(first), int(last))
        return self._with(self.edges[part], part)

    def kept(self, is_kept: npt.NDArray[np.bool_]) -> LaggedDelivery:
        """Return the part about the stored exposures that are kept, counted anew."""
        part = np.flatnonzero(is_kept[self.edges])
        return self._with((np.cumsum(is_kept) - 1)[self.edges[part]], part)

    def _with(self, edges: IntArray, part: slice | IntArray) -> LaggedDelivery:
        used, place = np.unique(self.place[part], return_inverse=True)
        return LaggedDelivery(
            edges.astype(np.int64),
            self.lags[part],
            place.astype(np.int64),
            self.place_lags[used],
        )


@dataclass(frozen=True)
class Curve:
    """A transform some of whose parameters are unknown.

    Attributes
    ----------
    transform : ChannelTransform
        Kinds, and the value of every parameter that is known.
    unknowns : tuple of (str, int)
        Names of the parameters that are unknown, each with its position among all unknowns.
    own : bool
        Whether entities saturate by themselves (``"own_curve"``).
    """

    transform: ChannelTransform
    unknowns: tuple[tuple[str, int], ...]
    own: bool

    def parameters(self, part: object, unknown: Any) -> dict[str, Any]:
        """Return the parameters of the adstock or the saturation, unknown ones from a vector."""
        # PyTensor takes a bare Python number for one of fewer bits
        found = {name: np.float64(value) for name, value in vars(part).items() if _is_number(value)}
        return found | {name: unknown[at] for name, at in self.unknowns if name in found}

    def weights(self, unknown: Any, functions: Functions, n_lags: int, axes: int) -> Any:
        """Return weights of the lags that there is delivery of, shape (n_lags, ...)."""
        adstock = self.transform.adstock
        learned = any(name in vars(adstock) for name, _ in self.unknowns)
        if isinstance(adstock, NoAdstock) or not learned:
            fixed = adstock.weights()[:n_lags]
            return fixed.reshape(-1, *[1] * axes)
        if not isinstance(adstock, LearnableAdstock):
            raise TypeError(f"adstock {adstock.kind!r} has no formula for what is learned")
        parameters = self.parameters(adstock, unknown)
        return learned_weights(adstock, parameters, functions, n_draw_axes=axes)[:n_lags]

    def log_exposures(
        self,
        delivery: Any,
        unknown: Any,
        functions: Functions,
        *,
        n_lags: int,
        axes: int = 0,
    ) -> Any:
        """Return the logarithms of exposures.

        Parameters
        ----------
        delivery : LaggedDelivery
            What is carried over; its arrays may be variables of a graph.
        unknown : array, shape (n_unknowns,) or (n_unknowns, n_draws)
            Values of all unknown parameters of a spec.
        functions : Functions
            What to compute with.
        n_lags : int
            Number of lags in ``delivery``.
        axes : {0, 1}
            Whether there is an axis of draws.

        Returns
        -------
        array, shape (n_exposures,) or (n_exposures, n_draws)
            As :func:`bayes_attrib.exposure.build_exposures` defines them.
        """
        weights = self.weights(unknown, functions, n_lags, axes)
        if not self.transform.saturation_first:
            carried = functions.carried(delivery.lags, weights)
            if self.own:
                return self._log_curve(carried, unknown, functions)
            total = functions.carried(delivery.place_lags, weights)
            ratio = self._log_curve(total, unknown, functions) - functions.log(total)
            return functions.log(carried) + ratio[delivery.place]
        return functions.log((self._saturated(delivery, unknown, functions, axes) * weights).sum(1))

    def _log_curve(self, delivery: Any, unknown: Any, functions: Functions) -> Any:
        saturation = self.transform.saturation
        return log_curve(saturation.kind, delivery, self.parameters(saturation, unknown), functions)

    def _saturated(self, delivery: Any, unknown: Any, functions: Functions, axes: int) -> Any:
        """Return the saturated delivery of every lag, shape (n_exposures, n_lags, ...)."""
        lags, totals = _padded(delivery.lags, axes), _padded(delivery.place_lags, axes)
        if self.own:
            curve = functions.exp(self._log_curve(_positive(lags), unknown, functions))
            return curve * (lags > 0)
        positive = _positive(totals)
        curve = self._log_curve(positive, unknown, functions)
        return lags * functions.exp(curve - functions.log(positive))[delivery.place]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _padded(lags: Any, axes: int) -> Any:
    return lags[..., None] if axes else lags


def _positive(delivery: Any) -> Any:
    """Replace zeros by ones: what comes of them is multiplied by zero."""
    return delivery + (delivery <= 0)
