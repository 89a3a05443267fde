"""The draws that sections of the page share, as many as the page can afford."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution import GrainDraws, allocation_rng, draw_grains, grain_of
from bayes_attrib.attribution.grains import Grain
from bayes_attrib.errors import RunFolderError
from bayes_attrib.inference.large_rates import is_large
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, IntArray
from bayes_attrib.model.families import get_family
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.run_folder import RunFolder

MOST_CELL_DRAWS: Final = 30_000_000
"""Cells times draws of one pass: a second or two."""

MOST_ROW_DRAWS: Final = 20_000_000
"""Rows times draws that are kept as doubles: 160 MB. More are kept in single precision."""

MOST_PERIOD_ROWS: Final = 20_000
"""Pairs of entity and period that have draws; beyond, only those of the largest entities have."""

FEWEST: Final = 200
"""Draws that a page needs for its intervals."""

N_LARGEST: Final = 12
"""Entities that are followed over time."""


RowDraws = npt.NDArray[np.floating[Any]]
"""Draws by row, shape (n_rows, n_draws)."""


@dataclass(frozen=True, eq=False)
class PeriodDraws:
    """Amounts of entities per period.

    Attributes
    ----------
    key : str
        Key column that tells the time.
    periods : tuple of str
        Periods in the order of time.
    entities : ndarray of int, shape (n_followed,)
        Entities of which each has rows, largest first.
    has_all : bool
        Whether these are all entities of the run.
    row : ndarray of int, shape (n_followed, n_periods)
        Row of each pair in ``draws``; -1 where the entity has no exposure in the period.
    draws : GrainDraws
        Amounts and expected amounts of the rows.
    totals : ndarray, shape (n_periods,)
        Observed totals.
    """

    key: str
    periods: tuple[str, ...]
    entities: IntArray
    has_all: bool
    row: IntArray
    draws: GrainDraws
    totals: FloatArray


@dataclass(frozen=True, eq=False)
class PageDraws:
    """What the page draws from a run.

    Attributes
    ----------
    source : RunDraws
        Fit and data.
    step : int
        Every so many draws are used; 1 where all are.
    amounts : ndarray, shape (n_entities, n_draws)
        Amount of each entity over all aggregates, given the totals.
    rates : ndarray, shape (n_entities, n_draws)
        Rates per unit of exposure, of the same draws.
    by_period : PeriodDraws or None
        Amounts over time, where a key column tells it and there are two periods at least.
    """

    source: RunDraws
    step: int
    amounts: RowDraws
    rates: RowDraws
    by_period: PeriodDraws | None

    @classmethod
    def load(cls, run: RunFolder) -> Self:
        """Draw the amounts of a run.

        Parameters
        ----------
        run : RunFolder
            A finished run.

        Returns
        -------
        PageDraws
            Of every draw, or of every k-th where cells or entities are many.

        Raises
        ------
        RunFolderError
            If the run cannot be drawn again, as one of an older version may be.
        """
        every = _thinned_on_reading(run)
        source = RunDraws.load(run, every=every)
        data, spec = source.data, run.spec
        period = _time_grain(source)
        rows = data.n_entities + (0 if period is None else min(MOST_PERIOD_ROWS, data.n_edges))
        most = max(FEWEST, min(MOST_CELL_DRAWS // data.n_edges, MOST_ROW_DRAWS // rows))
        step = max(1, source.n_draws // most)
        grains = [grain_of(data, [names.ENTITY])]
        layout = None if period is None else _lay_out(run, data, period)
        if layout is not None:
            grains.append(layout[1])
        drawn = draw_grains(
            source.mean if step == 1 else source.mean.thinned(most),
            get_family(spec.likelihood),
            {name: values[..., ::step] for name, values in source.noise.items()},
            grains,
            allocation_rng(run.manifest.seed),
        )
        amounts = _in_order(drawn[0], data)
        _require_same_means(source, amounts, is_exact=every * step == 1)
        by_period = (
            None
            if layout is None or period is None
            else _by_period(data, period, layout[0], layout[1], drawn[1])
        )
        rates = source.mean.rates.rows(slice(None))[:, ::step]
        return cls(source, every * step, amounts, rates, by_period)

    @property
    def data(self) -> AggregateData:
        """The data that were fitted."""
        return self.source.data

    @property
    def n_draws(self) -> int:
        """Number of draws that the page uses."""
        return self.rates.shape[1]


def _thinned_on_reading(run: RunFolder) -> int:
    """Return which draws to read of a run whose rates alone would fill the memory."""
    with run.open_group("posterior") as posterior:
        rates = posterior.get(names.RATE)
        if rates is None or not is_large(rates.size):
            return 1
        n_draws = rates.sizes[names.CHAIN] * rates.sizes[names.DRAW]
    return max(1, n_draws // max(FEWEST, MOST_ROW_DRAWS // run.manifest.data.n_entities))


def _time_grain(source: RunDraws) -> Grain | None:
    """Periods as a grain; None without a key of time, or with a single period."""
    if source.period is None:
        return None
    grain = grain_of(source.data, [source.period])
    return grain if len(grain.labels) > 1 else None


def _lay_out(run: RunFolder, data: AggregateData, period: Grain) -> tuple[IntArray, Grain]:
    """Choose the entities that have rows, and the grain of their pairs with periods."""
    order = pd.Index(data.entity_names.astype(str)).get_indexer(pd.Index(run.entities["name"]))
    n_periods = len(period.labels)
    pair = data.edge_entity.astype(np.int64) * n_periods + period.row
    everybody = len(np.unique(pair)) <= MOST_PERIOD_ROWS
    followed = order if everybody else order[:N_LARGEST]
    slot = np.full(data.n_entities, len(followed), dtype=np.int64)  # the last slot is the rest
    slot[followed] = np.arange(len(followed))
    row = slot[data.edge_entity] * n_periods + period.row
    found, position = np.unique(row, return_inverse=True)
    labels = pd.DataFrame({"slot": found // n_periods, "period": found % n_periods})
    return followed.astype(np.int64), Grain(labels, position.astype(np.int64))


def _by_period(
    data: AggregateData, period: Grain, followed: IntArray, grain: Grain, drawn: GrainDraws
) -> PeriodDraws:
    key = str(period.labels.columns[0])
    periods = tuple(period.labels[key].astype(str))
    row = np.full((len(followed) + 1, len(periods)), -1, dtype=np.int64)
    row[grain.labels["slot"], grain.labels["period"]] = np.arange(len(grain.labels))
    of_aggregate = np.zeros(data.n_aggregates, dtype=np.int64)
    of_aggregate[data.edge_aggregate] = period.row
    sums = np.bincount(of_aggregate, weights=data.totals, minlength=len(periods))
    totals = np.asarray(sums, dtype=np.float64)
    has_all = len(followed) == data.n_entities
    return PeriodDraws(key, periods, followed, has_all, row[:-1], drawn, totals)


def _in_order(drawn: GrainDraws, data: AggregateData) -> RowDraws:
    """Put the rows in the order of the data; an entity without cells has nothing."""
    position = pd.Index(data.entity_names.astype(str)).get_indexer(
        pd.Index(drawn.labels[names.ENTITY])
    )
    n_draws = drawn.amounts.shape[1]
    ordered = np.zeros((data.n_entities, n_draws), dtype=_precision(data.n_entities * n_draws))
    for rows, values in drawn.amounts.blocks():
        ordered[position[rows]] = values
    return ordered


def _precision(n_elements: int) -> np.dtype[np.floating[Any]]:
    return np.dtype(np.float64 if n_elements <= MOST_ROW_DRAWS else np.float32)


def _require_same_means(source: RunDraws, amounts: RowDraws, *, is_exact: bool) -> None:
    """Hold the means against the run's table: equal if all draws were used, else near."""
    table = source.run.entities.set_index("name").loc[source.data.entity_names.astype(str)]
    n, size = amounts.shape[1], max(1.0, source.data.grand_total)
    near = 0.0 if is_exact else 12.0 / np.sqrt(n)
    mean = amounts.mean(axis=1, dtype=np.float64)
    allowed = near * table["amount_sd"].to_numpy() + 1e-9 * size
    allowed += np.finfo(amounts.dtype).eps * mean
    wrong = np.abs(mean - table["amount_mean"].to_numpy()) > allowed
    if wrong.any():
        raise RunFolderError(
            f"{source.run.path}: the amounts drawn from {names.POSTERIOR_FILE} differ from those "
            f"in {names.ATTRIBUTION_FILE} for {int(wrong.sum())} entities; the files are of "
            "different runs, or were made by another version: fit again"
        )
