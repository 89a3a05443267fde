"""Fresh worlds of the scenario ``user_goodwill``, each with habits of its own.

The options of a world are drawn from its seed, within ranges that were written down before any
world of the evaluation was made, so that no method is tuned to one setting of the simulator.
"""

from __future__ import annotations

import numpy as np

from bayes_attrib.simulation import SimulatedTables, simulate

DEVELOPMENT_SEEDS = tuple(range(1001, 1025))
"""Worlds on which the configuration was chosen."""

EVALUATION_SEEDS = tuple(range(1, 25))
"""Worlds that were made and scored once, after the configuration had been committed."""


def world_options(seed: int) -> dict[str, object]:
    """Draw the options of a world.

    Parameters
    ----------
    seed : int
        Seed of the world.

    Returns
    -------
    dict of str to object
        Options of the scenario.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 20_250_101]))
    return {
        "credit": "additive" if rng.random() < 0.5 else "incremental",
        "memory_days": float(np.exp(rng.uniform(np.log(3), np.log(21)))),
        "fatigue": float(np.exp(rng.uniform(np.log(2), np.log(12)))),
        "cross_fatigue": float(rng.uniform(0.0, 0.5)),
        "carry_over": float(rng.uniform(0.3, 0.8)),
        "saturation": float(rng.uniform(0.0, 1.0)),
        "effect_spread": float(rng.uniform(0.1, 0.5)),
        "click_correlation": float(rng.uniform(0.0, 0.8)),
    }


def make_world(seed: int) -> SimulatedTables:
    """Simulate the world of a seed."""
    return simulate("user_goodwill", seed=seed, options=world_options(seed))
