"""The closed set of repairs that a user can ask for, and the record of what each has done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Repair(StrEnum):
    """An opt-in repair, in the order in which repairs are carried out.

    What they drop, round or add up are rows that would otherwise be an error, and no others.
    """

    NORMALISE_UNICODE = "normalise-unicode"
    """Bring keys and group labels to Unicode's composed form (NFC)."""
    STRIP_KEY_WHITESPACE = "strip-key-whitespace"
    """Remove white space around keys and group labels."""
    ACCEPT_DOT_DECIMALS = "accept-dot-decimals"
    """Take 1.234 for a decimal number where a whole column looks like thousands."""
    DROP_DUPLICATE_ROWS = "drop-duplicate-rows"
    """Drop rows that repeat an earlier row in every column."""
    DROP_MISSING_EXPOSURES = "drop-missing-exposures"
    """Drop exposure rows without an exposure."""
    ROUND_FRACTIONAL_COUNTS = "round-fractional-counts"
    """Round totals to whole numbers, under a family of counts."""
    DROP_NEGATIVE_TOTALS = "drop-negative-totals"
    """Leave aggregates with a negative total out of the attribution."""
    SUM_DUPLICATE_EXPOSURES = "sum-duplicate-exposures"
    """Add up the exposures, and known amounts, of a pair that occurs more than once."""
    DROP_ORPHAN_EXPOSURES = "drop-orphan-exposures"
    """Drop exposure rows of aggregates or entities that are not in their tables."""
    DROP_ZERO_TOTALS = "drop-zero-totals"
    """Leave exposed aggregates of total zero out, under a family that excludes zero."""
    DROP_UNEXPLAINED_TOTALS = "drop-unexplained-totals"
    """Leave aggregates with a positive total and no exposure out of the attribution."""


@dataclass(frozen=True)
class RepairRecord:
    """What a repair has changed in one table.

    Attributes
    ----------
    repair : Repair
        The repair that was asked for.
    table : str
        Stem of the table.
    rows : int
        Number of rows that were changed or dropped.
    detail : str
        The change in words, with the first few rows.
    total_excluded : float
        Sum of the totals that were taken out of the attribution, in the unit of the totals.
    """

    repair: Repair
    table: str
    rows: int
    detail: str
    total_excluded: float = 0.0


def flag(repair: Repair) -> str:
    """Return a repair as the user types it."""
    return f"--repair {repair}"
