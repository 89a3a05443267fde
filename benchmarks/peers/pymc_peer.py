"""Sampling a PyMC model as users do: ``pm.sample``, which takes nutpie where it is installed."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pymc as pm

from peers.measured import Drawn, Spans, peak_memory, watched_nutpie
from peers.problem import EFFECT, HYPERPARAMETERS, Problem

DRAWS, TUNE, CHAINS = 1000, 1000, 4
"""The defaults of ``pm.sample`` on a machine with four processors or more."""


def sample_peer(problem: Problem, build: Callable[[Problem], pm.Model], seed: int) -> Drawn:
    """Build and sample a model with variables ``rate``, intercept, sds and group effects."""
    logging.getLogger("pymc").setLevel(logging.ERROR)
    spans = Spans()
    with spans.span("total"), watched_nutpie(spans):
        with build(problem):
            tree = pm.sample(
                draws=DRAWS,
                tune=TUNE,
                chains=CHAINS,
                random_seed=seed,
                progressbar=False,
                quiet=True,
            )
        posterior = tree["posterior"]
        rates = posterior["rate"].to_numpy()
    peak = peak_memory()
    if "sampling" not in spans.seconds:
        raise RuntimeError("pm.sample did not use nutpie, which is its default")
    hyper = {name: posterior[name].to_numpy() for name in HYPERPARAMETERS}
    # In a model whose group effects need not sum to zero, intercept and their mean trade places.
    hyper["intercept_with_mean_effect"] = hyper["intercept"] + posterior[EFFECT].to_numpy().mean(
        axis=2
    )
    return Drawn(
        rates=rates,
        hyper=hyper,
        seconds=spans.seconds,
        peak=peak,
        facts={
            "divergences": int(np.asarray(tree["sample_stats"]["diverging"]).sum()),
            "settings": f"{CHAINS} chains of {TUNE} + {DRAWS}",
        },
    )
