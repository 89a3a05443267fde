"""SHA-256 of the files of a run, so that a change made afterwards can be seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bayes_attrib import names

RECORDED_FILES: Final = (
    names.ATTRIBUTION_FILE,
    names.CELLS_FILE,
    names.EM_ERRORS_FILE,
    names.VARIANCE_FILE,
    names.POSTERIOR_FILE,
    names.DIAGNOSTICS_FILE,
    names.DRIFT_FILE,
)
"""Files whose digests the manifest records. Reports are not among them: they are rendered again."""


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal; the file is read in pieces."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def output_digests(run: Path, files: Iterable[str] = RECORDED_FILES) -> dict[str, str]:
    """Return the digests of the files of a run that are there.

    Parameters
    ----------
    run : Path
        Run folder.
    files : iterable of str
        Names to look for.

    Returns
    -------
    dict of str to str
        SHA-256 in hexadecimal by name.
    """
    return {name: sha256_of(run / name) for name in files if (run / name).is_file()}
