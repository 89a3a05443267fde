"""Totals that were computed from the exposures which are to explain them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bayes_attrib.citing import listed, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, Grouping, IntArray
from bayes_attrib.inputs.components import components
from bayes_attrib.spec import ModelSpec

CLOSENESS: Final = 0.02
"""Largest root mean squared deviation of totals from a multiple of exposure, relative to it."""

EXPLAINED: Final = 0.99
"""Smallest part of the variance of log totals that the multiple explains. Measured totals, of
entities whose mix varies, scatter by more."""

FEWEST: Final = 5
"""Totals beyond one for each multiple that must agree, and totals that several entities share."""


def echo_findings(data: AggregateData, spec: ModelSpec) -> Iterator[Finding]:
    """Yield a warning where totals are the same multiple of the sum of exposures.

    A mix model's contribution is a function of the channel's delivery. Exposures made by that
    model's own curve then sum to a multiple of it, in every period, and as observations such
    totals prove that all rates of the channel are equal, which nobody has measured.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    spec : ModelSpec
        Nothing is said where its family takes totals as given.

    Yields
    ------
    Finding
        With the components of entities that this is true of, by their first entities.
    """
    if not spec.likelihood.informs_rates:
        return
    found = echoing_components(data)
    if not found:
        return
    named = listed([quote(name) for name in found])
    yield Finding(
        "totals-follow-exposures",
        "warning",
        "totals",
        f"totals that {named} and their companions share are the same multiple of the sum of "
        f"exposures everywhere, within {CLOSENESS:.0%}, as a mix model's contributions are; as "
        "observations they say that all rates are equal, with hardly any uncertainty",
        'set likelihood.family = "given", so that they are split and say nothing about rates; add '
        "lift tests or covariates, which do",
    )


def echoing_components(data: AggregateData) -> list[str]:
    """Return the first entity of each component whose totals are a multiple of exposure.

    The multiple may differ between the levels of one key column, such as the geo.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.

    Returns
    -------
    list of str
        Names of entities, in their order.
    """
    of_aggregate, of_entity = components(data)
    exposure = np.asarray(data.exposure.sum(axis=1)).ravel()
    chosen = np.flatnonzero((data.totals > 0) & (exposure > 0))
    totals = _Totals(
        component=of_aggregate[chosen],
        n_components=int(max(of_aggregate.max(), of_entity.max())) + 1,
        total=data.totals[chosen],
        exposure=exposure[chosen],
        is_shared=np.diff(data.exposure.indptr)[chosen] > 1,
    )
    follows = totals.follow(np.zeros(len(chosen), dtype=np.int64))
    for key in data.aggregate_keys:
        levels = Grouping.from_labels(str(key), data.aggregate_keys[key].to_numpy()[chosen])
        follows |= totals.follow(levels.codes)
    first = {int(component): e for e, component in reversed(list(enumerate(of_entity)))}
    return [str(data.entity_names[e]) for c, e in sorted(first.items()) if follows[c]]


@dataclass(frozen=True, eq=False)
class _Totals:
    """Positive totals of exposed aggregates, each with its component and sum of exposures."""

    component: IntArray
    n_components: int
    total: FloatArray
    exposure: FloatArray
    is_shared: npt.NDArray[np.bool_]

    def follow(self, level: IntArray) -> npt.NDArray[np.bool_]:
        """Whether each component's totals are a multiple of exposure within the levels of a key."""
        keys = np.column_stack([self.component, level])
        cell = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
        multiple, log_total = self.total / self.exposure, np.log(self.total)
        squares = self._sums((multiple / _means(multiple, cell) - 1.0) ** 2)
        variance = self._sums((log_total - _means(log_total, cell)) ** 2)
        is_first = np.zeros(len(cell), dtype=bool)
        is_first[np.unique(cell, return_index=True)[1]] = True
        n_totals, n_levels = self._sums(np.ones(len(cell))), self._sums(is_first)
        enough = (n_totals - n_levels >= FEWEST) & (self._sums(self.is_shared) >= FEWEST)
        varies = variance > CLOSENESS**2 * n_totals  # totals that do not vary prove nothing
        explained = squares <= (1.0 - EXPLAINED) * variance
        return np.asarray(enough & varies & explained & (squares <= CLOSENESS**2 * n_totals))

    def _sums(self, values: npt.NDArray[Any]) -> FloatArray:
        sums = np.bincount(self.component, weights=values, minlength=self.n_components)
        return sums.astype(np.float64)


def _means(values: FloatArray, cell: IntArray) -> FloatArray:
    """Mean of the values in each value's own cell."""
    return np.asarray((np.bincount(cell, weights=values) / np.bincount(cell))[cell])
