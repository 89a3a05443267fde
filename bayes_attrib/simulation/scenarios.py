"""From the name of a scenario and a seed to tables with known truth."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.simulation.creative_nested import CREATIVE_NESTED
from bayes_attrib.simulation.hcp_brick import HCP_BRICK
from bayes_attrib.simulation.journeys import JOURNEYS
from bayes_attrib.simulation.mmm_lab import MMM_RETAIL, MMM_THREE_CHANNELS
from bayes_attrib.simulation.mmm_to_creatives import MMM_TO_CREATIVES
from bayes_attrib.simulation.mmm_to_mta import MMM_TO_MTA
from bayes_attrib.simulation.options import did_you_mean, parse_options
from bayes_attrib.simulation.tables import Scenario, SimulatedTables
from bayes_attrib.simulation.user_goodwill import USER_GOODWILL

SCENARIOS: Final[Mapping[str, Scenario[Any]]] = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            HCP_BRICK,
            MMM_TO_MTA,
            CREATIVE_NESTED,
            MMM_TO_CREATIVES,
            USER_GOODWILL,
            JOURNEYS,
            MMM_THREE_CHANNELS,
            MMM_RETAIL,
        )
    }
)
"""All scenarios, by name."""


def simulate(
    scenario: str, *, seed: int, options: Mapping[str, object] | None = None
) -> SimulatedTables:
    """Simulate the tables of a scenario.

    Parameters
    ----------
    scenario : str
        One of :data:`SCENARIOS`.
    seed : int
        Seed of the random generator; not negative. The same seed gives the same tables.
    options : mapping of str to object, optional
        Options of the scenario that differ from their defaults.

    Returns
    -------
    SimulatedTables
        The tables and what made them.

    Raises
    ------
    SpecError
        If there is no such scenario, the seed is not a whole number >= 0, or the options do not
        hold.
    """
    if scenario not in SCENARIOS:
        raise SpecError(
            "there is no such scenario:",
            [
                Finding(
                    "unknown-scenario",
                    "error",
                    "scenario",
                    f"unknown scenario {scenario!r}",
                    f"{did_you_mean(scenario, SCENARIOS)}known: {', '.join(SCENARIOS)}",
                )
            ],
        )
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        message = f"the seed must be a whole number, not negative; got {seed!r}"
        raise SpecError(
            f"scenario {scenario!r} cannot be simulated:",
            [Finding("invalid-seed", "error", "seed", message, "choose another seed")],
        )
    chosen = SCENARIOS[scenario]
    parsed = parse_options(chosen.options, options or {}, scenario=scenario)
    # PCG64 by name: NumPy may give default_rng another generator one day.
    tables = chosen.draw(parsed, np.random.Generator(np.random.PCG64(seed)))
    return SimulatedTables(
        aggregates=tables.aggregates,
        exposures=tables.exposures,
        entities=tables.entities,
        scenario=scenario,
        seed=seed,
        options=parsed,
        others=tables.others,
    )
