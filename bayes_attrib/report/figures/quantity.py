"""What is drawn: amounts, shares or rates, with their columns, axes and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import pandas as pd

from bayes_attrib.errors import UnknownNameError
from bayes_attrib.report.language import message
from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.page.scale import compact
from bayes_attrib.report.run_folder import RunFolder

QuantityName = Literal["amount", "share", "rate"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity of a run.

    Attributes
    ----------
    name : {"amount", "share", "rate"}
        Its name in tables.
    head : str
        What a figure of it is called, by what it is broken down to.
    """

    name: QuantityName
    head: str

    def title(self, amounts: AmountFormat, noun: str) -> str:
        """Return the title of a figure, such as 'Amounts by campaign'."""
        return amounts.language.text(self.head, noun=noun)

    def axis_label(self, amounts: AmountFormat, exposure: str) -> str:
        """Return the label of an axis, with the unit.

        Parameters
        ----------
        amounts : AmountFormat
            Unit and language.
        exposure : str
            Column of the exposure, which rates are per unit of.
        """
        text = amounts.language.text
        if self.name == "amount":
            return text("Amount ({unit})", unit=amounts.unit)
        if self.name == "share":
            return text("Share of the total (%)")
        return text("Rate ({unit} per unit of {exposure})", unit=amounts.unit, exposure=exposure)

    def write(self, amounts: AmountFormat, value: float) -> str:
        """Write a value for the tick of an axis."""
        if self.name != "share":
            return compact(amounts.language, value)
        decimals = len(f"{100 * value:.4g}".partition(".")[2])
        return amounts.language.percent(value, decimals)


_QUANTITIES: Final[Mapping[str, Quantity]] = MappingProxyType(
    {
        "amount": Quantity("amount", message("Amounts by {noun}")),
        "share": Quantity("share", message("Shares by {noun}")),
        "rate": Quantity("rate", message("Rates by {noun}")),
    }
)


def quantity_of(name: str) -> Quantity:
    """Return a quantity by name.

    Parameters
    ----------
    name : str
        ``"amount"``, ``"share"`` or ``"rate"``.

    Returns
    -------
    Quantity
        Its columns and axis.

    Raises
    ------
    UnknownNameError
        If there is no such quantity.
    """
    if name not in _QUANTITIES:
        raise UnknownNameError(
            f"there is no quantity {name!r} to draw; there is {', '.join(map(repr, _QUANTITIES))}"
        )
    return _QUANTITIES[name]


def table_of(run: RunFolder, rows: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Return what a run's tables say of a quantity.

    Parameters
    ----------
    run : RunFolder
        The run.
    rows : DataFrame, shape (n_rows, n_columns)
        Rows of ``attribution.csv``.
    quantity : Quantity
        What is drawn.

    Returns
    -------
    DataFrame, shape (n_rows, 9)
        ``name, mean, lower, upper, expected_lower, expected_upper, em, proportional, truth``, in
        the unit of the quantity; shares are fractions of the grand total. NaN where the tables
        have no such number, as for the interval of an expected rate.
    """
    own = rows[["name"]].copy()
    for what in ("mean", "lower", "upper"):
        own[what] = rows[f"{quantity.name}_{what}"]
    divisor: pd.Series | float = 1.0
    if quantity.name == "share":
        divisor = run.manifest.data.grand_total
    elif quantity.name == "rate":
        divisor = rows["exposure"]
    for what in ("lower", "upper"):
        expected = rows[f"expected_amount_{what}"] / divisor
        own[f"expected_{what}"] = np.nan if quantity.name == "rate" else expected
    for what in ("em", "proportional", "truth"):
        own[what] = rows[f"{what}_amount"] / divisor
    return own.reset_index(drop=True)
