"""The pass over all cells: amounts of their slots, a block of rows at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bayes_attrib.attribution.downscaling.profiles import Profiles
from bayes_attrib.attribution.downscaling.split import SplitLaw, Splitter
from bayes_attrib.attribution.intervals import Summary, interval_of, summarise
from bayes_attrib.inference.draw_matrix import BLOCK_ELEMENTS, DrawMatrix
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.spec import IntervalSpec

_MOST_THREADS: Final = 4
_SMALL, _LARGE = np.iinfo(np.int16).max, np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class SlotDraws:
    """Draws of the amounts of consecutive rows; a row is a slot of a cell.

    Attributes
    ----------
    cell : ndarray of int, shape (n_rows,)
        Cell of each row, ascending.
    entry : ndarray of int, shape (n_rows,)
        Entry of the profiles: its slot and its share.
    amounts : ndarray, shape (n_rows, n_draws)
        Draws, in the unit of the totals.
    """

    cell: IntArray
    entry: IntArray
    amounts: FloatArray


@dataclass(frozen=True, eq=False)
class SlotSummaries:
    """Summaries of the amounts of consecutive rows.

    Attributes
    ----------
    cell, entry : ndarray of int, shape (n_rows,)
        As of :class:`SlotDraws`.
    summary : Summary
        Moments and interval of each row.
    """

    cell: IntArray
    entry: IntArray
    summary: Summary


def slot_draws(
    amounts: DrawMatrix,
    profiles: Profiles,
    law: SplitLaw,
    *,
    most_elements: int = BLOCK_ELEMENTS,
) -> Iterator[SlotDraws]:
    """Draw the amounts of all slots given the amounts of their cells.

    Parameters
    ----------
    amounts : DrawMatrix, shape (n_cells, n_draws)
        Draws of the amounts of cells.
    profiles : Profiles
        Shares of slots.
    law : SplitLaw
        Law of the amounts of slots.
    most_elements : int
        Rows times draws of a block, about. A profile of more slots is drawn in two stages, so other
        draws of the same law come of another value.

    Yields
    ------
    SlotDraws
        Cells in their order, and slots in the order of time.
    """
    splitter = Splitter(profiles, law, most_elements)
    for cells, drawn in _cell_blocks(amounts, profiles, most_elements // amounts.shape[1]):
        yield from _blocks(splitter, cells, drawn)


def _blocks(splitter: Splitter, cells: IntArray, drawn: FloatArray) -> Iterator[SlotDraws]:
    pieces: list[SlotDraws] = []
    held = 0
    for cell, amounts in zip(cells.tolist(), drawn, strict=True):
        for entries, values in splitter.split(cell, amounts):
            if pieces and held + values.size > splitter.most_elements:
                yield _joined(pieces)
                pieces, held = [], 0
            entry = np.arange(entries.start, entries.stop)
            pieces.append(SlotDraws(np.full(len(entry), cell), entry, values))
            held += values.size
    if pieces:
        yield _joined(pieces)


def slot_summaries(
    amounts: DrawMatrix, profiles: Profiles, law: SplitLaw, interval: IntervalSpec
) -> Iterator[SlotSummaries]:
    """Summarise the amounts of all slots; draws are held for one block only.

    Where nothing is random but the amounts of cells, a slot's summary is its cell's times its
    share, and no draws of slots are made.

    Parameters
    ----------
    amounts : DrawMatrix, shape (n_cells, n_draws)
        Draws of the amounts of cells.
    profiles : Profiles
        Shares of slots.
    law : SplitLaw
        Law of the amounts of slots.
    interval : IntervalSpec
        Kind and probability of the intervals.

    Yields
    ------
    SlotSummaries
        Cells in their order, and slots in the order of time.
    """
    if law.is_proportional:
        yield from _proportional(amounts, profiles, interval)
        return
    summarise_draws = _summarise_counts if law.counts else summarise

    def summaries(cells: IntArray, drawn: FloatArray) -> list[SlotSummaries]:
        """Draw and summarise the slots of some cells."""
        return [
            SlotSummaries(block.cell, block.entry, summarise_draws(block.amounts, interval))
            for block in _blocks(Splitter(profiles, law), cells, drawn)
        ]

    most_rows = BLOCK_ELEMENTS // amounts.shape[1]
    for found in _in_order(summaries, _cell_blocks(amounts, profiles, most_rows)):
        yield from found


def _in_order[T](
    function: Callable[[IntArray, FloatArray], T], tasks: Iterator[tuple[IntArray, FloatArray]]
) -> Iterator[T]:
    """Carry tasks out on a few threads, and yield what comes of them in the order of the tasks.

    Drawing and sorting leave Python's lock to others. Each cell has random numbers of its own, so
    the threads do not change them.
    """
    n_threads = min(_MOST_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(n_threads) as pool:
        pending: deque[Future[T]] = deque()
        for task in tasks:
            pending.append(pool.submit(function, *task))
            if len(pending) > n_threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _proportional(
    amounts: DrawMatrix, profiles: Profiles, interval: IntervalSpec
) -> Iterator[SlotSummaries]:
    for cells, drawn in _cell_blocks(amounts, profiles, BLOCK_ELEMENTS // 10):
        whole = summarise(drawn, interval)
        profile = profiles.of_cell[cells]
        sizes = np.diff(profiles.indptr)[profile]
        ends = np.cumsum(sizes)
        first = profiles.indptr[profile] - (ends - sizes)
        entry = np.arange(ends[-1]) + np.repeat(first, sizes)
        row, share = np.repeat(np.arange(len(cells)), sizes), profiles.share[entry]
        found = Summary(
            whole.mean[row] * share,
            whole.sd[row] * share,
            whole.lower[row] * share,
            whole.upper[row] * share,
        )
        yield SlotSummaries(cells[row], entry, found)


def _summarise_counts(draws: FloatArray, interval: IntervalSpec) -> Summary:
    """Summarise whole numbers; short integers are sorted in a fraction of the time of floats."""
    largest = float(draws.max(initial=0.0))
    if largest > _LARGE:
        return summarise(draws, interval)
    short: npt.NDArray[Any] = draws.astype(np.int16 if largest <= _SMALL else np.int32)
    lower, upper = interval_of(short, interval)
    many = draws.shape[1] > 1
    sd = draws.std(axis=1, ddof=1) if many else np.full(len(draws), np.nan)
    ends = (lower.astype(np.float64), upper.astype(np.float64))
    return Summary(draws.mean(axis=1), sd, *ends)


def _cell_blocks(
    amounts: DrawMatrix, profiles: Profiles, most_rows: int
) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield cells with their draws, so many that neither draws nor rows are too many at once."""
    cells, n_draws = profiles.cells, amounts.shape[1]
    ends = np.cumsum(profiles.sizes)
    start = 0
    while start < len(cells):
        before = ends[start] - profiles.sizes[start]
        stop = int(np.searchsorted(ends, before + most_rows, side="right"))
        stop = min(max(stop, start + 1), start + max(1, BLOCK_ELEMENTS // max(1, n_draws)))
        chosen = cells[start:stop]
        yield chosen, amounts.rows(chosen)
        start = stop


def _joined(pieces: list[SlotDraws]) -> SlotDraws:
    if len(pieces) == 1:
        return pieces[0]
    return SlotDraws(
        np.concatenate([piece.cell for piece in pieces]),
        np.concatenate([piece.entry for piece in pieces]),
        np.concatenate([piece.amounts for piece in pieces]),
    )
