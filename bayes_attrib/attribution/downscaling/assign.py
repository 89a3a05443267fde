"""Which profile each cell has: its own, or what was chosen to stand in for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bayes_attrib.attribution.downscaling.delivery import Deliveries
from bayes_attrib.attribution.downscaling.known import RunCells
from bayes_attrib.attribution.downscaling.options import ProfileOptions
from bayes_attrib.attribution.downscaling.profile_table import ProfileTable, fault_of
from bayes_attrib.attribution.downscaling.profiles import Profiles
from bayes_attrib.citing import MAX_EXAMPLES, counted, listed
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray

SOURCES: Final = ("own", "group", "even")
"""Where the profile of a cell is from."""

_NO_ROW: Final = "the profile has no row for cells with an amount"
_ALL_ZERO: Final = "delivery is zero in every slot for cells with an amount"


@dataclass(frozen=True, eq=False)
class Assigned:
    """Profiles of cells, and where they are from.

    Attributes
    ----------
    profiles : Profiles
        Shares of slots.
    source : ndarray of int, shape (n_profiles,)
        Place in :data:`SOURCES`.
    n_unused : int
        Rows of the file that no cell's own profile is made of.
    """

    profiles: Profiles
    source: IntArray
    n_unused: int

    @property
    def cells_by_source(self) -> dict[str, int]:
        """Number of cells whose profile is from each source."""
        of_cell = self.profiles.of_cell
        counted_by = np.bincount(self.source[of_cell[of_cell >= 0]], minlength=len(SOURCES))
        return dict(zip(SOURCES, counted_by.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class _Wanted:
    """The distinct profiles that cells need: the same series in the same period.

    Attributes
    ----------
    of_cell : ndarray of int, shape (n_cells,)
        Profile of every cell; -1 where the cell has no amount.
    first_cell : ndarray of int, shape (n_profiles,)
        One of its cells.
    series : ndarray of int, shape (n_profiles,)
        Series of the file, or a number beyond where the file does not have it.
    period : ndarray of int, shape (n_profiles,)
        Period.
    """

    of_cell: IntArray
    first_cell: IntArray
    series: IntArray
    period: IntArray

    def take(self, rows: np.ndarray) -> _Wanted:
        return replace(
            self,
            first_cell=self.first_cell[rows],
            series=self.series[rows],
            period=self.period[rows],
        )


def assign_profiles(table: ProfileTable, run: RunCells, options: ProfileOptions) -> Assigned:
    """Find the profile of every cell with a positive amount.

    Parameters
    ----------
    table : ProfileTable
        The profile.
    run : RunCells
        The cells.
    options : ProfileOptions
        Carry-over, and what stands in for missing profiles.

    Returns
    -------
    Assigned
        Profiles.

    Raises
    ------
    DataError
        If a cell with a positive amount has no delivery, and nothing was chosen to stand in.
    """
    wanted = _wanted(table, run)
    works = _effective(table, options)
    n_wanted = len(wanted.series)
    found, used = _gather(works, wanted, np.arange(n_wanted))
    source = np.zeros(n_wanted, dtype=np.int64)
    pieces, lacking = [found], _lacking(found, n_wanted)
    for fallback in options.missing:
        for piece in _StandIns(table, works, run, wanted).find(fallback, lacking):
            pieces.append(piece)
            filled = lacking[~np.isin(lacking, _lacking(piece, n_wanted))]
            source[filled] = SOURCES.index(fallback)
            lacking = np.setdiff1d(lacking, filled)
    if len(lacking):
        has_rows = np.bincount(found.profile, minlength=n_wanted) > 0
        gaps = _Gaps(table, run, wanted, options.missing)
        findings = [
            *gaps.findings("no-profile", lacking[~has_rows[lacking]], _NO_ROW),
            *gaps.findings("zero-profile", lacking[has_rows[lacking]], _ALL_ZERO),
        ]
        raise fault_of(table.source.name, findings)
    profiles = _profiles(wanted.of_cell, pieces, n_wanted)
    n_rows = len(table.deliveries.series)
    if options.half_life is None:
        return Assigned(profiles, source, n_rows - used)
    return Assigned(profiles, source, int((table.deliveries.period < 0).sum()))


def _wanted(table: ProfileTable, run: RunCells) -> _Wanted:
    """Code the profiles that cells need as the file codes its series."""
    n_cells = len(run.amount)
    codes = [column.of_cell for column in table.columns]
    period = np.zeros(n_cells, np.int64) if table.periods is None else table.periods.of_cell
    stacked = np.stack(codes, axis=1) if codes else np.zeros((n_cells, 0), dtype=np.int64)
    both = np.concatenate([table.series, stacked])
    series = np.unique(both, axis=0, return_inverse=True)[1] if codes else np.zeros(len(both), int)
    of_file = np.full(int(series.max(initial=0)) + 1, -1, dtype=np.int64)
    n_series = len(table.series)
    of_file[series[:n_series]] = np.arange(n_series)
    own = series[n_series:]
    own = np.where(of_file[own] >= 0, of_file[own], n_series + own)
    positive = np.flatnonzero(run.amount > 0)
    n_periods = int(period.max(initial=0)) + 1
    key, first, position = np.unique(
        (own * n_periods + period)[positive], return_index=True, return_inverse=True
    )
    of_cell = np.full(n_cells, -1, dtype=np.int64)
    of_cell[positive] = position
    return _Wanted(of_cell, positive[first], key // n_periods, key % n_periods)


def _effective(table: ProfileTable, options: ProfileOptions) -> Deliveries:
    half_life = options.half_life_microseconds
    deliveries = table.deliveries
    if half_life is not None and table.slots.instants is not None:
        if table.period_of_slot is None:
            raise AssertionError("timestamps do not recur")
        n_periods = int(table.period_of_slot.max(initial=0)) + 1
        deliveries = deliveries.carried_over(
            table.slots.instants, table.period_of_slot, n_periods, half_life
        )
    return deliveries.take(deliveries.period >= 0)


@dataclass(frozen=True, eq=False)
class _Piece:
    """Weights of slots for some of the wanted profiles."""

    profile: IntArray
    slot: IntArray
    weight: FloatArray


def _gather(works: Deliveries, wanted: _Wanted, chosen: IntArray) -> tuple[_Piece, int]:
    """Pick the rows of the wanted profiles that are chosen, and count them."""
    n_periods = int(max(works.period.max(initial=0), wanted.period.max(initial=0))) + 1
    have = works.series * n_periods + works.period
    want = wanted.series[chosen] * n_periods + wanted.period[chosen]
    order = np.argsort(want)
    place = np.searchsorted(want[order], have)
    place = np.minimum(place, max(0, len(want) - 1))
    rows = np.flatnonzero(want[order][place] == have) if len(want) else np.zeros(0, np.int64)
    piece = _Piece(chosen[order[place[rows]]], works.slot[rows], works.delivery[rows])
    return piece, len(rows)


def _lacking(piece: _Piece, n_wanted: int) -> IntArray:
    whole = np.bincount(piece.profile, weights=piece.weight, minlength=n_wanted)
    return np.flatnonzero(whole <= 0).astype(np.int64)


@dataclass(frozen=True, eq=False)
class _StandIns:
    """Finds what can stand in for profiles without delivery.

    Attributes
    ----------
    table : ProfileTable
        The profile.
    works : Deliveries
        Deliveries within periods, carried over where that was asked for.
    run : RunCells
        The cells.
    wanted : _Wanted
        The profiles that they need.
    """

    table: ProfileTable
    works: Deliveries
    run: RunCells
    wanted: _Wanted

    def find(self, fallback: str, lacking: IntArray) -> Iterator[_Piece]:
        """Yield weights for profiles; later ones are for those that the former leave out."""
        if fallback == "even":
            yield self._even(lacking)
            return
        for level in self._levels():
            if len(lacking):
                piece = self._pooled(lacking, level)
                yield piece
                lacking = np.intersect1d(lacking, _lacking(piece, len(self.wanted.series)))

    def _is_of_entity(self, name: str) -> bool:
        data = self.run.data
        return name == self.run.entity or (
            name in data.groupings and name not in data.aggregate_keys.columns
        )

    def _levels(self) -> list[str | None]:
        """Groupings of entities, those of many small groups first; None stands for all of them."""
        groupings = self.run.data.groupings
        if self.run.entity not in self.table.names:
            return [None]
        usable = [name for name in groupings if self._is_of_entity(name)]
        return [*sorted(usable, key=lambda name: -len(groupings[name].levels)), None]

    def _pooled(self, lacking: IntArray, level: str | None) -> _Piece:
        """Pool series that agree in the keys of aggregates and in a grouping of their entities.

        What no exposure explains is in no group.
        """
        data, table = self.run.data, self.table
        entity = data.edge_entity[self.wanted.first_cell[lacking]].astype(np.int64)
        lacking = lacking[entity < data.n_attributable]
        cell = self.wanted.first_cell[lacking]
        shared = [i for i, name in enumerate(table.names) if not self._is_of_entity(name)]
        of_file = [table.series[:, i] for i in shared]
        of_cell = [table.columns[i].of_cell[cell] for i in shared]
        if level is not None:
            codes = data.groupings[level].codes
            of_file.append(codes[table.series[:, table.names.index(self.run.entity)]])
            of_cell.append(codes[data.edge_entity[cell]])
        group = np.zeros(len(table.series) + len(lacking), dtype=np.int64)
        if of_file:
            both = np.concatenate([np.stack(of_file, axis=1), np.stack(of_cell, axis=1)])
            group = np.unique(both, axis=0, return_inverse=True)[1].astype(np.int64)
        n_series = len(table.series)
        pooled = self.works.pooled(group[:n_series])
        return _spread(pooled, group[n_series:], self.wanted.period[lacking], lacking)

    def _even(self, lacking: IntArray) -> _Piece:
        """Give equal weights to all slots that the file has in the period."""
        table = self.table
        if table.period_of_slot is None:
            rows = table.deliveries.period >= 0
            period, slot = table.deliveries.period[rows], table.deliveries.slot[rows]
        else:
            slot = np.flatnonzero(table.period_of_slot >= 0)
            period = table.period_of_slot[slot]
        zeros = np.zeros(len(slot), dtype=np.int64)
        slots = Deliveries(zeros, period, slot, np.ones(len(slot))).pooled(np.zeros(1, np.int64))
        slots = replace(slots, delivery=np.ones(len(slots.slot)))
        none = np.zeros(len(lacking), dtype=np.int64)
        return _spread(slots, none, self.wanted.period[lacking], lacking)


def _spread(pooled: Deliveries, group: IntArray, period: IntArray, profile: IntArray) -> _Piece:
    """Give each profile the rows of its group and period; several may have the same ones."""
    n_periods = int(max(pooled.period.max(initial=0), period.max(initial=0))) + 1
    have = pooled.series * n_periods + pooled.period  # ascending
    want = group * n_periods + period
    start, stop = np.searchsorted(have, want), np.searchsorted(have, want, side="right")
    sizes = stop - start
    ends = np.cumsum(sizes)
    row = np.arange(int(sizes.sum())) + np.repeat(start - (ends - sizes), sizes)
    return _Piece(np.repeat(profile, sizes), pooled.slot[row], pooled.delivery[row])


def _profiles(of_cell: IntArray, pieces: list[_Piece], n_wanted: int) -> Profiles:
    """Put the pieces together; a profile has slots from the one that gave it any weight."""
    kept = []
    for piece in pieces:
        filled = np.ones(n_wanted, dtype=bool)
        filled[_lacking(piece, n_wanted)] = False
        rows = filled[piece.profile]
        kept.append(_Piece(piece.profile[rows], piece.slot[rows], piece.weight[rows]))
    profile = np.concatenate([piece.profile for piece in kept])
    slot = np.concatenate([piece.slot for piece in kept])
    weight = np.concatenate([piece.weight for piece in kept])
    order = np.lexsort((slot, profile))
    indptr = np.searchsorted(profile[order], np.arange(n_wanted + 1))
    return Profiles.of_weights(of_cell, indptr, slot[order], weight[order])


@dataclass(frozen=True, eq=False)
class _Gaps:
    """Words about cells that have an amount, and no delivery to tell when."""

    table: ProfileTable
    run: RunCells
    wanted: _Wanted
    tried: tuple[str, ...]

    def findings(self, code: str, profiles: IntArray, statement: str) -> Iterator[Finding]:
        if not len(profiles):
            return
        examples = [self._example(profile) for profile in profiles[:MAX_EXAMPLES].tolist()]
        n_cells = int(np.isin(self.wanted.of_cell, profiles).sum())
        tried = f" and --missing {' '.join(self.tried)} found no stand-in" if self.tried else ""
        shown = listed(examples, len(profiles), separator="; ")
        message = f"{statement}{tried} ({counted(n_cells, 'cell')}): {shown}"
        left = [f"--missing {name}" for name in ("group", "even") if name not in self.tried]
        remedy = "add their deliveries to the file"
        if left:
            remedy += f", or choose what stands in for them with {' or '.join(left)}"
        yield Finding(code, "error", self.table.source.name, message, remedy)

    def _example(self, profile: int) -> str:
        columns = [*self.table.names]
        if self.table.periods is not None:
            columns.append(self.table.periods.name)
        amount = float(self.run.amount[self.wanted.of_cell == profile].sum())
        cell = int(self.wanted.first_cell[profile])
        words = self.run.words(cell, columns) if columns else "all cells"
        return f"{words} (amount {amount:,.6g})"
