"""Kinds of saturation with fixed parameters, as a spec or a fitted mix model names them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from bayes_attrib.exposure.checks import require_delivery, require_positive
from bayes_attrib.exposure.saturation import hill, logistic, michaelis_menten, root, tanh

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Saturation(ABC):
    """Curve from delivery to response, with fixed and positive parameters.

    Attributes
    ----------
    kind : str
        Name in the registry :data:`SATURATIONS`.
    """

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        for field in fields(self):
            require_positive(getattr(self, field.name), name=field.name)

    @abstractmethod
    def of(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return saturated delivery, of the shape of ``delivery``; nothing is worth nothing."""

    @abstractmethod
    def derivative(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return the derivative of the curve; it may be infinite where delivery is 0."""


@dataclass(frozen=True)
class HillSaturation(Saturation):
    """Hill curve.

    Attributes
    ----------
    half_saturation : float
        Delivery at which the curve reaches one half, in the unit of scaled delivery.
    slope : float
        Steepness; above 1 the curve is S-shaped.

    See Also
    --------
    bayes_attrib.exposure.hill : The formula.
    """

    kind: ClassVar[str] = "hill"

    half_saturation: float
    slope: float

    def of(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return saturated delivery, of the shape of ``delivery``; nothing is worth nothing."""
        return hill(delivery, self.half_saturation, self.slope)

    def derivative(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return the derivative of the curve; it may be infinite where delivery is 0."""
        x = require_delivery(delivery, name="delivery")
        risen = hill(x, self.half_saturation, self.slope)
        inner = self.slope * risen * (1.0 - risen) / np.where(x > 0, x, 1.0)
        at_zero = {-1: np.inf, 0: 1.0 / self.half_saturation, 1: 0.0}[int(np.sign(self.slope - 1))]
        return np.where(x > 0, inner, at_zero)


@dataclass(frozen=True)
class LogisticSaturation(Saturation):
    """Logistic curve.

    Attributes
    ----------
    steepness : float
        Speed of saturation, per unit of scaled delivery.

    See Also
    --------
    bayes_attrib.exposure.logistic : The formula.
    """

    kind: ClassVar[str] = "logistic"

    steepness: float

    def of(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return saturated delivery, of the shape of ``delivery``; nothing is worth nothing."""
        return logistic(delivery, self.steepness)

    def derivative(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return the derivative of the curve; it may be infinite where delivery is 0."""
        half = 0.5 * self.steepness
        return np.asarray(half / np.cosh(half * require_delivery(delivery, name="delivery")) ** 2)


@dataclass(frozen=True)
class TanhSaturation(Saturation):
    """Hyperbolic tangent.

    Attributes
    ----------
    ceiling : float
        Value that is never exceeded.
    cost : float
        Scaled delivery per unit of response where delivery is small.

    See Also
    --------
    bayes_attrib.exposure.tanh : The formula.
    """

    kind: ClassVar[str] = "tanh"

    ceiling: float
    cost: float

    def of(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return saturated delivery, of the shape of ``delivery``; nothing is worth nothing."""
        return tanh(delivery, self.ceiling, self.cost)

    def derivative(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return the derivative of the curve; it may be infinite where delivery is 0."""
        scaled = require_delivery(delivery, name="delivery") / (self.ceiling * self.cost)
        return np.asarray(1.0 / (self.cost * np.cosh(scaled) ** 2))


@dataclass(frozen=True)
class MichaelisMentenSaturation(Saturation):
    """Michaelis-Menten curve.

    Attributes
    ----------
    half_saturation : float
        Delivery at which half of the ceiling is reached, in the unit of scaled delivery.
    ceiling : float
        Value that is never exceeded.

    See Also
    --------
    bayes_attrib.exposure.michaelis_menten : The formula.
    """

    kind: ClassVar[str] = "michaelis_menten"

    half_saturation: float
    ceiling: float = 1.0

    def of(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return saturated delivery, of the shape of ``delivery``; nothing is worth nothing."""
        return michaelis_menten(delivery, self.half_saturation, self.ceiling)

    def derivative(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return the derivative of the curve; it may be infinite where delivery is 0."""
        x = require_delivery(delivery, name="delivery")
        return np.asarray(self.ceiling * self.half_saturation / (self.half_saturation + x) ** 2)


@dataclass(frozen=True)
class RootSaturation(Saturation):
    """Power of delivery.

    Attributes
    ----------
    exponent : float
        Below 1 for a curve that flattens; .5 is the square root.

    See Also
    --------
    bayes_attrib.exposure.root : The formula.
    """

    kind: ClassVar[str] = "root"

    exponent: float

    def of(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return saturated delivery, of the shape of ``delivery``; nothing is worth nothing."""
        return root(delivery, self.exponent)

    def derivative(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return the derivative of the curve; it may be infinite where delivery is 0."""
        x = require_delivery(delivery, name="delivery")
        with np.errstate(divide="ignore"):
            return np.asarray(self.exponent * x ** (self.exponent - 1.0))


@dataclass(frozen=True)
class NoSaturation(Saturation):
    """Response in proportion to delivery."""

    kind: ClassVar[str] = "none"

    def of(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return saturated delivery, of the shape of ``delivery``; nothing is worth nothing."""
        return require_delivery(delivery, name="delivery")

    def derivative(self, delivery: npt.ArrayLike) -> FloatArray:
        """Return the derivative of the curve; it may be infinite where delivery is 0."""
        return np.ones_like(require_delivery(delivery, name="delivery"))


SATURATIONS: Final = MappingProxyType(
    {
        cls.kind: cls
        for cls in (
            HillSaturation,
            LogisticSaturation,
            TanhSaturation,
            MichaelisMentenSaturation,
            RootSaturation,
            NoSaturation,
        )
    }
)
