"""What came of checking a run folder, one named row per check."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

Status = Literal["ok", "failed", "not recorded", "not checked"]

RELATIVE_TOLERANCE: Final = 1e-9
"""Largest relative difference that is taken for rounding."""

RESTORE: Final = (
    "restore the file from a copy of the run, or run `bayes-attrib fit SPEC DATA --out RUN "
    "--overwrite` again with the same spec, tables and seed"
)
"""What mends a file that was changed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check and what came of it.

    Attributes
    ----------
    name : str
        Stable name of the check, such as ``"sha256"`` or ``"entity_sums.amount_mean"``.
    file : str
        File of the run, or input table, that the check is about.
    status : {"ok", "failed", "not recorded", "not checked"}
        ``"not recorded"`` where an older version left out what the check needs, ``"not checked"``
        where another failure, or something missing, kept it from being made.
    value : float, str or None
        What was found; for numbers, the largest difference.
    tolerance : float or None
        Largest value that passes; None where the check is one of identity.
    message : str
        What was compared; where the check failed, with the offending values.
    remedy : str
        What to do about a failure; empty where there is none.
    """

    name: str
    file: str
    status: Status
    value: float | str | None
    tolerance: float | None
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class Verification:
    """All checks of a run folder.

    Attributes
    ----------
    run : Path
        The folder.
    manifest_sha256 : str or None
        SHA-256 of ``manifest.json``; None where it is missing. Whoever keeps it elsewhere can tell
        that the manifest, and by it every other file, is the one that was written.
    outcomes : tuple of Outcome
        In the order in which they were made.
    """

    run: Path
    manifest_sha256: str | None
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Checks that failed."""
        return self.with_status("failed")

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self.failed

    def with_status(self, *statuses: Status) -> tuple[Outcome, ...]:
        """Return the checks with one of these statuses."""
        return tuple(outcome for outcome in self.outcomes if outcome.status in statuses)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON types; numbers that are not finite become null."""
        rows = [asdict(outcome) for outcome in self.outcomes]
        for row in rows:
            if isinstance(row["value"], float) and not math.isfinite(row["value"]):
                row["value"] = None
        return {
            "schema_version": 1,
            "run": str(self.run),
            "passed": self.passed,
            "n_checks": len(self.outcomes),
            "n_failed": len(self.failed),
            "manifest_sha256": self.manifest_sha256,
            "checks": rows,
        }


def measured(
    name: str, file: str, value: float, what: str, *, detail: str = "", tolerance: float
) -> Outcome:
    """Hold a difference against its tolerance; NaN fails.

    Parameters
    ----------
    name, file : str
        Of the check.
    value : float
        The difference, not negative.
    what : str
        What was compared, as a noun phrase.
    detail : str
        Where the difference is largest, with both values; said only of a failure.
    tolerance : float
        Largest value that passes.

    Returns
    -------
    Outcome
        ``"ok"`` or ``"failed"``.
    """
    if value <= tolerance:
        return Outcome(name, file, "ok", float(value), tolerance, what)
    message = f"{what}: {detail}" if detail else f"{what}: off by {value:.6g}"
    return Outcome(name, file, "failed", float(value), tolerance, message, RESTORE)


def identity(
    name: str,
    file: str,
    wrong: str | None,
    what: str,
    *,
    value: str | None = None,
    remedy: str = RESTORE,
) -> Outcome:
    """Report a check of identity.

    Parameters
    ----------
    name, file : str
        Of the check.
    wrong : str or None
        What is not as it should be, with the values; None or empty if nothing.
    what : str
        What was compared, as a noun phrase.
    value : str, optional
        What was found.
    remedy : str
        What to do about a failure.

    Returns
    -------
    Outcome
        ``"ok"`` or ``"failed"``.
    """
    if not wrong:
        return Outcome(name, file, "ok", value, None, what)
    return Outcome(name, file, "failed", value, None, f"{what}: {wrong}", remedy)


def not_checked(name: str, file: str, reason: str) -> Outcome:
    """Report that a check could not be made, and why."""
    return Outcome(name, file, "not checked", None, None, reason)
