"""Checks of files as bytes, and of what the two JSON records say about each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from bayes_attrib import names
from bayes_attrib.inputs import DataSource
from bayes_attrib.inputs.source import locate
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.report.file_digests import RECORDED_FILES, sha256_of
from bayes_attrib.report.records import Check, Diagnostics, Manifest
from bayes_attrib.report.run_folder import FILES
from bayes_attrib.report.verification.outcome import Outcome, identity, not_checked

_PROVENANCE = ("name", "spec", "spec_digest", "inputs", "seed", "method", "versions")


def check_presence(run: Path, recorded: Mapping[str, str]) -> list[Outcome]:
    """Check that every file of a run is there.

    Parameters
    ----------
    run : Path
        The folder.
    recorded : mapping of str to str
        ``outputs`` of the manifest.

    Returns
    -------
    list of Outcome
        One for each file that every run has, or that this one recorded.
    """
    return [
        identity(
            "file_is_there",
            name,
            None if (run / name).is_file() else f"{run / name} is missing",
            "the file is there",
        )
        for name in dict.fromkeys((*FILES, *recorded))
    ]


def check_digests(run: Path, recorded: Mapping[str, str]) -> list[Outcome]:
    """Compare the SHA-256 of the files of a run with those that its manifest recorded.

    Parameters
    ----------
    run : Path
        The folder.
    recorded : mapping of str to str
        ``outputs`` of the manifest; empty where an older version wrote it.

    Returns
    -------
    list of Outcome
        One for each file that is there and should have a digest.
    """
    found: list[Outcome] = []
    for name in dict.fromkeys((*RECORDED_FILES, *recorded)):
        if not (run / name).is_file():
            continue
        if name not in recorded:
            message = (
                f"{names.MANIFEST_FILE} has no digest of it; versions that write `outputs` record "
                "it when they fit"
            )
            found.append(Outcome("sha256", name, "not recorded", None, None, message))
            continue
        now = sha256_of(run / name)
        changed = f"it is {now}, and {names.MANIFEST_FILE} recorded {recorded[name]}"
        wrong = None if now == recorded[name] else f"the file was changed after the run; {changed}"
        found.append(identity("sha256", name, wrong, "SHA-256 of the file", value=now))
    return found


def check_manifest_digest(run: Path, wanted: str | None) -> list[Outcome]:
    """Compare the SHA-256 of the manifest with one that was kept elsewhere, if it is given."""
    if wanted is None:
        return []
    now = sha256_of(run / names.MANIFEST_FILE)
    wrong = None if now == wanted.strip().lower() else f"it is {now}, and {wanted} was expected"
    what = "SHA-256 of the manifest, as it was noted elsewhere"
    return [identity("manifest_sha256", names.MANIFEST_FILE, wrong, what, value=now)]


def check_spec_digest(raw: Mapping[str, Any]) -> Outcome:
    """Check that the digest of the spec is that of the spec beside it."""
    canonical = json.dumps(raw.get("spec"), sort_keys=True, ensure_ascii=False)
    now, recorded = hashlib.sha256(canonical.encode()).hexdigest(), raw.get("spec_digest")
    wrong = None if now == recorded else f"it is {now}, and spec_digest says {recorded}"
    return identity(
        "spec_digest", names.MANIFEST_FILE, wrong, "digest of the spec in the manifest", value=now
    )


def check_inputs(manifest: Manifest, source: DataSource) -> list[Outcome]:
    """Compare the SHA-256 of input tables with those that the run was computed from.

    Parameters
    ----------
    manifest : Manifest
        Records name, digest and size of every table.
    source : DataSource
        A folder, or single files; tables that it does not name are not checked.

    Returns
    -------
    list of Outcome
        One for each table that the manifest records.
    """
    found: list[Outcome] = []
    for record in manifest.inputs:
        name, what = f"input.{record.table}", f"SHA-256 of the {record.table} table"
        try:
            path = locate(source, record.table)
        except UnavailableError as error:
            reasons = "; ".join(finding.message for finding in error.findings)
            found.append(identity(name, record.name, reasons, what, remedy="check the path"))
            continue
        if path is None and source.folder is None:
            reason = f"this table was not given; --{record.table} FILE names it"
            found.append(not_checked(name, record.name, reason))
            continue
        if path is None:
            wrong = f"the folder {source.folder} does not hold {record.name}"
            remedy = f"name the file with --{record.table} FILE"
            found.append(identity(name, record.name, wrong, what, remedy=remedy))
            continue
        now = sha256_of(path)
        wrong = f"{path.name} has {now}, and the run was computed from {record.sha256}"
        remedy = "give the tables of this run, or fit again to these"
        same = now == record.sha256
        found.append(
            identity(name, path.name, None if same else wrong, what, value=now, remedy=remedy)
        )
    return found


def check_provenance(
    tree: xr.DataTree, raw: Mapping[str, Any], manifest: Manifest
) -> list[Outcome]:
    """Compare what the posterior file says of its origin with the manifest.

    Parameters
    ----------
    tree : xarray.DataTree
        The posterior file.
    raw : mapping
        The manifest as it is written.
    manifest : Manifest
        The same, parsed.

    Returns
    -------
    list of Outcome
        Attributes, and numbers of chains and draws.
    """
    file = names.POSTERIOR_FILE
    what = f"attributes of {file} against {names.MANIFEST_FILE}"
    known = [key for key in _PROVENANCE if key in tree.attrs]
    if not known:
        reason = f"{file} does not say where it is from; an older version wrote it"
        found = [Outcome("provenance", file, "not recorded", None, None, reason)]
    else:
        lacking = [f"{key} is missing" for key in _PROVENANCE if key not in tree.attrs]
        differing = [_difference(key, tree.attrs[key], raw.get(key)) for key in known]
        wrong = "; ".join([*lacking, *filter(None, differing)])
        found = [identity("provenance", file, wrong, what)]
    sizes = tree["posterior"].sizes if "posterior" in tree else {}
    for dim, key in ((names.CHAIN, "chains"), (names.DRAW, "draws")):
        if key in manifest.sampling:
            stored, said = sizes.get(dim), manifest.sampling[key]
            wrong = "" if stored == said else f"the file has {stored}, the manifest says {said}"
            found.append(identity(f"number_of_{key}", file, wrong, f"number of {key}"))
    return found


def _difference(key: str, stored: str, said: Any) -> str | None:
    if json.loads(stored) == said:
        return None
    short = json.dumps(said, sort_keys=True, ensure_ascii=False)
    if max(len(stored), len(short)) > 120:
        return f"{key} differs"
    return f"{key} is {stored} in the posterior and {short} in the manifest"


def check_verdict(diagnostics: Diagnostics) -> list[Outcome]:
    """Check that each status follows from its value, and the verdict from the statuses.

    Parameters
    ----------
    diagnostics : Diagnostics
        Content of ``diagnostics.json``.

    Returns
    -------
    list of Outcome
        One for the statuses, one for the verdict.
    """
    file = names.DIAGNOSTICS_FILE
    wrong = [
        f"{c.name} is {c.value} against {c.comparison} {c.threshold} and its status is {c.status!r}"
        for c in diagnostics.checks
        if not _status_follows(c)
    ]
    worst = _worst(check.status for check in diagnostics.checks)
    differs = f"it is {diagnostics.verdict!r}, and the worst check gives {worst!r}"
    return [
        identity("check_statuses", file, "; ".join(wrong), "status of every check by its value"),
        identity(
            "verdict",
            file,
            None if worst == diagnostics.verdict else differs,
            "verdict as the worst status of all checks",
            value=diagnostics.verdict,
        ),
    ]


def _status_follows(check: Check) -> bool:
    """Whether ``ok`` is said where the threshold is kept, and only there; no value is a failure."""
    if check.value is None or check.threshold is None:
        return check.status == "fail"
    below = check.comparison == "<="
    holds = check.value <= check.threshold if below else check.value >= check.threshold
    return holds == (check.status == "ok")


def _worst(statuses: Iterable[str]) -> str:
    found = set(statuses)
    if "fail" in found:
        return "not_converged"
    return "warn" if "warn" in found else "ok"
