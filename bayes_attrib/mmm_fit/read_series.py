"""Read the series of a mix model strictly: all faults of the file together, each with its lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, nearest, quote
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.inputs.numbers import CellStatus, parse_numbers
from bayes_attrib.inputs.source import EXTENSIONS, extension_of
from bayes_attrib.inputs.table_file import TableFile, read_table_file
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import NATIONAL, MmmSeries, event_columns, trend_columns
from bayes_attrib.mmm_fit.series_checks import series_findings

SERIES_TABLE: Final = "series"
FUTURE_TABLE: Final = "future"

_STATUS_WORDS: Final = {
    CellStatus.MISSING: ("missing-number", "is empty", "fill it in; write 0 where nothing was"),
    CellStatus.NOT_FINITE: ("not-finite", "is not finite", "correct the source"),
    CellStatus.NOT_A_NUMBER: (
        "not-a-number",
        "is not a plain number",
        "write digits with a decimal dot, without units, percent signs or separators",
    ),
}


@dataclass(frozen=True)
class SeriesRead:
    """What came of reading.

    Attributes
    ----------
    series : MmmSeries
        The data.
    findings : tuple of Finding
        Warnings and notes; errors have been raised.
    """

    series: MmmSeries
    findings: tuple[Finding, ...] = ()


def locate_series(data: Path, stem: str = SERIES_TABLE) -> Path:
    """Return the file of a table: the path itself, or the one in a data folder.

    Parameters
    ----------
    data : Path
        A file, or a folder that holds ``series.csv``, ``series.csv.gz`` or ``series.parquet``.
    stem : str
        Name of the table.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DataError
        If there is none, or more than one.
    """
    if not data.is_dir():
        if not data.is_file():
            raise _refused("missing-file", str(data.name), "there is no such file", "check DATA")
        return data
    found = [path for e in EXTENSIONS if (path := data / f"{stem}{e}").is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        names = listed([path.name for path in found])
        raise _refused("two-formats", stem, f"the folder holds {names}", "remove all but one")
    held = sorted(path.name for path in data.iterdir() if path.is_file())
    message = f"there is no {stem}.csv; the folder holds {listed(held) if held else 'no files'}"
    remedy = f"add the table as {stem}.csv or {stem}.parquet, or give the file itself as DATA"
    raise _refused("missing-table", stem, message, remedy)


def read_series(spec: MmmSpec, data: Path) -> SeriesRead:
    """Read the series that a mix model is fitted to.

    Parameters
    ----------
    spec : MmmSpec
        Names of the columns, events and trend.
    data : Path
        A data folder, or the file.

    Returns
    -------
    SeriesRead
        The data, and what a reader should know about them.

    Raises
    ------
    DataError
        If anything is wrong; all faults are listed.
    """
    table = _Table(spec, _file(locate_series(data)), future=False)
    findings = [*table.findings()]
    _raise(findings)
    series = table.series()
    findings += series_findings(spec, series)
    _raise(findings)
    return SeriesRead(series, tuple(findings))


def read_future(spec: MmmSpec, data: Path, fitted: MmmSeries) -> MmmSeries:
    """Read planned spend, for the periods right after those that were fitted.

    Parameters
    ----------
    spec : MmmSpec
        As for the fit.
    data : Path
        The file, or a folder that holds ``future.csv``.
    fitted : MmmSeries
        What was fitted.

    Returns
    -------
    MmmSeries
        Without a target.

    Raises
    ------
    DataError
        If anything is wrong, the geos differ, or the periods do not follow upon those of the fit.
    """
    path = locate_series(data, FUTURE_TABLE)
    table = _Table(spec, _file(path), future=True, fitted=fitted)
    _raise([*table.findings()])
    series = table.series()
    _raise([*_future_findings(series, fitted)])
    return series


def _future_findings(series: MmmSeries, fitted: MmmSeries) -> Iterator[Finding]:
    where = series.source.name
    if set(series.geos) != set(fitted.geos):
        yield Finding(
            "geos-differ",
            "error",
            where,
            f"it has the geos {listed([quote(g) for g in series.geos])}; the fit has "
            f"{listed([quote(g) for g in fitted.geos])}",
            "give every geo of the fit, and no other",
        )
    step = fitted.dates[1] - fitted.dates[0]
    wanted = fitted.dates[-1] + step
    if series.dates[0] != wanted:
        yield Finding(
            "not-the-next-period",
            "error",
            where,
            f"it begins on {series.dates[0]:%Y-%m-%d}; the fit ends on {fitted.dates[-1]:%Y-%m-%d}",
            f"begin with the period after it, {wanted:%Y-%m-%d}, without a gap",
        )
    if len(series.dates) > 1 and series.dates[1] - series.dates[0] != step:
        given = (series.dates[1] - series.dates[0]).days
        yield Finding(
            "other-step",
            "error",
            where,
            f"its periods are {given} days apart; those of the fit {step.days}",
            "give periods of the same length",
        )


def _file(path: Path) -> TableFile:
    if extension_of(path) is None:
        remedy = "save the table as CSV in UTF-8 or as Parquet"
        raise _refused("unknown-format", path.name, "this format is not known", remedy)
    try:
        found = read_table_file(path, SERIES_TABLE)
    except UnavailableError as error:
        raise DataError("the series cannot be used:", error.findings) from error
    _raise(found.findings)
    return found


def _raise(findings: Iterable[Finding]) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        count = "one fault" if len(errors) == 1 else f"{len(errors)} faults"
        raise DataError(f"the series have {count}:", errors)


def _refused(code: str, where: str, message: str, remedy: str) -> DataError:
    return DataError("the series cannot be used:", [Finding(code, "error", where, message, remedy)])


class _Table:
    """One file on its way to rectangular arrays."""

    def __init__(
        self, spec: MmmSpec, file: TableFile, *, future: bool, fitted: MmmSeries | None = None
    ) -> None:
        self.spec, self.file, self.fitted = spec, file, fitted
        columns = spec.columns
        target = () if future else (columns.target,)
        self.numeric = (*columns.channels, *columns.controls, *target)
        self.keys = (columns.date, *filter(None, [columns.geo]))
        self.values: dict[str, FloatArray] = {}

    def findings(self) -> Iterator[Finding]:
        """Yield the faults, those of the columns first: without columns there are no cells."""
        missing = [*self._missing_columns()]
        yield from missing
        if missing:
            return
        for name in self.numeric:
            yield from self._number_faults(name)
        yield from self._date_faults()
        if self.spec.columns.geo is not None:
            yield from self._blank_geos()
        yield from self._row_faults()

    def series(self) -> MmmSeries:
        """Return the arrays; the faults must have been asked for, and there must be none."""
        columns = self.spec.columns
        dates = pd.DatetimeIndex(np.unique(self.dates))
        geos = tuple(dict.fromkeys(self.geos.tolist())) if self.fitted is None else self._geos()
        place = pd.Index(geos).get_indexer(pd.Index(self.geos))
        at = (np.searchsorted(dates.to_numpy(), self.dates), place)
        shape = (len(dates), len(geos))
        own = (
            np.stack([self._grid(name, at, shape) for name in columns.controls], axis=-1)
            if (columns.controls)
            else np.zeros((*shape, 0))
        )
        past = dates if self.fitted is None else self.fitted.dates
        made = np.concatenate(
            [
                event_columns(self.spec, dates, past[1] - past[0]),
                trend_columns(self.spec, dates, past[0], past[-1]),
            ],
            axis=1,
        )
        spread = np.broadcast_to(made[:, np.newaxis], (*shape, made.shape[1]))
        target = columns.target if columns.target in self.values else None
        return MmmSeries(
            dates,
            geos,
            columns.channels,
            self.spec.control_names,
            np.stack([self._grid(name, at, shape) for name in columns.channels], axis=-1),
            np.concatenate([own, spread], axis=-1),
            np.full(shape, np.nan) if target is None else self._grid(target, at, shape),
            self.file.source,
        )

    def _geos(self) -> tuple[str, ...]:
        """Return the geos in the order of the fit, and any others after them."""
        known = () if self.fitted is None else self.fitted.geos
        present = set(self.geos.tolist())
        others = sorted(present - set(known))
        return (*(geo for geo in known if geo in present), *others)

    def _grid(
        self, name: str, at: tuple[npt.NDArray[np.int64], ...], shape: tuple[int, int]
    ) -> FloatArray:
        grid = np.zeros(shape)
        grid[at] = self.values[name]
        return grid

    def _missing_columns(self) -> Iterator[Finding]:
        for name in (*self.keys, *self.numeric):
            if name not in self.file.columns:
                near = nearest(name, self.file.columns)
                hint = f"did you mean {quote(near)}? " if near else ""
                yield Finding(
                    "missing-column",
                    "error",
                    self.file.name,
                    f"there is no column {quote(name)}",
                    f"{hint}the columns are {listed(self.file.columns)}",
                )

    def _number_faults(self, name: str) -> Iterator[Finding]:
        try:
            column = parse_numbers(self.file.cells.column(name))
        except TypeError as error:
            message = f"column {quote(name)} is stored as {error}, not as numbers"
            yield Finding("not-numbers", "error", self.file.name, message, "store it as numbers")
            return
        self.values[name] = column.parsed
        for status, (code, statement, remedy) in _STATUS_WORDS.items():
            rows = np.flatnonzero(column.status == status)
            if len(rows):
                yield self._fault(code, rows, name, statement, remedy)
        if name in self.spec.columns.channels:
            rows = np.flatnonzero(column.parsed < 0)
            if len(rows):
                remedy = "correct the source; where nothing was spent write 0"
                yield self._fault("negative-spend", rows, name, "is negative", remedy)

    def _fault(
        self, code: str, rows: npt.NDArray[np.int64], name: str, statement: str, remedy: str
    ) -> Finding:
        cells = [quote(self.file.cell(name, int(row))) for row in rows[:MAX_EXAMPLES]]
        message = f"column {quote(name)} {statement} ({counted(len(rows), 'row')}): "
        message += listed(cells, len(rows))
        return Finding(code, "error", self.file.place(rows), message, remedy)

    def _date_faults(self) -> Iterator[Finding]:
        name = self.spec.columns.date
        cells = self.file.cells.column(name)
        if pa.types.is_temporal(cells.type):
            parsed = pd.to_datetime(cells.to_pandas(), errors="coerce")
        else:
            text = cells.cast(pa.large_string()).fill_null("").to_pandas().str.strip()
            parsed = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
        self.dates = parsed.to_numpy().astype("datetime64[s]")
        rows = np.flatnonzero(np.isnat(self.dates))
        if len(rows):
            remedy = "write dates as 2024-01-29, the first day of the period"
            yield self._fault("not-a-date", rows, name, "is not a date", remedy)

    def _blank_geos(self) -> Iterator[Finding]:
        name = str(self.spec.columns.geo)
        text = self.file.cells.column(name).cast(pa.large_string()).fill_null("").to_pandas()
        self.geos = np.asarray(text.str.normalize("NFC").str.strip(), dtype=object)
        rows = np.flatnonzero(self.geos == "")
        if len(rows):
            yield self._fault("blank-geo", rows, name, "is empty", "name the place")

    def _row_faults(self) -> Iterator[Finding]:
        """Yield rows that repeat, places without some of the periods, and uneven steps."""
        if self.spec.columns.geo is None:
            self.geos = np.full(len(self.dates), NATIONAL, dtype=object)
        known = ~np.isnat(self.dates)
        keys = pd.DataFrame({"date": self.dates, "geo": self.geos})[known]
        again = np.flatnonzero(known)[keys.duplicated().to_numpy()]
        if len(again):
            what = "the same period" + (" and geo" if self.spec.columns.geo else "")
            remedy = "add these rows up, or name the column of places as columns.geo"
            if self.spec.columns.geo:
                remedy = "add these rows up, or correct their keys"
            yield self._fault(
                "duplicate-rows", again, self.spec.columns.date, f"repeats {what}", remedy
            )
            return
        yield from self._step_faults(np.unique(keys["date"].to_numpy()))
        yield from self._gaps(keys)

    def _step_faults(self, dates: npt.NDArray[np.datetime64]) -> Iterator[Finding]:
        if len(dates) < 2:
            if self.fitted is None:
                message = f"there is {counted(len(dates), 'period')}; a mix model needs many"
                yield Finding("few-periods", "error", self.file.name, message, "give all periods")
            return
        steps = np.diff(dates)
        step = np.median(steps.astype(np.int64)).astype("timedelta64[s]")
        odd = np.flatnonzero(steps != step)
        if len(odd):
            shown = [
                f"{dates[i].astype('datetime64[D]')} to {dates[i + 1].astype('datetime64[D]')}"
                for i in odd[:MAX_EXAMPLES]
            ]
            days = step.astype("timedelta64[D]").astype(int)
            message = (
                f"periods are {days} days apart, but not these "
                f"({counted(len(odd), 'step')}): {listed(shown, len(odd), separator='; ')}"
            )
            remedy = "give every period, with zeros where nothing was spent; carry-over needs them"
            yield Finding("uneven-periods", "error", self.file.name, message, remedy)

    def _gaps(self, keys: pd.DataFrame) -> Iterator[Finding]:
        counts = keys.groupby("geo", sort=False)["date"].nunique()
        n_dates = keys["date"].nunique()
        for geo, count in counts[counts < n_dates].items():
            absent = sorted(set(keys["date"]) - set(keys.loc[keys["geo"] == geo, "date"]))
            shown = [f"{day:%Y-%m-%d}" for day in absent[:MAX_EXAMPLES]]
            message = (
                f"geo {quote(str(geo))} has {count} of {n_dates} periods; it lacks "
                f"{listed(shown, len(absent))}"
            )
            remedy = "give every geo every period, with zeros where nothing was spent"
            yield Finding("missing-periods", "error", self.file.name, message, remedy)
