"""The posterior of field and hyperparameters, and what can be asked of it at a point."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayes_attrib import names
from bayes_attrib.inference.laplace.elimination import MOST_COMMON, EliminationSolver, Known
from bayes_attrib.inference.laplace.expectations import FieldTarget, Linearised
from bayes_attrib.inference.laplace.hyperparameters import Hyperparameters
from bayes_attrib.inference.laplace.mode import Mode, find_mode
from bayes_attrib.inference.laplace.residuals import Residuals
from bayes_attrib.inference.laplace.solvers import (
    FieldSideSolver,
    IterativeSolver,
    TotalsSideSolver,
    exact_solver,
    is_exact,
)
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.families import Family
from bayes_attrib.model.latent_field import LatentField

_NEAR_ENOUGH = 1e-9
"""Gain per element at which an iterative climb stops, over all elements together."""

ExactMode = Mode[FieldSideSolver | TotalsSideSolver]
IterativeMode = Mode[IterativeSolver | EliminationSolver]


@dataclass
class Effort:
    """What the climbs to modes took, and whether they arrived.

    Attributes
    ----------
    climbs, failures, steps : int
        Modes looked for, those not found, and steps over all of them.
    residuals : Residuals
        Quality of iterative solutions.
    """

    climbs: int = 0
    failures: int = 0
    steps: int = 0
    residuals: Residuals = dataclasses.field(default_factory=Residuals)


@dataclass(frozen=True, eq=False)
class Posterior:
    """The joint posterior that is approximated.

    Attributes
    ----------
    field : LatentField
        Field, totals and exposures.
    family : Family
        Noise of the totals.
    hyper : Hyperparameters
        Their priors and transformations.
    effort : Effort
        Counts what was done.
    known : Known
        What the last iterative solver found, for the next one to begin with.
    """

    field: LatentField
    family: Family
    hyper: Hyperparameters
    effort: Effort = dataclasses.field(default_factory=Effort)
    known: Known = dataclasses.field(default_factory=Known)

    @property
    def exact(self) -> bool:
        """Whether solutions and determinants are exact."""
        return is_exact(self.field.n_aggregates, self.field.size)

    def target(self, point: FloatArray) -> FieldTarget:
        """Return the density of the field given hyperparameters, shape (n,)."""
        values = self.hyper.values(point)
        noise = {name: values[name] for name in self.family.parameters}
        return FieldTarget(self.field, self.family, self.field.scale(values), noise)

    def target_of(self, noise: Mapping[str, FloatArray]) -> FieldTarget:
        """Return the likelihood of effects, given the family's parameters in every draw."""
        return FieldTarget(self.field, self.family, np.ones(self.field.size), noise)

    def exact_mode(self, point: FloatArray, start: FloatArray | None = None) -> ExactMode:
        """Return the mode of the field given hyperparameters, with an exact solver."""
        return self._note(find_mode(self.target(point), self._start(start), exact_solver))

    def iterative_mode(self, point: FloatArray, start: FloatArray | None = None) -> IterativeMode:
        """Return the mode of the field given hyperparameters, with an iterative solver."""
        near = _NEAR_ENOUGH * self.field.size
        start = self._start(start)
        return self._note(find_mode(self.target(point), start, self._iterative_solver, near))

    def _iterative_solver(self, linearised: Linearised) -> IterativeSolver | EliminationSolver:
        field = self.field
        if field.n_coarse <= MOST_COMMON and field.n_aggregates < field.size:
            return EliminationSolver(linearised, self.effort.residuals, self.known)
        return IterativeSolver(linearised, self.effort.residuals)

    def rescaled(self, x: FloatArray, known: FloatArray, wanted: FloatArray) -> FloatArray:
        """Guess a mode from another: effects of groups stay, those of entities shrink as their sd.

        Groups of many entities are told by the totals, entities by their prior for the most part.
        """
        before, after = (self.field.scale(self.hyper.values(p)) for p in (known, wanted))
        ratio = before / after
        own = self.field.blocks[-1].span
        ratio[own] = 1.0 / ratio[own]
        return np.asarray(x * ratio[:, np.newaxis])

    def log_marginal(self, point: FloatArray, mode: ExactMode) -> float:
        """Log density of totals and hyperparameters by Laplace's method, at a point.

        log p(y | x, t) + log p(x) at the mode, less half the log determinant of the precision, plus
        the log prior density of the hyperparameters t on the transformed scale.
        """
        return mode.log_joint - 0.5 * mode.solver.log_det + self.hyper.log_prior(point)

    def _start(self, start: FloatArray | None) -> FloatArray:
        return np.zeros((self.field.size, 1)) if start is None else start

    def _note[M: Mode](self, mode: M) -> M:  # type: ignore[type-arg]
        self.effort.climbs += 1
        self.effort.failures += not mode.converged
        self.effort.steps += mode.steps
        return mode


def sigma_of_entities(hyper: Hyperparameters) -> int:
    """Return the position of ``sigma_entity`` among the hyperparameters."""
    return hyper.names.index(names.SIGMA_ENTITY)
