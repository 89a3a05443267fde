"""A delivery profile, checked: series, periods, slots and deliveries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from bayes_attrib.attribution.downscaling.clock import (
    Moment,
    Stamps,
    in_zone,
    microseconds,
    read_stamps,
    state_of,
    zone_of,
)
from bayes_attrib.attribution.downscaling.delivery import Deliveries, Slots
from bayes_attrib.attribution.downscaling.known import KeyColumn, RunCells
from bayes_attrib.attribution.downscaling.options import ProfileOptions, half_life_findings
from bayes_attrib.attribution.downscaling.period_days import PeriodDays, days_of
from bayes_attrib.attribution.downscaling.profile_file import (
    ProfileFile,
    open_profile,
    read_delivery,
    read_key,
    unknown_key,
)
from bayes_attrib.citing import quote
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.keys import as_text, is_blank
from bayes_attrib.inputs.numbers import CellStatus, parse_numbers
from bayes_attrib.inputs.unavailable import UnavailableError


@dataclass(frozen=True, eq=False)
class ProfileTable:
    """A profile that is free of faults, if not of gaps.

    Attributes
    ----------
    source : ProfileFile
        Where it came from.
    columns : tuple of KeyColumn
        Columns by which series differ: those of the file that the run knows, but its period.
    series : ndarray of int, shape (n_series, n_columns)
        Label of each series in each of the columns.
    periods : KeyColumn or None
        Periods of the run; None where the profile is the same in all of them.
    deliveries : Deliveries
        Rows, one for each of the file.
    slots : Slots
        Slots in their order.
    period_of_slot : ndarray of int, shape (n_slots,), or None
        Period that each timestamp lies in, -1 outside of all; None for slots that recur in every
        period.
    zone : str or None
        Time zone of the slots' local times, where one was named.
    days_checked : bool
        Whether timestamps were held against the days of their periods.
    n_twice : int
        Rows at a local time that the clock shows twice, which the order of rows told apart.
    """

    source: ProfileFile
    columns: tuple[KeyColumn, ...]
    series: IntArray
    periods: KeyColumn | None
    deliveries: Deliveries
    slots: Slots
    period_of_slot: IntArray | None
    zone: str | None
    days_checked: bool
    n_twice: int

    @property
    def names(self) -> list[str]:
        """Names of the columns by which series differ."""
        return [column.name for column in self.columns]


def read_profile(path: Path, run: RunCells, options: ProfileOptions) -> ProfileTable:
    """Read a delivery profile, strictly.

    Parameters
    ----------
    path : Path
        CSV or Parquet with a row per slot: timestamp or slot, delivery, and any of the run's key
        columns, its entity and its grouping columns.
    run : RunCells
        The cells that it is meant for.
    options : ProfileOptions
        Names of columns, time zone, and what to do about ambiguous times.

    Returns
    -------
    ProfileTable
        The profile.

    Raises
    ------
    DataError
        If anything is wrong with it; all faults that can be told at once are listed.
    """
    try:
        return _Reader(open_profile(path, run, options), run, options).read()
    except UnavailableError as error:
        raise fault_of(path.name, list(error.findings)) from error


def fault_of(name: str, findings: list[Finding]) -> DataError:
    """Return the error of a profile with these faults."""
    count = "one fault" if len(findings) == 1 else f"{len(findings)} faults"
    return DataError(f"the profile {name} has {count}:", findings)


class _Reader:
    """One pass over one file; faults are gathered until the next step would stumble on them."""

    def __init__(self, source: ProfileFile, run: RunCells, options: ProfileOptions) -> None:
        self.source, self.run, self.options = source, run, options
        self.faults: list[Finding] = half_life_findings(options)
        self.n_twice = 0

    def read(self) -> ProfileTable:
        delivery = self._gather(read_delivery(self.source))
        columns, codes = self._keys()
        given, days = self._given_periods(), self._period_days()
        self._raise()
        series, series_of_row = _series(codes, len(delivery))
        slots, slot = self._slots(_combined(series_of_row, given))
        self._raise()
        period, period_of_slot = self._periods(given, days, slots, slot)
        self._raise()
        deliveries = Deliveries(series_of_row, period, slot, delivery)
        self.faults += self._duplicates(deliveries)
        self._raise()
        recurs = given is None and period_of_slot is None
        periods = None if self.run.period is None or recurs else self.run.column(self.run.period)
        checked = days is not None and slots.moments is not None
        return ProfileTable(
            self.source,
            columns,
            series,
            periods,
            deliveries,
            slots,
            period_of_slot,
            self.options.zone if self.source.is_time else None,
            checked,
            self.n_twice,
        )

    def _gather[T](self, found: tuple[T, list[Finding]]) -> T:
        self.faults += found[1]
        return found[0]

    def _raise(self) -> None:
        if self.faults:
            raise UnavailableError(*self.faults)

    def _keys(self) -> tuple[tuple[KeyColumn, ...], list[IntArray]]:
        columns, found = [], []
        for name in self.source.keys:
            if name == self.run.period:
                continue
            column = self.run.column(name)
            try:
                codes, texts = read_key(self.source, column)
            except UnavailableError as error:
                self.faults += error.findings
            else:
                self.faults += unknown_key(self.source, column, codes, texts)
                columns.append(column)
                found.append(codes)
        return tuple(columns), found

    def _given_periods(self) -> IntArray | None:
        """Period of every row as the file names it; those that the run does not have are -1."""
        name = self.run.period
        if name is None or name not in self.source.keys:
            return None
        try:
            codes, _ = read_key(self.source, self.run.column(name))
        except UnavailableError as error:
            self.faults += error.findings
            return None
        return codes

    def _period_days(self) -> PeriodDays | None:
        if self.run.period is None or not self.source.is_time:
            return None
        levels = self.run.column(self.run.period).levels
        return days_of(levels, dates=self.options.period_dates)

    def _slots(self, key: IntArray) -> tuple[Slots, IntArray]:
        if self.source.is_time:
            return self._times(key)
        if self.options.half_life is not None:
            message = f"slots of {quote(self.source.slot)} are no timestamps, so no time passes"
            remedy = "name a column of timestamps with --time, or leave out --half-life"
            self.faults.append(
                Finding("half-life-of-slots", "error", self.source.name, message, remedy)
            )
        return self._labels()

    def _labels(self) -> tuple[Slots, IntArray]:
        cells = self.source.cells(self.source.slot)
        try:
            texts = as_text(cells)
        except TypeError as error:
            message = f"{quote(self.source.slot)} is stored as {error}, which is no name"
            remedy = "store slots as text or whole numbers"
            fault = Finding("key-type", "error", self.source.name, message, remedy)
            raise UnavailableError(fault) from error
        blank = np.flatnonzero(is_blank(texts))
        self.faults += self.source.fault(
            "missing-slot", blank, "the slot is blank", "name the slot"
        )
        code, labels = pd.factorize(texts.to_numpy(dtype=object))
        numbers = None
        with suppress(TypeError):
            numbers = parse_numbers(cells)
        if numbers is not None and (numbers.status == CellStatus.NUMBER).all():
            first = np.unique(code, return_index=True)[1]
            order = np.argsort(numbers.parsed[first], kind="stable")
            rank = np.empty(len(order), dtype=np.int64)
            rank[order] = np.arange(len(order))
            return Slots(tuple(map(str, labels[order]))), rank[code]
        return Slots(tuple(map(str, labels))), code.astype(np.int64)

    def _times(self, key: IntArray) -> tuple[Slots, IntArray]:
        try:
            stamps = read_stamps(self.source.cells(self.source.slot))
        except TypeError as error:
            message = f"{quote(self.source.slot)} is stored as {error}, which is no time"
            remedy = "store timestamps, or texts such as 2025-03-30T01:00+01:00"
            fault = Finding("time-type", "error", self.source.name, message, remedy)
            raise UnavailableError(fault) from error
        self.faults += self._stamp_faults(stamps)
        self._raise()
        zone = None if self.options.zone is None else zone_of(self.options.zone)
        later = np.zeros(len(stamps.code), dtype=bool)
        if zone is not None and not stamps.is_aware.any():
            later = self._later(stamps, zone, key)
            self._raise()
        pairs, row = np.unique(stamps.code * 2 + later, return_inverse=True)
        moments = [
            in_zone(stamps.moments[pair // 2], zone, later=bool(pair % 2))
            for pair in pairs.tolist()
        ]
        return _ordered(moments, row)

    def _stamp_faults(self, stamps: Stamps) -> Iterator[Finding]:
        column = self.source.slot
        yield from self.source.fault(
            "invalid-time",
            np.flatnonzero(stamps.code < 0),
            "this is no time",
            "write timestamps as 2025-03-30T01:00+01:00, 2025-03-30 01:00 or 2025-03-30",
            show=column,
        )
        aware = stamps.is_aware
        timed = np.array([isinstance(moment, dt.datetime) for moment in stamps.moments], dtype=bool)
        for flag, one, other, remedy in (
            (
                aware,
                "the time has an offset from UTC, and others have none",
                "the time has no offset from UTC, and others have one",
                "write all times with their offset, or all without it and name their --zone",
            ),
            (
                timed,
                "the slot begins at a time of day, and others are days",
                "the slot is a day, and others begin at a time of day",
                "write the time of day in every row, or in none",
            ),
        ):
            if not flag.any() or flag.all() or (flag is timed and aware.any()):
                continue
            of_row = flag[stamps.code] & (stamps.code >= 0)
            without = ~flag[stamps.code] & (stamps.code >= 0)
            fewer, words = (of_row, one) if of_row.sum() <= without.sum() else (without, other)
            yield from self.source.fault(
                "mixed-times", np.flatnonzero(fewer), words, remedy, show=column
            )

    def _later(self, stamps: Stamps, zone: ZoneInfo, key: IntArray) -> np.ndarray:
        """Tell for every row whether it is the later of two moments of one local time."""
        column, name = self.source.slot, self.options.zone
        states = np.array([state_of(moment, zone) for moment in stamps.moments], dtype=object)
        self.faults += self.source.fault(
            "nonexistent-time",
            np.flatnonzero((states == "skipped")[stamps.code]),
            f"clocks in {name} were put forward over this time, so it does not exist",
            "remove the row if it is empty, or write the time with its offset from UTC",
            show=column,
        )
        rows = np.flatnonzero((states == "twice")[stamps.code])
        later = np.zeros(len(stamps.code), dtype=bool)
        if not len(rows):
            return later
        same = pd.DataFrame({"key": key[rows], "time": stamps.code[rows]}).groupby(["key", "time"])
        place = same.cumcount().to_numpy()
        size = same["key"].transform("size").to_numpy()
        once = size == 1
        later[rows] = np.where(once, self.options.ambiguous == "later", place > 0)
        self.n_twice = int((size == 2).sum())
        if self.options.ambiguous == "order":
            self.faults += self.source.fault(
                "ambiguous-time",
                rows[once],
                f"clocks in {name} show this time twice, and the profile has it once",
                "write both hours in their order, or the time with its offset from UTC, or say "
                "which one is meant with --ambiguous earlier or --ambiguous later",
                show=column,
            )
        return later

    def _periods(
        self, given: IntArray | None, days: PeriodDays | None, slots: Slots, slot: IntArray
    ) -> tuple[IntArray, IntArray | None]:
        """Return the period of every row, and of every slot where slots do not recur."""
        if self.run.period is None:
            zeros = np.zeros(len(slot), dtype=np.int64)
            return zeros, None if slots.moments is None else np.zeros(len(slots.labels), np.int64)
        if slots.moments is None:
            return (np.zeros(len(slot), np.int64) if given is None else given), None
        if given is None:
            if days is None:
                self.faults.append(self._no_periods())
                return slot, None
            of_slot = days.period_of(slots.days)
            return of_slot[slot], of_slot
        if days is not None:
            known = given >= 0
            outside = known & ~days.hold(np.maximum(given, 0), slots.days[slot])
            self.faults += self._outside(np.flatnonzero(outside), given, days)
            return given, days.period_of(slots.days)
        return given, self._told_periods(given, slots, slot)

    def _no_periods(self) -> Finding:
        period = self.run.period or ""
        levels = self.run.column(period).levels
        shown = quote(levels[0])
        message = (
            f"there is no column {quote(period)}, and labels such as {shown} do not tell which "
            "days a period has"
        )
        remedy = f"add the column {quote(period)} with the run's own labels to the profile"
        return Finding("missing-period", "error", self.source.name, message, remedy)

    def _outside(self, rows: IntArray, given: IntArray, days: PeriodDays) -> Iterator[Finding]:
        if not len(rows):
            return
        period = self.run.period or ""
        first = int(given[rows[0]])
        label = self.run.column(period).levels[first]
        yield from self.source.fault(
            "time-outside-period",
            rows,
            "the time lies outside of the period beside it",
            f"{quote(label)} is {days.words(first)}; correct the time or the {period}, name the "
            "--zone whose days count, or say with --period-dates which day of a period a date is",
            show=self.source.slot,
        )

    def _told_periods(self, given: IntArray, slots: Slots, slot: IntArray) -> IntArray:
        """Period of every slot, where only the rows themselves tell it."""
        of_slot = np.full(len(slots.labels), -1, dtype=np.int64)
        rows = np.flatnonzero(given >= 0)
        of_slot[slot[rows]] = given[rows]
        clash = rows[of_slot[slot[rows]] != given[rows]]
        self.faults += self.source.fault(
            "time-in-two-periods",
            clash,
            "the same time is said to be in another period elsewhere in the file",
            "give every time one period",
            show=self.source.slot,
        )
        return of_slot

    def _duplicates(self, found: Deliveries) -> Iterator[Finding]:
        key = pd.DataFrame({"s": found.series, "p": found.period, "t": found.slot})
        in_run = found.period >= 0
        again = key.duplicated().to_numpy() & in_run
        if self.source.is_time and self.options.half_life is not None:
            again |= key[["s", "t"]].duplicated().to_numpy()
        remedy = "add the deliveries up, so that each slot has one row"
        if self.source.unused:
            unused = ", ".join(map(quote, self.source.unused))
            remedy += f"; column(s) {unused} are not of the run, so they do not tell rows apart"
        if self.source.is_time and self.options.zone is None:
            remedy += "; if clocks were put back in between, name the --zone"
        yield from self.source.fault(
            "duplicate-slot",
            np.flatnonzero(again),
            "the slot has a row already",
            remedy,
        )


def _series(codes: list[IntArray], n_rows: int) -> tuple[IntArray, IntArray]:
    """Return distinct combinations of codes, and that of every row."""
    if not codes:
        return np.zeros((1, 0), dtype=np.int64), np.zeros(n_rows, dtype=np.int64)
    row = np.zeros(n_rows, dtype=np.int64)
    for code in codes:
        row = pd.factorize(row * (int(code.max(initial=0)) + 1) + code)[0].astype(np.int64)
    first = np.unique(row, return_index=True)[1]
    return np.stack([code[first] for code in codes], axis=1), row


def _combined(series: IntArray, period: IntArray | None) -> IntArray:
    return series if period is None else series * (int(period.max(initial=0)) + 2) + period


def _ordered(moments: list[Moment], row: IntArray) -> tuple[Slots, IntArray]:
    """Put moments in the order of time; equal instants are one slot."""
    instants = np.array([microseconds(moment) for moment in moments], dtype=np.int64)
    distinct, first, position = np.unique(instants, return_index=True, return_inverse=True)
    kept = tuple(moments[i] for i in first.tolist())
    return Slots(tuple(moment.isoformat() for moment in kept), kept, distinct), position[row]
