"""A model's log density over the vector of its unconstrained parameters, compiled once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pymc as pm
from pymc.blocking import DictToArrayBijection
from pytensor.configdefaults import config as pytensor_config

from bayes_attrib.errors import FitError
from bayes_attrib.inputs.aggregate_data import FloatArray


class Target:
    """Log density of data and unconstrained parameters, with its gradient.

    Parameters
    ----------
    model : pymc.Model
        A model whose unknowns are all continuous.

    Attributes
    ----------
    start : ndarray, shape (n_elements,)
        The model's own starting point.

    Raises
    ------
    FitError
        If an unknown is discrete, or the density at the start is not finite.
    """

    def __init__(self, model: pm.Model) -> None:
        require_continuous(model)
        self.start: FloatArray = DictToArrayBijection.map(model.initial_point()).data
        with reproducible_kernels():
            self._function = model.logp_dlogp_function(ravel_inputs=True)
            self._function.set_extra_values({})
            value, gradient = self(self.start)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            raise FitError(
                "the log density is not finite at the model's starting point; look for totals that "
                "the model holds impossible, or for priors that do not fit the data"
            )

    @property
    def n_elements(self) -> int:
        """Number of unconstrained parameters."""
        return len(self.start)

    def __call__(self, point: FloatArray) -> tuple[float, FloatArray]:
        """Return the log density and its gradient at a point, shape (n_elements,)."""
        value, gradient = self._function(point)
        return float(value), np.asarray(gradient)


@contextmanager
def reproducible_kernels() -> Iterator[None]:
    """Keep the compiler from reordering sums: fresh and cached kernels then agree."""
    with pytensor_config.change_flags(numba__fastmath=False):
        yield


def require_continuous(model: pm.Model) -> None:
    """Refuse models with discrete unknowns.

    Raises
    ------
    FitError
        If an unknown is discrete.
    """
    discrete = [variable.name for variable in model.discrete_value_vars]
    if discrete:
        raise FitError(
            f"a normal law cannot stand for the discrete unknowns {', '.join(discrete)}; "
            "choose method 'nuts'"
        )
