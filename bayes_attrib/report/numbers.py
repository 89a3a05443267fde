"""Numbers for people: separators, sensible decimals, and columns that add up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from bayes_attrib.attribution.rounding import LARGEST_TOTAL, round_cells
from bayes_attrib.report.language import ENGLISH, MISSING, Language

FloatArray = npt.NDArray[np.float64]


def fixed(value: float, decimals: int, *, language: Language = ENGLISH) -> str:
    """Return a number with thousands separators and so many decimals; a dash for NaN."""
    return language.number(value, decimals)


def significant(value: float, digits: int = 3, *, language: Language = ENGLISH) -> str:
    """Return a number with so many significant digits, whole numbers never shortened."""
    return language.significant(value, digits)


def shortest(value: float, *, language: Language = ENGLISH) -> str:
    """Return a number with up to four significant digits and no trailing zeros: 1.01, 400."""
    if not math.isfinite(value):
        return MISSING
    if abs(value) >= 1000:
        return language.number(value)
    text = f"{value:.4g}"
    if "e" in text:
        return language.significant(value, 2)
    return language.number(float(text), len(text.partition(".")[2]))


def compact(value: float, *, language: Language = ENGLISH) -> str:
    """Return a short form for axes: 950, 12k, 1.5M."""
    size, sign = next(
        ((size, sign) for size, sign in _SIZES if abs(value) >= (1e4 if sign == "k" else size)),
        (1.0, ""),
    )
    text = f"{value / size:.6g}"
    decimals = 0 if "e" in text else len(text.partition(".")[2])
    return f"{language.number(value / size, decimals)}{sign}"


_SIZES: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def percent(fraction: float, decimals: int = 1, *, language: Language = ENGLISH) -> str:
    """Return a fraction as a percentage."""
    return language.percent(fraction, decimals)


def round_to_sum(values: npt.ArrayLike, decimals: int) -> FloatArray:
    """Round a column so that it still adds up, see :func:`attribution.rounding.round_cells`.

    Parameters
    ----------
    values : array_like, shape (n,)
        Numbers, not negative; NaN stays NaN and takes no part.
    decimals : int
        Decimals to keep.

    Returns
    -------
    ndarray, shape (n,)
        Each value rounded up or down, so that the sum equals the rounded sum of ``values``.
    """
    rounded = np.array(values, dtype=np.float64)
    known = np.isfinite(rounded)
    scale = 10.0**decimals
    whole = float(np.rint(rounded[known].sum() * scale))
    if whole > LARGEST_TOTAL:  # doubles of this size have no such decimals
        return np.round(rounded, decimals)
    n = int(known.sum())
    units = round_cells(rounded[known], [int(whole)], np.zeros(n, int), np.arange(n), decimals)
    rounded[known] = units / scale
    return rounded


def fixed_column(
    values: npt.ArrayLike,
    decimals: int,
    *,
    first: int | None = None,
    language: Language = ENGLISH,
) -> list[str]:
    """Format a column, or its first values, that adds up as shown, see :func:`round_to_sum`."""
    rounded = round_to_sum(values, decimals)[:first]
    return [language.number(value, decimals) for value in rounded.tolist()]


def interval(lower: float, upper: float, decimals: int, *, language: Language = ENGLISH) -> str:
    """Return the two ends of an interval as text."""
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return MISSING
    return language.text(
        "{lower} to {upper}",
        lower=language.number(lower, decimals),
        upper=language.number(upper, decimals),
    )


def plural(n: int, noun: str, nouns: str | None = None) -> str:
    """Return a count with its noun: ``1 week``, ``54 weeks``."""
    return f"{n:,} {noun if n == 1 else (nouns or noun + 's')}"


@dataclass(frozen=True, slots=True)
class AmountFormat:
    """How the amounts of one run are written, the same in every table.

    Attributes
    ----------
    mean_decimals : int
        Decimals of amounts and totals.
    bound_decimals : int
        Decimals of the ends of intervals.
    unit : str
        Name of the unit, such as ``"EUR"`` or ``"redemptions"``.
    currency : bool
        Whether the unit is a currency, which is written where the language puts it.
    share_decimals : int
        Decimals of shares in percent.
    language : Language
        Language of the reader.
    """

    mean_decimals: int
    bound_decimals: int
    unit: str
    currency: bool
    share_decimals: int
    language: Language = ENGLISH

    @classmethod
    def choose(
        cls,
        amounts: FloatArray,
        *,
        counts: bool,
        unit: str,
        currency: bool,
        language: Language = ENGLISH,
    ) -> Self:
        """Choose decimals from the size of the amounts.

        Counts are written as whole numbers. Where entities earn few each, means get one decimal:
        whole numbers would make 0.6 and 1.4 look alike.

        Parameters
        ----------
        amounts : ndarray, shape (n_entities,)
            Mean amounts, in the unit of the totals.
        counts : bool
            Whether totals are whole numbers.
        unit : str
            Name of the unit.
        currency : bool
            Whether the unit is a currency.
        language : Language
            Language of the reader.

        Returns
        -------
        AmountFormat
            The format for all amounts of the run.
        """
        typical = float(np.nanmean(amounts)) if np.isfinite(amounts).any() else 0.0
        if counts:
            mean, bound = (0 if typical >= 10 else 1), 0
        elif currency:
            mean = bound = 0 if typical >= 1000 else 2
        else:
            order = math.floor(math.log10(typical)) if typical > 0 else 0
            mean = bound = min(6, max(0, 2 - order))
        size = len(amounts)
        shares = 1 if size <= 100 else 2 if size <= 1000 else 3
        return cls(mean, bound, unit, currency, shares, language)

    def mean(self, value: float) -> str:
        """Format one amount."""
        return self.language.number(value, self.mean_decimals)

    def means(self, values: Iterable[float], *, first: int | None = None) -> list[str]:
        """Format a column of amounts that adds up, or its first values."""
        amounts = np.fromiter(values, dtype=np.float64)
        return fixed_column(amounts, self.mean_decimals, first=first, language=self.language)

    def bounds(self, lower: float, upper: float) -> str:
        """Format the interval of an amount."""
        return interval(lower, upper, self.bound_decimals, language=self.language)

    def with_currency(self, value: float) -> str:
        """Format one amount, with its unit where that is a currency: ``€1,200`` or ``1,200``."""
        return self.with_unit(value) if self.currency else self.mean(value)

    def with_unit(self, value: float) -> str:
        """Format one amount with its unit: ``€1,200`` or ``1,200 redemptions``."""
        if self.currency:
            return self.language.money(value, self.unit, self.mean_decimals)
        return self.language.text("{amount} {unit}", amount=self.mean(value), unit=self.unit)
