"""Heuristics that look at the place of a touch in its journey alone.

Each returns the part of a journey's conversion that every touch gets; the parts of a journey add up
to one. They answer where touches stood, not what they caused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.journeys.build import Journeys
from bayes_attrib.spec.journeys import HeuristicsSpec

Rule = Callable[[Journeys, HeuristicsSpec], FloatArray]


def first_touch(journeys: Journeys, _: HeuristicsSpec) -> FloatArray:
    """Give all to the first touch.

    Parameters
    ----------
    journeys : Journeys
        Journeys, each with at least one touch.

    Returns
    -------
    ndarray of float, shape (n_touches,)
        Parts, dimensionless.
    """
    part = np.zeros(len(journeys.touch))
    part[journeys.starts[:-1]] = 1.0
    return part


def last_touch(journeys: Journeys, _: HeuristicsSpec) -> FloatArray:
    """Give all to the last touch.

    Parameters
    ----------
    journeys : Journeys
        Journeys, each with at least one touch.

    Returns
    -------
    ndarray of float, shape (n_touches,)
        Parts, dimensionless.
    """
    part = np.zeros(len(journeys.touch))
    part[journeys.starts[1:] - 1] = 1.0
    return part


def linear(journeys: Journeys, _: HeuristicsSpec) -> FloatArray:
    """Give every touch the same.

    Parameters
    ----------
    journeys : Journeys
        Journeys, each with at least one touch.

    Returns
    -------
    ndarray of float, shape (n_touches,)
        Parts, dimensionless.
    """
    lengths = journeys.lengths
    return np.repeat(1.0 / lengths, lengths)


def time_decay(journeys: Journeys, parameters: HeuristicsSpec) -> FloatArray:
    """Give a touch half of what one gets that is later by a half-life.

    Parameters
    ----------
    journeys : Journeys
        Journeys, each with at least one touch.
    parameters : HeuristicsSpec
        ``half_life_days``.

    Returns
    -------
    ndarray of float, shape (n_touches,)
        Parts, dimensionless.
    """
    lengths = journeys.lengths
    latest = np.repeat(journeys.age_days[journeys.starts[1:] - 1], lengths)
    # Relative to the last touch, so that a short half-life does not turn all weights into zero.
    weight = np.exp2((latest - journeys.age_days) / parameters.half_life_days)
    return weight / np.repeat(np.add.reduceat(weight, journeys.starts[:-1]), lengths)


def position_based(journeys: Journeys, parameters: HeuristicsSpec) -> FloatArray:
    """Give the first and the last touch their parts, and share the rest among those between.

    A single touch gets all. Two touches share in the ratio of the first's part and the last's, and
    evenly where both are zero.

    Parameters
    ----------
    journeys : Journeys
        Journeys, each with at least one touch.
    parameters : HeuristicsSpec
        ``first_weight``, ``last_weight``.

    Returns
    -------
    ndarray of float, shape (n_touches,)
        Parts, dimensionless.
    """
    lengths = journeys.lengths
    first, last = parameters.first_weight, parameters.last_weight
    both = first + last
    of_two = first / both if both > 0 else 0.5
    many = lengths > 2
    between = np.where(many, (1.0 - both) / np.maximum(lengths - 2, 1), 0.0)
    part = np.repeat(between, lengths)
    part[journeys.starts[:-1]] = np.where(many, first, of_two)
    part[journeys.starts[1:] - 1] = np.where(many, last, 1.0 - of_two)
    part[journeys.starts[:-1][lengths == 1]] = 1.0
    return part


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "first": first_touch,
        "last": last_touch,
        "linear": linear,
        "time_decay": time_decay,
        "position": position_based,
    }
)
"""All rules, by the names that tables use. To add a rule, add a line."""
