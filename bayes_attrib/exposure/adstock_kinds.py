"""Kinds of adstock with fixed parameters, as a spec or a fitted mix model names them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from bayes_attrib.exposure.checks import require_fraction, require_lags
from bayes_attrib.exposure.weights import (
    binomial_weights,
    delayed_weights,
    geometric_weights,
    normalised,
    weibull_cdf_weights,
    weibull_pdf_weights,
)

FloatArray = npt.NDArray[np.float64]

# A carry-over without end is cut at the lag where less than this is left of a unit: adding less
# than that to a number of the size of the unit would not change it.
NEGLIGIBLE: Final = 1e-16
_MOST_LAGS: Final = 1_000_000


class Adstock(ABC):
    """Carry-over of delivery into later periods, with fixed parameters.

    Attributes
    ----------
    kind : str
        Name in the registry :data:`ADSTOCKS`.
    """

    kind: ClassVar[str]

    @abstractmethod
    def weights(self) -> FloatArray:
        """Return the weights of lags 0, 1, ..., shape (n_lags,)."""


@dataclass(frozen=True)
class GeometricAdstock(Adstock):
    """Carry-over that falls by the same factor from one period to the next.

    Attributes
    ----------
    decay : float
        Retained fraction from one period to the next, in [0, 1]; below 1 where there is no end.
    l_max : int or None
        Number of periods in which a unit works, its own included; None carries over without end.
    normalise : bool
        Divide weights by their sum: a unit is worth one unit in the long run.

    See Also
    --------
    bayes_attrib.exposure.geometric_weights : The formula.
    """

    kind: ClassVar[str] = "geometric"

    decay: float
    l_max: int | None = None
    normalise: bool = True

    def __post_init__(self) -> None:
        require_fraction(self.decay, name="decay")
        if self.l_max is not None:
            require_lags(self.l_max)
        elif self._lags_that_matter() > _MOST_LAGS:
            raise ValueError(f"decay is too near 1 to carry over without l_max; got {self.decay!r}")

    def weights(self) -> FloatArray:
        """Return the weights of lags 0, 1, ..., shape (n_lags,)."""
        l_max = int(self._lags_that_matter()) if self.l_max is None else self.l_max
        found = geometric_weights(self.decay, l_max=l_max)
        return normalised(found) if self.normalise else found

    def _lags_that_matter(self) -> float:
        if self.decay in (0, 1):
            return 1.0 if self.decay == 0 else np.inf
        return float(np.ceil(np.log(NEGLIGIBLE) / np.log(self.decay)))


@dataclass(frozen=True)
class BinomialAdstock(Adstock):
    """Carry-over that reaches zero in finite time.

    Attributes
    ----------
    decay : float
        Shape in [0, 1].
    l_max : int
        Number of periods in which a unit works, its own included.
    normalise : bool
        Divide weights by their sum: a unit is worth one unit in the long run.
    horizon : float or None
        Lag at which the weight is zero; None means ``l_max + 1``, as in pymc-marketing. Meridian's
        is ``l_max``.

    See Also
    --------
    bayes_attrib.exposure.binomial_weights : The formula.
    """

    kind: ClassVar[str] = "binomial"

    decay: float
    l_max: int
    normalise: bool = True
    horizon: float | None = None

    def __post_init__(self) -> None:
        self.weights()

    def weights(self) -> FloatArray:
        """Return the weights of lags 0, 1, ..., shape (n_lags,)."""
        found = binomial_weights(self.decay, l_max=self.l_max, horizon=self.horizon)
        return normalised(found) if self.normalise else found


@dataclass(frozen=True)
class DelayedAdstock(Adstock):
    """Carry-over that is largest some periods after delivery.

    Attributes
    ----------
    decay : float
        Retained fraction one period away from the peak, in [0, 1].
    peak : float
        Lag at which a unit works most, in periods, in [0, ``l_max - 1``].
    l_max : int
        Number of periods in which a unit works, its own included.
    normalise : bool
        Divide weights by their sum: a unit is worth one unit in the long run.

    See Also
    --------
    bayes_attrib.exposure.delayed_weights : The formula.
    """

    kind: ClassVar[str] = "delayed"

    decay: float
    peak: float
    l_max: int
    normalise: bool = True

    def __post_init__(self) -> None:
        normalised(delayed_weights(self.decay, self.peak, l_max=self.l_max))

    def weights(self) -> FloatArray:
        """Return the weights of lags 0, 1, ..., shape (n_lags,)."""
        found = delayed_weights(self.decay, self.peak, l_max=self.l_max)
        return normalised(found) if self.normalise else found


@dataclass(frozen=True)
class WeibullPdfAdstock(Adstock):
    """Carry-over in the shape of a Weibull density.

    Attributes
    ----------
    scale : float
        Scale of the distribution, in periods; positive.
    shape : float
        Shape of the distribution; positive.
    l_max : int
        Number of periods in which a unit works, its own included.
    normalise : bool
        Divide weights by their sum: a unit is worth one unit in the long run.

    See Also
    --------
    bayes_attrib.exposure.weibull_pdf_weights : The formula.
    """

    kind: ClassVar[str] = "weibull_pdf"

    scale: float
    shape: float
    l_max: int
    normalise: bool = True

    def __post_init__(self) -> None:
        self.weights()

    def weights(self) -> FloatArray:
        """Return the weights of lags 0, 1, ..., shape (n_lags,)."""
        found = weibull_pdf_weights(self.scale, self.shape, l_max=self.l_max)
        return normalised(found) if self.normalise else found


@dataclass(frozen=True)
class WeibullCdfAdstock(Adstock):
    """Carry-over whose decay changes with age, by Weibull survival.

    Attributes
    ----------
    scale : float
        Scale of the distribution, in periods; positive.
    shape : float
        Shape of the distribution; positive.
    l_max : int
        Number of periods in which a unit works, its own included.
    normalise : bool
        Divide weights by their sum: a unit is worth one unit in the long run.

    See Also
    --------
    bayes_attrib.exposure.weibull_cdf_weights : The formula.
    """

    kind: ClassVar[str] = "weibull_cdf"

    scale: float
    shape: float
    l_max: int
    normalise: bool = True

    def __post_init__(self) -> None:
        self.weights()

    def weights(self) -> FloatArray:
        """Return the weights of lags 0, 1, ..., shape (n_lags,)."""
        found = weibull_cdf_weights(self.scale, self.shape, l_max=self.l_max)
        return normalised(found) if self.normalise else found


@dataclass(frozen=True)
class NoAdstock(Adstock):
    """Delivery works in its own period alone."""

    kind: ClassVar[str] = "none"

    def weights(self) -> FloatArray:
        """Return the weights of lags 0, 1, ..., shape (n_lags,)."""
        return np.ones(1)


ADSTOCKS: Final = MappingProxyType(
    {
        cls.kind: cls
        for cls in (
            GeometricAdstock,
            BinomialAdstock,
            DelayedAdstock,
            WeibullPdfAdstock,
            WeibullCdfAdstock,
            NoAdstock,
        )
    }
)
