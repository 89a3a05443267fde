"""What two runs were made from, and how, compared key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bayes_attrib.report.records import InputRecord
from bayes_attrib.report.run_folder import RunFolder

Change = dict[str, Any]
"""A ``path`` with its ``old`` and ``new`` value; None where one run does not have it."""


def changed_facts(old: RunFolder, new: RunFolder) -> dict[str, Any]:
    """Compare the records of two runs.

    Parameters
    ----------
    old, new : RunFolder
        The runs.

    Returns
    -------
    dict
        ``inputs`` (every table with its old and new digest and rows, and whether it changed), and
        lists of changes ``spec``, ``priors``, ``versions``, ``run`` (seed, method, sampling,
        platform, verdict, repairs, sizes); each change has ``path``, ``old`` and ``new``.
    """
    return {
        "inputs": _inputs(old.manifest.inputs, new.manifest.inputs),
        "spec": list(changed_paths(_spec(old), _spec(new))),
        "priors": list(changed_paths(_priors(old), _priors(new))),
        "versions": list(changed_paths(old.manifest.versions, new.manifest.versions)),
        "run": list(changed_paths(_about(old), _about(new))),
    }


def changed_paths(
    old: Mapping[str, Any], new: Mapping[str, Any], above: str = ""
) -> Iterator[Change]:
    """Yield the leaves of two nested mappings that differ.

    Parameters
    ----------
    old, new : mapping
        Plain JSON types; lists are leaves.
    above : str
        Path of both.

    Yields
    ------
    dict
        ``path``, keys joined by dots, with ``old`` and ``new``; a key that one side lacks has None
        there.
    """
    for key in dict.fromkeys((*old, *new)):
        a, b = old.get(key), new.get(key)
        path = f"{above}{key}"
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            yield from changed_paths(a, b, f"{path}.")
        elif a != b:
            yield {"path": path, "old": a, "new": b}


def _inputs(old: tuple[InputRecord, ...], new: tuple[InputRecord, ...]) -> list[dict[str, Any]]:
    before, after = ({record.table: record for record in side} for side in (old, new))
    found = []
    for table in dict.fromkeys((*before, *after)):
        a, b = before.get(table), after.get(table)
        same = a is not None and b is not None and a.sha256 == b.sha256
        found.append(
            {
                "table": table,
                "changed": not same,
                "old": None if a is None else a.model_dump(exclude={"table"}),
                "new": None if b is None else b.model_dump(exclude={"table"}),
            }
        )
    return found


def _spec(run: RunFolder) -> dict[str, Any]:
    return run.spec.model_dump(mode="json")


def _priors(run: RunFolder) -> dict[str, Any]:
    return {name: prior.model_dump() for name, prior in run.manifest.priors.items()}


def _about(run: RunFolder) -> dict[str, Any]:
    manifest = run.manifest
    return {
        "name": manifest.name,
        "verdict": run.diagnostics.verdict,
        "seed": manifest.seed,
        "method": manifest.method,
        "model": manifest.model,
        "sampling": manifest.sampling,
        "platform": manifest.platform,
        "data": manifest.data.model_dump(),
        "repairs": [repair.model_dump() for repair in manifest.repairs],
    }
