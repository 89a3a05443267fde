"""What a user decides about a downscaling."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final, Literal

from bayes_attrib.errors import Finding

Ambiguous = Literal["order", "earlier", "later"]
PeriodDates = Literal["start", "end"]
Fallback = Literal["group", "even"]

_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?) ?(min|h|d)")
_MICROSECONDS: Final = {"min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_LONGEST_YEARS: Final = 100.0
_YEAR: Final = dt.timedelta(days=365.25) / dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class ProfileOptions:
    """How the file of a delivery profile is read, and what fills its gaps.

    Attributes
    ----------
    time : str or None
        Column of timestamps; ``"timestamp"`` where the file has it and no slots are named.
    slot : str or None
        Column of slots that are no timestamps, such as ``"morning"``.
    delivery : str
        Column of deliveries: impressions, spend, visits; zero or more.
    zone : str or None
        IANA time zone, such as ``"Europe/Madrid"``, that local times are of and days are told in.
    ambiguous : {"order", "earlier", "later"}
        What a local time stands for that the clock shows twice, if a profile has it once: an error,
        its earlier or its later occurrence. If a profile has it twice, the order of rows decides.
    period_dates : {"start", "end"}
        Which day of a period its label names, where labels are dates.
    missing : tuple of {"group", "even"}
        What stands in, in this order, for the profile of a cell without delivery; nothing by
        default, which is an error.
    half_life : str or None
        After which time half of the effect of a delivery is left, such as ``"6h"``; None for no
        carry-over.
    """

    time: str | None = None
    slot: str | None = None
    delivery: str = "delivery"
    zone: str | None = None
    ambiguous: Ambiguous = "order"
    period_dates: PeriodDates = "start"
    missing: tuple[Fallback, ...] = ()
    half_life: str | None = None

    @property
    def half_life_microseconds(self) -> float | None:
        """The half-life as a number; None where there is none, or it is no duration."""
        match = None if self.half_life is None else _DURATION.fullmatch(self.half_life.strip())
        if match is None:
            return None
        found = float(match.group(1)) * _MICROSECONDS[match.group(2)]
        return found if 0 < found <= _LONGEST_YEARS * _YEAR else None


def half_life_findings(options: ProfileOptions) -> list[Finding]:
    """Return the fault of a half-life that is no duration.

    Parameters
    ----------
    options : ProfileOptions
        What was asked for.

    Returns
    -------
    list of Finding
        Empty where there is no half-life, or it is one.
    """
    if options.half_life is None or options.half_life_microseconds is not None:
        return []
    message = f"{options.half_life!r} is no half-life"
    remedy = "write a positive number with its unit: 90min, 6h or 2d"
    return [Finding("half-life", "error", "--half-life", message, remedy)]
