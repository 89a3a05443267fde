"""Amounts and shares at any grain as streams: summarised, or draw by draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from bayes_attrib.attribution import GrainDraws, summarise
from bayes_attrib.errors import UnknownNameError
from bayes_attrib.report.exports.stream import (
    MOST_ROWS,
    TEXT,
    Stream,
    coded,
    dictionary_of,
    metadata_of,
    numbers,
)
from bayes_attrib.report.run_draws import RunDraws

FloatArray = npt.NDArray[np.float64]

_ENDS: Final = ("mean", "lower", "upper")
_AMOUNT: Final = ("amount_mean", "amount_sd", "amount_lower", "amount_upper")
_SHARE: Final = tuple(f"share_{end}" for end in _ENDS)
_SHARE_OF_PERIOD: Final = tuple(f"share_of_period_{end}" for end in _ENDS)
_INTERVAL: Final = ("interval_kind", "interval_prob")
_DRAW: Final = ("chain", "draw", "amount", "share")
_TAKEN: Final = frozenset({*_AMOUNT, *_SHARE, *_SHARE_OF_PERIOD, *_INTERVAL, *_DRAW})


@dataclass(frozen=True, eq=False)
class _Keys:
    """Key columns of a grain: dictionaries once, codes for every row."""

    codes: dict[str, npt.NDArray[np.int32]]
    dictionaries: dict[str, pa.Array]

    @classmethod
    def of(cls, labels: pd.DataFrame, *, escape_formulas: bool) -> _Keys:
        codes, dictionaries = {}, {}
        for column in labels.columns:
            code, values = pd.factorize(labels[column])
            name = f"{column}_key" if column in _TAKEN else str(column)
            codes[name] = code.astype(np.int32)
            dictionaries[name] = dictionary_of(list(values), escape_formulas=escape_formulas)
        return cls(codes, dictionaries)

    @property
    def fields(self) -> list[tuple[str, pa.DataType]]:
        return [(name, TEXT) for name in self.codes]

    def columns(self, rows: Any, *, repeats: int = 1) -> list[pa.Array]:
        """Return the key columns of some rows, each row so many times in succession."""
        return [
            coded(np.repeat(codes[rows], repeats), self.dictionaries[name])
            for name, codes in self.codes.items()
        ]


def shares_stream(draws: RunDraws, by: Sequence[str], *, escape_formulas: bool = False) -> Stream:
    """Summarise amounts and shares at a grain.

    Parameters
    ----------
    draws : RunDraws
        The run.
    by : sequence of str
        Columns of the grain, see :func:`~bayes_attrib.attribution.grain_of`.
    escape_formulas : bool
        Whether names that look like formulas get a ``'`` before them.

    Returns
    -------
    Stream
        One row per row of the grain: its keys, amounts in the unit of the totals, shares of the
        grand total; where the period is one of several columns of the grain, shares within the
        period too, null where its total is zero; and the interval's kind and probability.

    Raises
    ------
    UnknownNameError
        If the run has no such column, or one is named twice.
    """
    found = _drawn(draws, by)
    keys = _Keys.of(found.labels, escape_formulas=escape_formulas)
    within = _period_totals(draws, found)
    interval = draws.run.spec.report.interval
    kind = dictionary_of([interval.kind], escape_formulas=False)
    measures = [*_AMOUNT, *_SHARE, *(() if within is None else _SHARE_OF_PERIOD)]
    schema = pa.schema(
        [
            *keys.fields,
            *((name, pa.float64()) for name in measures),
            ("interval_kind", TEXT),
            ("interval_prob", pa.float64()),
        ],
        metadata=metadata_of(draws.run),
    )

    def _batches() -> Iterator[pa.RecordBatch]:
        for block, values in found.amounts.blocks():
            amount = summarise(values, interval)
            bounds = (amount.mean, amount.lower, amount.upper)
            columns = [amount.mean, amount.sd, amount.lower, amount.upper]
            columns += [bound / draws.data.grand_total for bound in bounds]
            if within is not None:
                columns += [bound / within[block] for bound in bounds]
            n = len(values)
            yield pa.record_batch(
                [
                    *keys.columns(block),
                    *map(numbers, columns),
                    coded(np.zeros(n, dtype=np.int32), kind),
                    numbers(np.full(n, interval.prob)),
                ],
                schema=schema,
            )

    return Stream(schema, _batches())


def draws_stream(
    draws: RunDraws, by: Sequence[str], *, most: int | None = None, escape_formulas: bool = False
) -> Stream:
    """Write out draws of amounts and shares at a grain, one row per row of the grain and draw.

    Parameters
    ----------
    draws : RunDraws
        The run.
    by : sequence of str
        Columns of the grain, see :func:`~bayes_attrib.attribution.grain_of`.
    most : int, optional
        So many draws are kept, evenly spaced over all chains; all of them by default.
    escape_formulas : bool
        Whether names that look like formulas get a ``'`` before them.

    Returns
    -------
    Stream
        Keys, ``chain`` and ``draw`` as in ``posterior.nc``, the amount in the unit of the totals,
        and its share of the grand total.

    Raises
    ------
    UnknownNameError
        If the run has no such column, or one is named twice.
    """
    found = _drawn(draws, by)
    keys = _Keys.of(found.labels, escape_formulas=escape_formulas)
    kept = thinned(draws.n_draws, most)
    chain, draw = np.divmod(kept, draws.n_draws // draws.fit.n_chains)
    schema = pa.schema(
        [
            *keys.fields,
            ("chain", pa.int32()),
            ("draw", pa.int32()),
            ("amount", pa.float64()),
            ("share", pa.float64()),
        ],
        metadata=metadata_of(draws.run),
    )
    step = max(1, MOST_ROWS // len(kept))

    def _batches() -> Iterator[pa.RecordBatch]:
        for block, values in found.amounts.blocks():
            for start in range(0, len(values), step):
                amounts = values[start : start + step, kept]
                rows = slice(block.start + start, block.start + start + len(amounts))
                flat = amounts.ravel()
                yield pa.record_batch(
                    [
                        *keys.columns(rows, repeats=len(kept)),
                        pa.array(np.tile(chain, len(amounts)), pa.int32()),
                        pa.array(np.tile(draw, len(amounts)), pa.int32()),
                        numbers(flat),
                        numbers(flat / draws.data.grand_total),
                    ],
                    schema=schema,
                )

    return Stream(schema, _batches())


def thinned(n_draws: int, most: int | None) -> npt.NDArray[np.int64]:
    """Return the positions of the draws that are kept, ascending and evenly spaced.

    Parameters
    ----------
    n_draws : int
        Number of draws.
    most : int or None
        How many are kept; all where there are no more than these, or None.

    Returns
    -------
    ndarray of int, shape (min(n_draws, most),)
        Positions.
    """
    wanted = n_draws if most is None else min(most, n_draws)
    return np.arange(wanted, dtype=np.int64) * n_draws // wanted


def _drawn(draws: RunDraws, by: Sequence[str]) -> GrainDraws:
    twice = sorted({name for name in by if list(by).count(name) > 1})
    if twice:
        raise UnknownNameError(f"the grain names {', '.join(twice)} twice; name each column once")
    return draws.amounts(*by)


def _period_totals(draws: RunDraws, found: GrainDraws) -> FloatArray | None:
    """Total of the period of every row; None where the grain has no period beside other columns.

    A total is split without remainder in every draw, so the total of a period is the same in all.
    """
    period = draws.period
    if period is None or period not in found.labels or len(found.labels.columns) < 2:
        return None
    keys, data = draws.data.aggregate_keys[period].astype(str), draws.data
    totals = pd.Series(data.totals, index=keys.to_numpy()).groupby(level=0).sum()
    within = totals.reindex(found.labels[period].to_numpy()).to_numpy(dtype=np.float64)
    return np.where(within > 0, within, np.nan)
