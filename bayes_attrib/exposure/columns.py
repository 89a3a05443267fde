"""Names of the columns of a delivery table."""

from __future__ import annotations

from dataclasses import dataclass

from bayes_attrib import names


@dataclass(frozen=True)
class DeliveryColumns:
    """Names of the columns of a delivery table.

    Attributes
    ----------
    entity : str
        What delivers and gets credit: campaign, creative, ...
    channel : str
        Channel of the mix model.
    period : str
        Day, week, ...
    delivery : str
        Impressions, GRPs, clicks or spend; not negative.
    geo : str or None
        Geo of the mix model; None for a national one.
    others : tuple of str
        Further key columns of an aggregate, such as a product. Carry-over and curves stay within
        one combination of them; they have no parameters of their own.

    Raises
    ------
    ValueError
        If two of the names are equal, or one is that of the result, ``exposure``.
    """

    entity: str
    channel: str
    period: str
    delivery: str = "delivery"
    geo: str | None = None
    others: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        used = [*self.keys, self.delivery]
        twice = sorted({name for name in used if used.count(name) > 1})
        if twice:
            raise ValueError(f"columns must differ from each other; {twice[0]!r} is named twice")
        if names.EXPOSURE in used:
            raise ValueError(
                f"{names.EXPOSURE!r} is the name of the result; rename that column of the delivery "
                "table"
            )

    @property
    def cell(self) -> tuple[str, ...]:
        """Key columns of an aggregate but the period."""
        return (self.channel, *((self.geo,) if self.geo else ()), *self.others)

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that together tell a row from all others."""
        return (*self.cell, self.period, self.entity)
