"""New totals from the fit of a finished run, for reports to hold the observed ones against."""

from __future__ import annotations

from typing import Final

import numpy as np

from bayes_attrib.inference.total_draws import TotalDraws, total_draws
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.run_draws import RunDraws

_STREAM: Final = 11
"""Apart from the streams of sampling, allocation and checks, so that each can be made again."""


def replicate_totals(source: RunDraws, *, most: int) -> tuple[TotalDraws, FloatArray]:
    """Draw new totals from the fit; the same run and number of draws give the same ones.

    Parameters
    ----------
    source : RunDraws
        Fit and data.
    most : int
        Every k-th draw is taken, so that at most so many remain, or a few more.

    Returns
    -------
    totals : TotalDraws
        Expectations and noise of the draws that were taken.
    new : ndarray, shape (n_exposed, n_draws)
        One new total per exposed aggregate and draw, in the unit of the totals.
    """
    run = source.run
    totals = total_draws(source.fit, source.data, run.spec, most=most)
    rng = np.random.default_rng([run.manifest.seed, _STREAM])
    return totals, totals.family.draw_totals(totals.mu, totals.noise, rng)
