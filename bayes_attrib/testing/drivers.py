"""Which prior is behind a failure, and how its line in the spec reads now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from bayes_attrib.inference import PriorDraws
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model import resolve_priors
from bayes_attrib.spec import PriorSpec


@dataclass(frozen=True, slots=True)
class Driver:
    """The parameter that an outcome goes with most.

    Attributes
    ----------
    name : str
        Name of the parameter.
    correlation : float
        Absolute rank correlation over draws.
    prior : PriorSpec or None
        Its prior; None for a parameter of a model of one's own.
    """

    name: str
    correlation: float
    prior: PriorSpec | None

    @property
    def words(self) -> str:
        """The finding as a line of a message."""
        return (
            f"of all scalar parameters, {self.name!r} goes with it most (rank correlation "
            f"{self.correlation:.2f})"
        )

    @property
    def remedy(self) -> str:
        """What to tighten, with the line of the spec that stands now."""
        if self.prior is None:
            return f"tighten the prior of {self.name!r} in your model"
        settings = "".join(f", {key} = {value:g}" for key, value in self.prior.parameters.items())
        return (
            f"tighten the prior of {self.name!r} under [priors] of the spec; it is now "
            f'{self.name} = {{ dist = "{self.prior.dist}"{settings} }}'
        )


def find_driver(prior: PriorDraws, outcome: FloatArray) -> Driver | None:
    """Find the scalar parameter that an outcome goes with most over prior draws.

    Parameters
    ----------
    prior : PriorDraws
        Draws.
    outcome : ndarray, shape (n_draws,)
        What went wrong in each draw, as a number.

    Returns
    -------
    Driver or None
        Rank correlations are with the parameter and with its distance from its median, whichever
        is stronger: an outcome may belong to both tails. None where nothing varies.
    """
    if np.ptp(outcome) == 0:
        return None
    strengths = {
        name: _association(prior.draws(name), outcome)
        for name in prior.variables
        if prior.draws(name).ndim == 1 and np.ptp(prior.draws(name)) > 0
    }
    if not strengths:
        return None
    name = max(strengths, key=lambda key: strengths[key])
    return Driver(name, strengths[name], resolve_priors(prior.spec, prior.data).get(name))


def remedy_of(driver: Driver | None, otherwise: str) -> tuple[tuple[str, ...], str]:
    """Return the lines about a driver and its remedy; another remedy where there is none."""
    return ((), otherwise) if driver is None else ((driver.words,), driver.remedy)


def _association(parameter: FloatArray, outcome: FloatArray) -> float:
    distance = np.abs(stats.rankdata(parameter) - (len(parameter) + 1) / 2)
    found = (stats.spearmanr(values, outcome).statistic for values in (parameter, distance))
    return max(abs(float(value)) for value in found)
