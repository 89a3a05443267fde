"""Axes: where a value lies in percent of a figure, and which values are labelled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from babel import numbers as babel_numbers

from bayes_attrib.report.language import Language

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_COMPACT_FROM: Final = 10_000
_WIDE: Final = 8.0
"""Beyond so many times the median, a linear axis would squeeze most values into a corner."""

_LINEAR_BELOW: Final = 0.3
"""Part of the median below which a wide axis is about linear."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled position on the axis, in percent."""

    position: float
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from ``low`` to ``high``.

    Attributes
    ----------
    low, high : float
        Values at its two ends, in the unit of what is drawn.
    unit : float or None
        None for a linear axis; else the position of x is in proportion to asinh(x / unit), which is
        logarithmic for large x and reaches zero.
    """

    low: float
    high: float
    unit: float | None = None

    def at(self, value: float) -> float:
        """Return the position of a value in percent, kept within the axis; NaN for NaN."""
        low, high, here = (self._bend(x) for x in (self.low, self.high, value))
        if math.isnan(here):
            return math.nan
        return round(min(100.0, max(0.0, 100.0 * (here - low) / (high - low))), 2)

    def ticks(self, language: Language, *, wanted: int = 4) -> tuple[Tick, ...]:
        """Return labelled positions at round numbers that keep their distance.

        Parameters
        ----------
        language : Language
            Language of the labels.
        wanted : int
            Steps to aim at.

        Returns
        -------
        tuple of Tick
            In the order of their positions.
        """
        marks = self._steps(wanted) if self.unit is None else self._powers(wanted)
        return tuple(Tick(self.at(mark), compact(language, mark)) for mark in marks)

    @property
    def is_linear(self) -> bool:
        """Whether equal distances are equal differences."""
        return self.unit is None

    def _bend(self, value: float) -> float:
        return value if self.unit is None else math.asinh(value / self.unit)

    def _steps(self, wanted: int) -> list[float]:
        raw = (self.high - self.low) / wanted
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(m * power for m in _STEPS if m * power >= raw * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def _powers(self, wanted: int) -> list[float]:
        """Zero, powers of ten that keep their distance, then their halves and doubles."""
        gap, chosen = 58.0 / wanted, [0.0] if self.low <= 0 else []
        for mark in self._candidates():
            place = self.at(mark)
            if all(abs(place - self.at(other)) >= gap for other in chosen):
                chosen.append(mark)
        return sorted(chosen)

    def _candidates(self) -> Iterator[float]:
        smallest = self.low if self.low > 0 else (self.unit or 1.0)
        powers = range(math.floor(math.log10(smallest)), math.floor(math.log10(self.high)) + 1)
        for factor in (1, 5, 2):
            for power in reversed(powers):
                mark = factor * 10.0**power
                if self.low <= mark <= self.high:
                    yield mark


def scale_from_zero(values: npt.ArrayLike) -> Scale:
    """Return a linear axis from zero to a little more than the largest value.

    Parameters
    ----------
    values : array_like
        What is drawn; values that are not finite are passed over.

    Returns
    -------
    Scale
        From 0 to 1 where nothing is positive.
    """
    highest = _highest(values)
    return Scale(0.0, 1.02 * highest if highest > 0 else 1.0)


def scale_for_rates(values: npt.ArrayLike) -> Scale:
    """Return an axis from zero: linear, or bent where a few values are far above the others.

    Parameters
    ----------
    values : array_like
        What is drawn, not negative; values that are not finite are passed over.

    Returns
    -------
    Scale
        Linear while the largest value is within :data:`_WIDE` times the median of positive ones.
    """
    found = np.asarray(values, dtype=np.float64).ravel()
    positive = found[np.isfinite(found) & (found > 0)]
    if not positive.size or positive.max() <= _WIDE * np.median(positive):
        return scale_from_zero(found)
    return Scale(0.0, 1.05 * float(positive.max()), _LINEAR_BELOW * float(np.median(positive)))


def axis_ticks(
    end: float, wanted: int = 4, *, language: Language | None = None
) -> tuple[Tick, ...]:
    """Return ticks at round numbers from zero up to at most ``end``.

    Parameters
    ----------
    end : float
        End of the axis, positive, in the unit of the amounts.
    wanted : int
        Steps to aim at.
    language : Language, optional
        Language of the labels; English by default.

    Returns
    -------
    tuple of Tick
        Positions in percent of ``end``.
    """
    return Scale(0.0, end).ticks(language or Language(), wanted=wanted)


def compact(language: Language, value: float) -> str:
    """Return a short form for axes: 950, 12K, 1.5M; in Spanish 12 mil."""
    if abs(value) < _COMPACT_FROM:
        digits = f"{value:.6g}"
        if "e" in digits:  # too small for a decimal fraction
            return language.significant(value, 1)
        return language.number(value, len(digits.partition(".")[2]))
    text = babel_numbers.format_compact_decimal(value, locale=language.locale, fraction_digits=1)
    return text.replace("-", "−")


def _highest(values: npt.ArrayLike) -> float:
    found = np.asarray(values, dtype=np.float64)
    finite = found[np.isfinite(found)]
    return float(finite.max()) if finite.size else 0.0
