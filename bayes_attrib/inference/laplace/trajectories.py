"""Hamiltonian trajectories of many draws at a time, around a normal law that is near the target.

The normal law is followed exactly, as a rotation; steps only have to follow what the target is
beyond it (Shahbaba, Lan, Johnson and Neal 2014, Statistics and Computing 24, split the energy so).
Velocities stand for momenta: they have the covariance of the normal law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from bayes_attrib.inference.laplace.conditional import noise_of_precision
from bayes_attrib.inference.laplace.joint import JointDensity, Place
from bayes_attrib.inference.laplace.posterior import ExactMode
from bayes_attrib.inputs.aggregate_data import FloatArray

ACCEPTANCE = 0.8
"""Mean probability of acceptance that steps are tuned to."""

_ANGLE = math.pi / 2
"""Mean length of a trajectory; that of a quarter turn forgets where it began, in a normal law."""

_LONGEST_STEP = 1.0


@dataclass(frozen=True, eq=False)
class NormalLaw:
    """The normal law that trajectories turn around; field and hyperparameters are independent.

    Attributes
    ----------
    mode : Mode
        Gives the precision of the field.
    mean_u : ndarray, shape (size, 1)
        Mean of the field.
    mean_t, root_t : ndarray, shape (n, 1) and (n, n)
        Mean of the coordinates of the hyperparameters, and a root of their covariance.
    """

    mode: ExactMode
    mean_u: FloatArray
    mean_t: FloatArray
    root_t: FloatArray

    def fitted_to(self, t: FloatArray) -> NormalLaw:
        """Return the law with mean and covariance of the coordinates that draws have."""
        covariance = np.atleast_2d(np.cov(t))
        covariance += 1e-6 * np.diag(np.diag(covariance)) + 1e-12 * np.eye(len(t))
        mean = t.mean(axis=1, keepdims=True)
        root = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
        return NormalLaw(self.mode, self.mean_u, mean, root)

    def velocities(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw velocities of field and hyperparameters."""
        v, _ = noise_of_precision(self.mode, n, rng)
        return v, self.root_t @ rng.standard_normal((len(self.root_t), n))

    def kinetic(self, v: FloatArray, w: FloatArray) -> FloatArray:
        """Return kinetic energies, shape (n_columns,)."""
        turned = self.mode.linearised.forward(v)
        standard = np.linalg.solve(self.root_t, w)
        squares = [np.einsum("ij,ij->j", a, a) for a in (v, turned, standard)]
        return np.asarray(0.5 * sum(squares))

    def pull(self, place: Place) -> tuple[FloatArray, FloatArray]:
        """Return the accelerations by what the target's slope is beyond that of the law."""
        of_field = self.mode.solver.solve(place.slope_u)
        of_field += place.u
        of_field -= self.mean_u
        of_hyper = self.root_t @ (self.root_t.T @ place.slope_t)
        return of_field, of_hyper + place.t - self.mean_t


@dataclass(frozen=True, slots=True)
class Travel:
    """Length of a step, and what became of the last trajectory.

    Attributes
    ----------
    step : float
        Length of the next steps, in turns of the normal law (radians).
    accepted : float
        Mean probability of acceptance.
    looks : int
        Number of places looked at so far.
    """

    step: float
    accepted: float = math.nan
    looks: int = 0


def travel(
    density: JointDensity,
    law: NormalLaw,
    place: Place,
    before: Travel,
    rng: np.random.Generator,
    *,
    tune: bool,
) -> tuple[Place, Travel]:
    """Move every column along a trajectory, or leave it, so that the density stays what it is.

    Parameters
    ----------
    density : JointDensity
        The target.
    law : NormalLaw
        What trajectories turn around.
    place : Place
        Where they begin.
    before : Travel
        Length of the steps, and looks so far.
    rng : numpy.random.Generator
        Source of randomness.
    tune : bool
        Whether the step is changed afterwards, towards the acceptance that is aimed at.

    Returns
    -------
    place : Place
        Where the columns are afterwards.
    travel : Travel
        Steps for the next trajectory.
    """
    v, w = law.velocities(place.u.shape[1], rng)
    energy = law.kinetic(v, w) - place.height
    step = before.step * rng.uniform(0.8, 1.2)
    n_steps = max(1, round(_ANGLE * rng.uniform(0.6, 1.4) / step))
    end = place
    with np.errstate(all="ignore"):  # a trajectory that leaves all numbers is rejected
        pull_u, pull_t = law.pull(end)
        for _ in range(n_steps):
            v, w = v + step / 2 * pull_u, w + step / 2 * pull_t
            u, v = _turned(end.u - law.mean_u, v, step)
            t, w = _turned(end.t - law.mean_t, w, step)
            end = density(u + law.mean_u, t + law.mean_t)
            pull_u, pull_t = law.pull(end)
            v, w = v + step / 2 * pull_u, w + step / 2 * pull_t
        change = energy - (law.kinetic(v, w) - end.height)
    probability = np.exp(np.minimum(0.0, np.nan_to_num(change, nan=-np.inf)))
    moved = end.where(rng.random(len(probability)) < probability, place)
    accepted = float(probability.mean())
    tuned = _tuned(step, accepted) if tune else before.step
    return moved, Travel(tuned, accepted, before.looks + n_steps)


def _turned(a: FloatArray, b: FloatArray, angle: float) -> tuple[FloatArray, FloatArray]:
    cos, sin = math.cos(angle), math.sin(angle)
    return cos * a + sin * b, cos * b - sin * a


def _tuned(step: float, accepted: float) -> float:
    """Return the step at which acceptance should be as aimed at.

    Errors of energy are nearly normal, and their sd grows with the square of the step; an
    acceptance p belongs to the sd -2 z(p / 2) (Neal 2011, Handbook of MCMC, section 5.4.4).
    """
    sds = [float(norm.ppf(min(max(p, 0.01), 0.995) / 2)) for p in (ACCEPTANCE, accepted)]
    change = min(max(math.sqrt(sds[0] / sds[1]), 0.4), 1.6)
    return min(step * change, _LONGEST_STEP)
