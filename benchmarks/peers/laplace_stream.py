"""Nested Laplace approximations where draws of all rates would not fit into memory.

Draws are made a few at a time and kept in a scratch file; then mean, sd and interval of every rate
and of the shares of groups are made from it, as ``laplace.py`` beside this folder does.
"""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
from laplace import INTERVAL, summarise_all

from bayes_attrib.attribution import summarise
from bayes_attrib.inference.laplace import build_posterior, explore
from bayes_attrib.inference.laplace.assembly import FEW_POINTS
from bayes_attrib.inference.laplace.draws import draw_iterative
from peers.measured import Spans, peak_memory
from peers.problem import GROUP, Problem

DRAWS = 400


def laplace_stream(problem: Problem, seed: int) -> dict[str, Any]:
    """Time the approximation with 400 draws and all summaries."""
    data, spans = problem.data, Spans()
    with spans.span("total"), tempfile.TemporaryFile() as file:
        posterior = build_posterior(data, problem.spec)
        density = explore(posterior, seed)
        exposure = np.asarray(data.exposure.sum(axis=0)).ravel()
        indicator = data.groupings[GROUP].indicator
        pieces = []
        for point in draw_iterative(posterior, density, FEW_POINTS, DRAWS, seed):
            rates = np.exp(point.log_rates)
            pieces.append(indicator @ (exposure[:, np.newaxis] * rates))
            file.write(np.ascontiguousarray(rates.T, dtype=np.float32))
        groups = np.hstack(pieces)
        n_rates = summarise_all(file, data.n_entities, groups.shape[1])
        shares = summarise(groups / groups.sum(axis=0), INTERVAL)
    if n_rates != data.n_entities or not np.isfinite(shares.mean).all():
        raise RuntimeError("not everything was summarised")
    return {
        "seconds": spans.seconds,
        "peak_gb": peak_memory(),
        "draws": groups.shape[1],
        "settings": f"{groups.shape[1]} independent draws, all summaries",
    }
