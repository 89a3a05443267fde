"""Credit by heuristics beside a fitted run, once both are known to split the same totals."""

from __future__ import annotations

from pathlib import Path

from bayes_attrib import names
from bayes_attrib.errors import RunFolderError
from bayes_attrib.inference.chain_store import write_atomically
from bayes_attrib.report import RunFolder
from bayes_attrib.report.page.journeys import read_journey_credit


def put_journeys_beside(run: Path, journeys: Path) -> None:
    """Copy credit by heuristics into a run folder, where reports find it.

    Parameters
    ----------
    run : Path
        A finished run folder.
    journeys : Path
        A folder that ``bayes-attrib journeys`` wrote.

    Raises
    ------
    RunFolderError
        If one of them is none, or they split different totals or among different names; nothing
        is written then.
    """
    folder = RunFolder.load(run)
    files = [journeys / name for name in (names.JOURNEYS_FILE, names.JOURNEYS_RECORD_FILE)]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise RunFolderError(
            f"{journeys} lacks {', '.join(missing)}; "
            f"`bayes-attrib journeys DATA --out {journeys}` makes such a folder"
        )
    read_journey_credit(files[0], folder)
    for file in files:
        write_atomically(run / file.name, file.read_bytes())
