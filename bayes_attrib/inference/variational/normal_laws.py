"""Normal laws over the unconstrained parameters, and the gradient of the evidence bound.

The bound is E[log p(z) - log q(z)] with z = mean + scale @ eps. Its gradient is estimated along the
path of z alone, leaving out the part of log q's own parameters, whose expectation is zero: the
noise of what is left vanishes where q is the posterior (Roeder, Wu and Duvenaud 2017, NeurIPS 30).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from scipy.linalg import solve_triangular

from bayes_attrib.inputs.aggregate_data import FloatArray

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class NormalLaw(ABC):
    """A normal law whose parameters an ascent may change in place.

    Attributes
    ----------
    parameters : list of ndarray
        Mean, logarithms of sds, and whatever else the law has.
    paces : tuple of float
        Length of a step in each of them, beside that in the mean.
    """

    parameters: list[FloatArray]
    paces: tuple[float, ...]

    @abstractmethod
    def draw(self, eps: FloatArray) -> FloatArray:
        """Return the point that standard normal numbers stand for; both of shape (n,)."""

    @abstractmethod
    def gradient(self, eps: FloatArray, slope: FloatArray) -> list[FloatArray]:
        """Estimate the gradient of the bound in the parameters.

        Parameters
        ----------
        eps : ndarray, shape (n,)
            Standard normal numbers.
        slope : ndarray, shape (n,)
            Gradient of log p at the point that they stand for.
        """

    @abstractmethod
    def standardised(self, eps: FloatArray, slope: FloatArray) -> FloatArray:
        """Return the slope of log p - log q, per sd of the law, shape (n,).

        Where the law is as wide as its best, the expectation is the distance in sds by which a
        Newton step would move its mean.
        """

    def log_density(self, eps: FloatArray) -> float:
        """Return log q at the point that standard normal numbers stand for."""
        quadratic = 0.5 * float(eps @ eps)
        return -quadratic - float(self.parameters[1].sum()) - len(eps) * _HALF_LOG_TAU

    def with_parameters(self, parameters: list[FloatArray]) -> Self:
        """Return a law of the same kind."""
        law = type(self).__new__(type(self))
        law.parameters = parameters
        return law


class MeanField(NormalLaw):
    """Independent elements.

    Parameters
    ----------
    mean : ndarray, shape (n,)
        Means.
    sd : float
        One sd for all elements, to start from.
    """

    paces = (1.0, 1.0)

    def __init__(self, mean: FloatArray, sd: float) -> None:
        self.parameters = [mean.copy(), np.full(len(mean), math.log(sd))]

    def draw(self, eps: FloatArray) -> FloatArray:
        """Return mean + sd * eps."""
        mean, log_sd = self.parameters
        return np.asarray(mean + np.exp(log_sd) * eps)

    def gradient(self, eps: FloatArray, slope: FloatArray) -> list[FloatArray]:
        """Return the gradient in means and log sds."""
        sd = np.exp(self.parameters[1])
        along = slope + eps / sd
        return [along, along * sd * eps]

    def standardised(self, eps: FloatArray, slope: FloatArray) -> FloatArray:
        """Return sd * slope + eps."""
        return np.asarray(np.exp(self.parameters[1]) * slope + eps)


class FullRank(NormalLaw):
    """Correlated elements: scale = diag(sd) @ (I + lower), with a strictly lower triangle.

    Parameters
    ----------
    start : MeanField
        Means and sds to start from.
    """

    paces = (1.0, 1.0, 0.1)

    def __init__(self, start: MeanField) -> None:
        mean, log_sd = start.parameters
        self.parameters = [mean.copy(), log_sd.copy(), np.zeros((len(mean), len(mean)))]

    def draw(self, eps: FloatArray) -> FloatArray:
        """Return mean + scale @ eps."""
        mean, log_sd, lower = self.parameters
        return np.asarray(mean + np.exp(log_sd) * (eps + lower @ eps))

    def gradient(self, eps: FloatArray, slope: FloatArray) -> list[FloatArray]:
        """Return the gradient in means, log sds and the lower triangle."""
        _, log_sd, lower = self.parameters
        sd = np.exp(log_sd)
        back = solve_triangular(
            lower, eps, trans="T", lower=True, unit_diagonal=True, check_finite=False
        )
        along = slope + back / sd
        per_sd = along * sd
        return [along, per_sd * (eps + lower @ eps), np.tril(np.outer(per_sd, eps), -1)]

    def standardised(self, eps: FloatArray, slope: FloatArray) -> FloatArray:
        """Return the transpose of scale @ slope, plus eps."""
        _, log_sd, lower = self.parameters
        per_sd = np.exp(log_sd) * slope
        return np.asarray(per_sd + lower.T @ per_sd + eps)
