"""Solutions of Robyn, from the folder that its CSV export writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.citing import MAX_EXAMPLES, listed, nearest, quote
from bayes_attrib.exposure import (
    Adstock,
    ChannelTransform,
    GeometricAdstock,
    HillSaturation,
    NoAdstock,
    TransformKey,
    WeibullCdfAdstock,
    WeibullPdfAdstock,
    carry_over,
)
from bayes_attrib.mmm.delivery_match import delivery_sums
from bayes_attrib.mmm.delivery_table import DeliveryTable
from bayes_attrib.mmm.mix_model import MixModel
from bayes_attrib.mmm.refusal import refusal
from bayes_attrib.mmm.value_checks import require_dates, require_order, require_range

FloatArray = npt.NDArray[np.float64]
WeibullKind = Literal["weibull_cdf", "weibull_pdf"]

SOURCE: Final = "robyn"
CONTRIBUTIONS_FILE: Final = "pareto_alldecomp_matrix.csv"
PARAMETERS_FILE: Final = "pareto_hyperparameters.csv"
MEDIA_FILE: Final = "pareto_media_transform_matrix.csv"
_SOLUTION, _PERIOD = "solID", "ds"
_RAW: Final = "rawMedia"


@dataclass(frozen=True)
class RobynOptions:
    """What a user tells about an export of Robyn.

    Attributes
    ----------
    solution : str or None
        The solID to read; None where the files hold only one.
    weibull : {"weibull_cdf", "weibull_pdf"} or None
        Which Weibull adstock was used, which the files do not tell.
    """

    solution: str | None = None
    weibull: WeibullKind | None = None


def read_robyn(folder: Path, table: DeliveryTable, options: RobynOptions) -> MixModel:
    """Read one solution of Robyn.

    Solutions are an ensemble of models and no draws of a posterior, so one of them is demanded,
    and its totals have no uncertainty. Intervals of Robyn's (``ci_*``) are not read: they are of
    the ensemble.

    Parameters
    ----------
    folder : Path
        Folder with ``pareto_alldecomp_matrix.csv`` and ``pareto_hyperparameters.csv``; where
        ``pareto_media_transform_matrix.csv`` is there, delivery is compared with it.
    table : DeliveryTable
        Delivery: Robyn places the Hill curve between the least and the largest adstock.
    options : RobynOptions
        Solution and kind of adstock.

    Returns
    -------
    MixModel
        National contributions, one draw.

    Raises
    ------
    DataError
        If a file or a column is missing, a cell is no number, or the solution is not named.
    """
    rows, solution = _solution(_table(folder, CONTRIBUTIONS_FILE), options.solution)
    parameters, _ = _solution(_table(folder, PARAMETERS_FILE), solution)
    channels = _channels(parameters, rows)
    cells = list(map(str, rows.frame[_PERIOD]))
    require_dates(cells, rows.frame.index.tolist(), f"{CONTRIBUTIONS_FILE}, column {_PERIOD}")
    periods = tuple(text[:10] for text in cells)
    require_order(periods, f"{CONTRIBUTIONS_FILE}, column {_PERIOD}")
    history = _history(table, periods)
    sums = delivery_sums(table, (*history, *periods), (None,), channels)[:, 0]
    transforms, windows = {}, len(history)
    for j, channel in enumerate(channels):
        transforms[channel] = _transform(parameters, channel, sums[:, j], windows, options)
    contributions = np.stack([_numbers(rows, channel) for channel in channels], axis=-1)
    off = [
        _disproportion(contributions[:, j], sums[:, j], transforms[channel], windows)
        for j, channel in enumerate(channels)
    ]
    media, delivery = _delivery(folder, solution, channels, periods, len(history))
    kinds: dict[TransformKey, ChannelTransform] = dict(transforms.items())
    return MixModel(
        source=SOURCE,
        files=(folder / CONTRIBUTIONS_FILE, folder / PARAMETERS_FILE, *media),
        channels=channels,
        geos=None,
        periods=periods,
        history=history,
        contributions=contributions[np.newaxis, np.newaxis, :, np.newaxis],
        has_draws=False,
        transforms=kinds,
        delivery=delivery,
        facts={
            "solution": solution,
            "adstock": {c: transforms[c].adstock.kind for c in channels},
            "totals_are": "a point estimate of one solution; their uncertainty is not known",
            "delivery_compared": delivery is not None,
            "largest_disproportion": dict(zip(channels, off, strict=True)),
        },
    )


@dataclass(frozen=True, eq=False)
class _Csv:
    """A table of an export as text, and the line of each row."""

    name: str
    frame: pd.DataFrame


def _table(folder: Path, name: str) -> _Csv:
    path = folder / name
    if not path.is_file():
        held = sorted(p.name for p in folder.glob("*.csv")) if folder.is_dir() else []
        raise refusal(
            "missing-file",
            name,
            f"the folder {folder.name} does not hold it; its tables are {listed(held) or 'none'}",
            "export it with robyn_outputs(..., csv_out = 'pareto')",
        )
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise refusal(
            "unreadable-file",
            name,
            f"cannot be read: {str(error).splitlines()[0]}",
            "export it again, and do not save it from a spreadsheet",
        ) from error
    frame.index = pd.RangeIndex(2, len(frame) + 2)  # lines of the file
    if frame.empty:
        raise refusal("no-rows", name, "there are no rows below the header", "export it again")
    for column in (_SOLUTION, *((_PERIOD,) if name != PARAMETERS_FILE else ())):
        if column not in frame:
            raise _no_column(name, column, frame)
    return _Csv(name, frame)


def _no_column(name: str, column: str, frame: pd.DataFrame) -> Exception:
    close = nearest(column, map(str, frame.columns))
    guess = f"did you mean {quote(close)}? " if close else ""
    return refusal(
        "missing-column",
        name,
        f"there is no column {quote(column)}",
        f"{guess}the columns are {listed([str(c) for c in frame.columns if c])}",
    )


def _solution(table: _Csv, wanted: str | None) -> tuple[_Csv, str]:
    """Return the rows of one solution, and which it is."""
    known = list(dict.fromkeys(table.frame[_SOLUTION]))
    if wanted is None:
        if len(known) != 1:
            raise refusal(
                "several-solutions",
                f"{table.name}, column {_SOLUTION}",
                f"there are {len(known)} solutions: {listed([quote(name) for name in known])}",
                "solutions are different models and no draws: name the one that you chose with "
                "--solution",
            )
        wanted = known[0]
    if wanted not in known:
        close = nearest(wanted, known)
        guess = f"did you mean {quote(close)}? " if close else ""
        raise refusal(
            "unknown-solution",
            f"{table.name}, column {_SOLUTION}",
            f"there is no solution {quote(wanted)}",
            f"{guess}there are {listed([quote(name) for name in known])}",
        )
    return _Csv(table.name, table.frame[table.frame[_SOLUTION] == wanted]), wanted


def _channels(parameters: _Csv, rows: _Csv) -> tuple[str, ...]:
    found = tuple(
        str(name).removesuffix("_alphas")
        for name in parameters.frame.columns
        if str(name).endswith("_alphas")
    )
    if not found:
        raise _no_column(parameters.name, "<channel>_alphas", parameters.frame)
    for channel in found:
        if channel not in rows.frame:
            raise _no_column(rows.name, channel, rows.frame)
    repeated = rows.frame[_PERIOD].duplicated(keep=False)
    if repeated.any() or len(parameters.frame) != 1:
        where = rows if repeated.any() else parameters
        at = rows.frame.index[repeated] if repeated.any() else parameters.frame.index
        raise refusal(
            "repeated-rows",
            f"{where.name}, lines {listed([str(line) for line in at], len(at))}",
            "the same solution has more than one row where one is expected",
            "export again into an empty folder",
        )
    return found


def _numbers(table: _Csv, column: str) -> FloatArray:
    if column not in table.frame:
        raise _no_column(table.name, column, table.frame)
    values = pd.to_numeric(table.frame[column], errors="coerce").to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        shown = [
            f"line {table.frame.index[i]}: {quote(str(table.frame[column].iloc[i]))}"
            for i in bad[:MAX_EXAMPLES].tolist()
        ]
        raise refusal(
            "not-a-number",
            f"{table.name}, column {quote(column)}",
            f"not a number: {listed(shown, len(bad))}",
            "export the file again; numbers have a decimal dot",
        )
    return values


def _history(table: DeliveryTable, periods: tuple[str, ...]) -> tuple[str, ...]:
    """Return periods of deliveries before the modelled window, which carry over into it."""
    told = {str(period) for period in table.frame[table.columns.period]}
    return tuple(sorted(period for period in told if period and period < periods[0]))


def _transform(
    parameters: _Csv, channel: str, delivery: FloatArray, n_history: int, options: RobynOptions
) -> ChannelTransform:
    adstock = _adstock(parameters, channel, len(delivery), options)
    works = carry_over(np.maximum(np.nan_to_num(delivery), 0.0), adstock.weights())[n_history:]
    alpha = float(_numbers(parameters, f"{channel}_alphas")[0])
    gamma = float(_numbers(parameters, f"{channel}_gammas")[0])
    half = float(works.min() + gamma * (works.max() - works.min()))
    if alpha <= 0 or half < 0 or not 0 <= gamma <= 1:
        raise refusal(
            "bad-parameter",
            f"{parameters.name}, line {parameters.frame.index[0]}",
            f"the Hill curve of {quote(channel)} has alpha {alpha:g} and gamma {gamma:g}",
            "alphas are positive and gammas lie between 0 and 1; export the file again",
        )
    # A channel that delivers nothing has no curve: any half saturation gives exposures of 0.
    return ChannelTransform(adstock, HillSaturation(half if half > 0 else 1.0, alpha))


def _disproportion(
    contributions: FloatArray, delivery: FloatArray, transform: ChannelTransform, n_history: int
) -> float:
    """Return how far contributions are from a multiple of their curve, in parts of the largest."""
    carried = carry_over(np.maximum(np.nan_to_num(delivery), 0.0), transform.adstock.weights())
    curve = transform.saturation.of(carried[n_history:])
    size = float(np.abs(contributions).max())
    if size == 0:
        return 0.0
    slope = float(contributions @ curve) / max(float(curve @ curve), float(np.finfo(float).tiny))
    return float(np.abs(contributions - slope * curve).max()) / size


def _adstock(parameters: _Csv, channel: str, n_periods: int, options: RobynOptions) -> Adstock:
    columns = parameters.frame.columns
    try:
        if f"{channel}_thetas" in columns:
            theta = float(_numbers(parameters, f"{channel}_thetas")[0])
            return GeometricAdstock(theta, normalise=False)
        shape = float(_numbers(parameters, f"{channel}_shapes")[0])
        scale = float(_numbers(parameters, f"{channel}_scales")[0])
        if options.weibull is None:
            raise refusal(
                "unknown-adstock",
                parameters.name,
                f"the adstock of {quote(channel)} is a Weibull one, and the file does not tell "
                "which",
                "give --robyn-adstock weibull_cdf or weibull_pdf, as in robyn_inputs",
            )
        if shape == 0 or scale == 0:
            return NoAdstock()
        kind = WeibullCdfAdstock if options.weibull == "weibull_cdf" else WeibullPdfAdstock
        lags = float(np.round(1 + (n_periods - 1) * scale))
        return kind(lags, shape, n_periods, normalise=False)
    except ValueError as error:
        raise refusal(
            "bad-parameter",
            f"{parameters.name}, line {parameters.frame.index[0]}",
            f"the adstock of {quote(channel)}: {error}",
            "export the file again",
        ) from error


def _delivery(
    folder: Path,
    solution: str,
    channels: tuple[str, ...],
    periods: tuple[str, ...],
    n_history: int,
) -> tuple[tuple[Path, ...], FloatArray | None]:
    """Return delivery that Robyn saw, NaN for periods before its window, if the file is there."""
    path = folder / MEDIA_FILE
    if not path.is_file():
        return (), None
    whole = _table(folder, MEDIA_FILE)
    if "type" not in whole.frame:
        raise _no_column(MEDIA_FILE, "type", whole.frame)
    mine = (whole.frame["type"] == _RAW) & (whole.frame[_SOLUTION] == solution)
    raw = _Csv(MEDIA_FILE, whole.frame[mine])
    dates = tuple(text[:10] for text in raw.frame[_PERIOD])
    if dates != periods:
        raise refusal(
            "periods-differ",
            f"{MEDIA_FILE}, rows of type {_RAW}",
            f"there are {len(dates)} periods of solution {quote(solution)}, and "
            f"{CONTRIBUTIONS_FILE} has {len(periods)}",
            "export all files in one go into an empty folder",
        )
    seen: Any = np.stack([_numbers(raw, channel) for channel in channels], axis=-1)
    require_range(seen, f"{MEDIA_FILE}, rows of type {_RAW}")
    before = np.full((n_history, len(channels)), np.nan)
    return (path,), np.concatenate([before, seen])[:, np.newaxis]
