"""Totals that are the truth with an error of known law, as if measured beside the mix model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEVEL_SD = 0.15
"""Sd of the logarithm of the error that all days have in common."""

DAY_SD = 0.10
"""Sd of the logarithm of the error of a day, beside the common one."""

DAY_CORRELATION = 0.9
"""Correlation of the errors of a day and of the next."""

N_DRAWS = 1000


def draw_known_error(truth: FloatArray, seed: int) -> FloatArray:
    """Draw an estimate of the totals, and draws around it of the same law.

    The estimate is truth exp(e), and its draws are estimate exp(e'), with e and e' independent and
    of one law: an error of level that all days share, and an AR(1) of days. Given the estimate and
    a flat prior of log totals this is the posterior.

    Parameters
    ----------
    truth : ndarray, shape (n_days,)
        True totals.
    seed : int
        Seed of the world.

    Returns
    -------
    ndarray, shape (n_days, 1000)
        Draws of the totals.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 20_250_102]))
    n_days = len(truth)
    error = rng.standard_normal((n_days, N_DRAWS + 1))
    for day in range(1, n_days):
        innovation = np.sqrt(1 - DAY_CORRELATION**2) * error[day]
        error[day] = DAY_CORRELATION * error[day - 1] + innovation
    error = DAY_SD * error + LEVEL_SD * rng.standard_normal(N_DRAWS + 1)
    return np.asarray(truth[:, np.newaxis] * np.exp(error[:, :1] + error[:, 1:]))
