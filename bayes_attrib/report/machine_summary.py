"""A run in one short JSON object, for programs."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Final

from bayes_attrib.report.run_folder import RunFolder

SCHEMA_VERSION: Final = 1
"""Raised when a key changes its meaning or goes; keys may be added without."""

_TOP_COLUMNS: Final = (
    *("amount_mean", "amount_lower", "amount_upper"),
    *("share_mean", "share_lower", "share_upper"),
)


def machine_summary(run: RunFolder, *, top: int = 10) -> dict[str, Any]:
    """Summarise a run for programs.

    Parameters
    ----------
    run : RunFolder
        The run.
    top : int
        Most entities to list, largest amount first.

    Returns
    -------
    dict
        Plain JSON types; numbers that are not finite are None. The keys are listed in
        ``docs/exports.md``.
    """
    manifest, diagnostics = run.manifest, run.diagnostics
    interval = manifest.spec.report.interval
    by_severity = Counter(finding.severity for finding in diagnostics.findings)
    summary = {
        "schema_version": SCHEMA_VERSION,
        "run": str(run.path),
        "name": manifest.name,
        "verdict": diagnostics.verdict,
        "method": manifest.method,
        "seed": manifest.seed,
        "spec_digest": manifest.spec_digest,
        "grand_total": manifest.data.grand_total,
        "currency": manifest.spec.report.currency,
        "n_entities": manifest.data.n_entities,
        "n_aggregates": manifest.data.n_aggregates,
        "interval": {"kind": interval.kind, "prob": interval.prob},
        "top": [
            {"name": str(row["name"]), **{column: row[column] for column in _TOP_COLUMNS}}
            for row in run.entities.head(top).to_dict("records")
        ],
        "checks": [
            {"name": check.name, "status": check.status, "value": check.value}
            for check in diagnostics.checks
            if check.status != "ok"
        ],
        "findings": {severity: by_severity[severity] for severity in ("warning", "note")},
        "files": [str(run.path / name) for name in _files_of(run)],
    }
    return {key: finite_or_none(value) for key, value in summary.items()}


def finite_or_none(value: Any) -> Any:
    """Return plain JSON types with every number that is not finite replaced by None."""
    if isinstance(value, dict):
        return {key: finite_or_none(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_none(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _files_of(run: RunFolder) -> list[str]:
    """Names of the files of the folder, in their order; half-written ones are left out."""
    found = (path.name for path in run.path.iterdir() if path.is_file())
    return sorted(name for name in found if not name.endswith(".partial"))
