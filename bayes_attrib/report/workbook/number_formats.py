"""Number formats of spreadsheets, in the form of the reader's locale."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

import numpy as np
from babel import Locale
from babel.numbers import get_currency_symbol

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.language import Language


@dataclass(frozen=True, slots=True)
class NumberFormats:
    """Formats by what a number is.

    Spreadsheets store them with a comma for thousands and a point for decimals, and show the signs
    of the machine that they are opened on; symbol and place of the currency are the report's.

    Attributes
    ----------
    amount : str
        Booked amounts.
    exact : str
        Amounts as the model gives them, with two decimals more.
    share : str
        Shares in percent.
    rate : str
        Rates per unit of exposure.
    exposure : str
        Exposures.
    count : str
        Whole numbers of things.
    """

    amount: str
    exact: str
    share: str
    rate: str
    exposure: str
    count: str = "#,##0"

    @classmethod
    def choose(
        cls, language: Language, currency: str | None, decimals: int, rates: FloatArray
    ) -> Self:
        """Choose the formats of a run.

        Parameters
        ----------
        language : Language
            Language and forms of numbers of the reader.
        currency : str or None
            ISO 4217 code, or None for units.
        decimals : int
            Decimals of booked amounts.
        rates : ndarray, shape (n_entities,)
            Mean rates; their size decides how many decimals they need.

        Returns
        -------
        NumberFormats
            Format codes.
        """
        return cls(
            amount_format(language, currency, decimals),
            amount_format(language, currency, decimals + 2),
            "0.00%",
            digits_format(_decimals_for(rates)),
            digits_format(2),
        )


def amount_format(language: Language, currency: str | None, decimals: int) -> str:
    r"""Return the format code of amounts: ``[$€]#,##0.00`` or ``#,##0.00\ [$€]``.

    Parameters
    ----------
    language : Language
        Decides symbol and place of the currency.
    currency : str or None
        ISO 4217 code, or None for units.
    decimals : int
        Decimals to show.

    Returns
    -------
    str
        Format code of Office Open XML.
    """
    digits = digits_format(decimals)
    if currency is None:
        return digits
    pattern = Locale.parse(language.locale).currency_formats["standard"].pattern.split(";")[0]
    symbol = get_currency_symbol(currency, language.locale)
    before, after = re.split(r"[#,0.]+", pattern, maxsplit=1)
    if before.endswith("¤") and symbol[-1:].isalpha():
        before += " "
    sides = (re.sub(r"\s", r"\\ ", side).replace("¤", f"[${symbol}]") for side in (before, after))
    return digits.join(sides)


def digits_format(decimals: int) -> str:
    """Return the format code of a number with thousands separators and so many decimals."""
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def _decimals_for(rates: FloatArray) -> int:
    """Give the typical rate four significant digits."""
    known = rates[np.isfinite(rates) & (rates > 0)]
    if not len(known):
        return 4
    return int(np.clip(3 - np.floor(np.log10(np.median(known))), 0, 9))
