"""Scenario ``creative_nested``: contributions of channels, earned by creatives four levels below.

Creatives belong to campaigns, these to formats, platforms and channels. Totals are known per week,
geo and channel (or platform). Most creatives are on air for some weeks, and many hardly at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.simulation.creative_nested_options import LEVELS, CreativeNestedOptions
from bayes_attrib.simulation.flights import draw_flights
from bayes_attrib.simulation.labels import iso_weeks, numbered
from bayes_attrib.simulation.rounding import round_significant
from bayes_attrib.simulation.tables import Scenario, Tables
from bayes_attrib.simulation.tree import draw_parents, name_children

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

POOLS: Final[Mapping[str, tuple[str, ...]]] = {
    "channel": ("Search", "Social", "Video", "Display", "Audio", "Native", "Retail", "Affiliate"),
    "platform": ("Daybreak", "Harbor", "Lumen", "Metro", "Open Exchange", "Relay"),
    "format": ("Video", "Image", "Carousel", "Story", "Text", "Native"),
    "campaign": ("Always on", "Launch", "Spring", "Summer", "Sale", "Loyalty", "Retargeting"),
}
OBJECTIVES: Final = ("Awareness", "Consideration", "Conversion")
SECONDS: Final = (6, 10, 15, 20, 30, 60)


def draw_creative_nested(options: CreativeNestedOptions, rng: np.random.Generator) -> Tables:
    """Draw the tree of creatives, their flights, and the contributions of their channels.

    Each step has a random stream of its own, so that an option changes nothing but what it is
    about; who is always on depends on the level of the totals.

    Parameters
    ----------
    options : CreativeNestedOptions
        Sizes, spreads, delivery and noise.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Tables
        Totals by channel (or channel and platform), week and geo, in money or counts; one row per
        total and creative on air, with ``exposure`` (dimensionless) and ``amount``; creatives.
    """
    of_tree, of_names, of_covariates, of_rates, of_flights, of_noise = rng.spawn(6)
    nodes = _draw_tree(options, of_tree)
    creatives = pd.DataFrame({"creative": numbered("CR", options.n_creatives, width=4)})
    for level, labels in _draw_names(nodes, of_names).items():
        creatives[level] = labels
    creatives["objective"], creatives["video_seconds"] = _draw_covariates(options, of_covariates)
    unit = nodes[len(options.total_levels) - 1]
    flights = draw_flights(options, unit, of_flights)
    creatives["activity"] = flights.activity
    creatives["rate_true"] = _draw_rates(options, nodes, creatives, of_rates)
    cell = (unit[flights.creative] * options.n_weeks + flights.week) * options.n_geos + flights.geo
    order = np.lexsort((flights.creative, cell))
    cell, creative, exposure = cell[order], flights.creative[order], flights.exposure[order]
    expected = creatives["rate_true"].to_numpy()[creative] * exposure
    amount = _draw_amounts(options, expected, cell, of_noise)
    cells = _cells(options, creatives, unit)
    total = np.zeros(len(cells), dtype=amount.dtype)
    np.add.at(total, cell, amount)
    edges = cells.take(cell).reset_index(drop=True)
    edges["creative"] = pd.Index(creatives["creative"]).take(creative)
    edges["exposure"], edges["amount"] = exposure, amount
    return Tables(cells.assign(total=total), edges, creatives)


def _draw_tree(options: CreativeNestedOptions, rng: np.random.Generator) -> list[IntArray]:
    """Return every creative's node at each level from the top; the last is the creative itself."""
    nodes = [np.arange(options.n_creatives)]
    for n_lower, n_upper in zip(options.sizes[:0:-1], options.sizes[-2::-1], strict=True):
        nodes.insert(0, draw_parents(n_upper, n_lower, rng)[nodes[0]])
    return nodes


def _draw_names(nodes: list[IntArray], rng: np.random.Generator) -> dict[str, pd.Index[str]]:
    """Return the names of every creative's channel, platform, format and campaign."""
    found, above = {}, np.zeros_like(nodes[0])
    for level, node in zip(LEVELS, nodes, strict=False):  # creatives have numbers for names
        first = np.unique(node, return_index=True)[1]
        found[level] = name_children(above[first], POOLS[level], rng).take(node)
        above = node
    return found


def _draw_covariates(
    options: CreativeNestedOptions, rng: np.random.Generator
) -> tuple[pd.Index[str], IntArray]:
    """Return the objective and the seconds of every creative."""
    objective = rng.integers(len(OBJECTIVES), size=options.n_creatives)
    seconds = rng.choice(np.array(SECONDS), size=options.n_creatives)
    return pd.Index(OBJECTIVES, dtype="str").take(objective), seconds


def _draw_rates(
    options: CreativeNestedOptions,
    nodes: list[IntArray],
    creatives: pd.DataFrame,
    rng: np.random.Generator,
) -> FloatArray:
    """Return contributions per unit of exposure: offsets around the parent at every level."""
    log_rate = np.full(options.n_creatives, np.log(options.base_rate))
    streams = rng.spawn(len(nodes))
    for node, size, sd, stream in zip(nodes, options.sizes, options.spreads, streams, strict=True):
        log_rate += sd * stream.standard_normal(size)[node]
    step = pd.Index(OBJECTIVES).get_indexer(pd.Index(creatives["objective"]))
    log_rate += options.effect_objective * step / (len(OBJECTIVES) - 1)
    log_rate += options.effect_log_seconds * np.log(creatives["video_seconds"].to_numpy() / 15.0)
    # Rounded before use: the truth is what the table says, and the same on every processor.
    return round_significant(np.exp(log_rate))


def _draw_amounts(
    options: CreativeNestedOptions, expected: FloatArray, cell: IntArray, rng: np.random.Generator
) -> FloatArray | IntArray:
    """Return amounts: counts, or money that shares the luck of its cell."""
    if options.family == "poisson":
        return rng.poisson(expected)
    n_cells = options.n_units * options.n_weeks * options.n_geos
    noise = rng.gamma(options.alpha, 1.0 / options.alpha, size=n_cells)
    return round_significant(expected * noise[cell])


def _cells(options: CreativeNestedOptions, creatives: pd.DataFrame, unit: IntArray) -> pd.DataFrame:
    """Return the keys of all totals: geos within weeks within channels or platforms."""
    first = np.unique(unit, return_index=True)[1]
    week, geo = np.divmod(np.arange(options.n_weeks * options.n_geos), options.n_geos)
    keys = creatives[list(options.total_levels)].take(first.repeat(len(week)))
    keys = keys.reset_index(drop=True)
    keys["week"] = iso_weeks(options.n_weeks).take(np.tile(week, options.n_units))
    keys["geo"] = numbered("G", options.n_geos).take(np.tile(geo, options.n_units))
    return keys


CREATIVE_NESTED: Final = Scenario(
    name="creative_nested",
    description="Contributions of channels by week and geo, earned by creatives four levels below.",
    options=CreativeNestedOptions,
    draw=draw_creative_nested,
)
