"""Joint density of field and hyperparameters, in coordinates without funnels.

The sd of a block of effects that the totals say little about is a coordinate itself, and its sign
does not matter: effects are sd times standard normals, so the density is smooth and even through
zero, where the logarithm of the sd would have an endless tail. Of a block that the totals tell
well, the effects themselves are coordinates, in units of a typical sd, and so is the logarithm of
the sd (Papaspiliopoulos, Roberts and Skold 2007, Statistical Science 22, compare the two).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from scipy.special import expit, log_expit

from bayes_attrib.inference.laplace.posterior import Posterior
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.latent_field import Block, LatentField

WELL_TOLD = 0.5
"""Effects are coordinates themselves where totals take away this fraction of their variance."""

_STEP = 1e-4
"""Step of the differences that give slopes by single parameters."""


class Scale(Enum):
    """What the coordinate of a hyperparameter is."""

    ITSELF = "itself"
    LOGARITHM = "logarithm"
    LOGIT = "logit"


@dataclass(frozen=True, eq=False)
class Place:
    """Positions, with the log density there and its slopes; a column each.

    Attributes
    ----------
    u : ndarray, shape (size, n_columns)
        Coordinates of the field.
    t : ndarray, shape (n_hyperparameters, n_columns)
        Coordinates of the hyperparameters.
    height : ndarray, shape (n_columns,)
        Log density of the coordinates, but for a constant.
    slope_u, slope_t : ndarray
        Its derivatives, in the shapes of ``u`` and ``t``.
    """

    u: FloatArray
    t: FloatArray
    height: FloatArray
    slope_u: FloatArray
    slope_t: FloatArray

    def where(self, chosen: Any, other: Place) -> Place:
        """Return this place in the chosen columns, and another one in the rest."""
        return Place(
            np.where(chosen, self.u, other.u),
            np.where(chosen, self.t, other.t),
            np.where(chosen, self.height, other.height),
            np.where(chosen, self.slope_u, other.slope_u),
            np.where(chosen, self.slope_t, other.slope_t),
        )


class JointDensity:
    """Log density of field and hyperparameters, for many draws at a time.

    Parameters
    ----------
    posterior : Posterior
        What is drawn from.
    centre : ndarray, shape (n_hyperparameters,)
        Typical hyperparameters, on the transformed scale: the unit of effects that are well told.
    told : sequence of float
        The fraction of its prior variance that the totals take away from each block of the field.
    """

    def __init__(self, posterior: Posterior, centre: FloatArray, told: list[float]) -> None:
        self.posterior = posterior
        hyper = posterior.hyper
        self._unit = np.exp(centre)
        self._scales = [Scale.LOGIT if unit else Scale.LOGARITHM for unit in hyper.in_unit]
        self._at: list[tuple[Block, int | None]] = []
        for block, fraction in zip(posterior.field.blocks, told, strict=True):
            at = hyper.names.index(block.sd) if isinstance(block.sd, str) else None
            self._at.append((block, at))
            if at is not None and fraction < WELL_TOLD:
                self._scales[at] = Scale.ITSELF

    @property
    def field(self) -> LatentField:
        """The latent field."""
        return self.posterior.field

    def coordinates(self, x: FloatArray, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return coordinates of standard normals and of hyperparameters on the transformed scale.

        Parameters
        ----------
        x : ndarray, shape (size, n_columns)
        points : ndarray, shape (n_hyperparameters, n_columns)
        """
        t = np.array(points)
        for i, scale in enumerate(self._scales):
            if scale is Scale.ITSELF:
                t[i] = np.exp(points[i])
        u = np.array(x)
        for span, factor in self._factors(t):
            u[span] /= factor
        return u, t

    def values(self, t: FloatArray) -> dict[str, FloatArray]:
        """Return hyperparameters by name, each of shape (n_columns,), at coordinates."""
        return {n: np.abs(v) for n, v in self._signed_values(t).items()}

    def effects(self, u: FloatArray, t: FloatArray) -> FloatArray:
        """Return all effects of the field, shape (size, n_columns), at coordinates."""
        return self._effects(self._standard(u, t), self._signed_values(t))

    def __call__(self, u: FloatArray, t: FloatArray) -> Place:
        """Return log density and slopes at coordinates; minus infinity where they overflow."""
        with np.errstate(all="ignore"):
            return self._look(u, t)

    def _look(self, u: FloatArray, t: FloatArray) -> Place:
        posterior, values = self.posterior, self._signed_values(t)
        x = self._standard(u, t)
        noise = {name: values[name] for name in posterior.family.parameters}
        target = posterior.target_of(noise)
        found = target.expectations_of(self._effects(x, values))
        likelihood = target.log_likelihood(found)
        height = likelihood - 0.5 * np.einsum("ij,ij->j", x, x)
        height += sum(self._log_prior(i, row) for i, row in enumerate(t))
        slope_u = target.slope_by_effects(found)
        slope_t = np.array([self._prior_slope(i, row) for i, row in enumerate(t)])
        for name in posterior.family.parameters:
            i = posterior.hyper.names.index(name)
            aside = noise | {name: self._value(i, t[i] + _STEP)}
            # One side will do: any function of the place leaves trajectories reversible.
            slope_t[i] += (posterior.target_of(aside).log_likelihood(found) - likelihood) / _STEP
        factors = {(span.start, span.stop): factor for span, factor in self._factors(t)}
        for block, at in self._at:
            span, sd = block.span, values[block.sd] if isinstance(block.sd, str) else block.sd
            if at is not None and self._scales[at] is Scale.ITSELF:
                slope_t[at] += np.einsum("ij,ij->j", slope_u[span], x[span])
            slope_u[span] *= sd
            slope_u[span] -= x[span]
            if at is not None and self._scales[at] is Scale.LOGARITHM:
                # Effects stay where they are while their sd moves: only their prior changes.
                slope_t[at] += np.einsum("ij,ij->j", x[span], x[span]) - block.size
                height = height - block.size * t[at]
                slope_u[span] *= factors[span.start, span.stop]
        height = np.where(np.isfinite(height), height, -np.inf)
        return Place(u, t, height, _finite(slope_u), _finite(slope_t))

    def _factors(self, t: FloatArray) -> list[tuple[slice, FloatArray]]:
        """Return what standard normals are of the coordinates, where these are the effects."""
        return [
            (block.span, self._unit[at] / np.exp(t[at]))
            for block, at in self._at
            if at is not None and self._scales[at] is Scale.LOGARITHM
        ]

    def _standard(self, u: FloatArray, t: FloatArray) -> FloatArray:
        factors = self._factors(t)
        x = np.array(u) if factors else u
        for span, factor in factors:
            x[span] *= factor
        return x

    def _effects(self, x: FloatArray, values: Mapping[str, FloatArray]) -> FloatArray:
        effects = self.field.centre(x)
        for block, _ in self._at:
            effects[block.span] *= values[block.sd] if isinstance(block.sd, str) else block.sd
            if block.mean:
                effects[block.span] += block.mean
        return effects

    def _signed_values(self, t: FloatArray) -> dict[str, FloatArray]:
        hyper = self.posterior.hyper
        return {name: self._value(i, t[i]) for i, name in enumerate(hyper.names)}

    def _value(self, i: int, row: FloatArray) -> FloatArray:
        scale = self._scales[i]
        if scale is Scale.ITSELF:
            return row
        return np.asarray(expit(row) if scale is Scale.LOGIT else np.exp(row))

    def _log_prior(self, i: int, row: FloatArray) -> FloatArray:
        """Return the log prior density of a coordinate; one that is folded has both halves."""
        law, scale = self.posterior.hyper.laws[i], self._scales[i]
        density = law.logpdf(np.abs(self._value(i, row)))
        if scale is Scale.LOGIT:
            density = density + log_expit(row) + log_expit(-row)
        return np.asarray(density + row if scale is Scale.LOGARITHM else density)

    def _prior_slope(self, i: int, row: FloatArray) -> FloatArray:
        up, down = self._log_prior(i, row + _STEP), self._log_prior(i, row - _STEP)
        return (up - down) / (2 * _STEP)


def _finite(values: FloatArray) -> FloatArray:
    """Return slopes that can be gone along, also where the density overflows."""
    return np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
