"""The files that a prediction is written to."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from bayes_attrib import names
from bayes_attrib.attribution.prediction import Prediction
from bayes_attrib.errors import RunFolderError
from bayes_attrib.inference.chain_store import write_atomically

RATES_FILE: Final = "rates.csv"
TOTALS_FILE: Final = "totals.csv"
_FILES: Final = frozenset({RATES_FILE, TOTALS_FILE, names.CELLS_FILE})


def open_prediction_folder(out: Path, *, overwrite: bool) -> None:
    """Check that a folder may be written; nothing is made yet.

    Parameters
    ----------
    out : Path
        The folder.
    overwrite : bool
        Whether a prediction in it may be replaced.

    Raises
    ------
    RunFolderError
        If the folder holds anything but a prediction, or one that may not be replaced.
    """
    if out.exists() and not out.is_dir():
        raise RunFolderError(f"{out} is a file; give --out a folder that does not exist yet")
    found = {path.name for path in out.iterdir()} if out.exists() else set()
    foreign = sorted(found - _FILES)
    if foreign:
        raise RunFolderError(
            f"{out} holds {', '.join(foreign[:3])}, which no prediction writes; "
            "choose another --out folder"
        )
    if found and not overwrite:
        raise RunFolderError(
            f"{out} holds a prediction; choose another --out folder, or add --overwrite"
        )


def write_prediction(prediction: Prediction, out: Path) -> list[str]:
    """Write the tables of a prediction.

    Parameters
    ----------
    prediction : Prediction
        What was predicted.
    out : Path
        A folder that may be written; made if it does not exist.

    Returns
    -------
    list of str
        Names of the files: ``rates.csv``, and with exposures ``totals.csv`` and ``cells.parquet``.
    """
    out.mkdir(parents=True, exist_ok=True)
    interval = {
        "interval_kind": prediction.interval.kind,
        "interval_prob": prediction.interval.prob,
    }
    written = []
    for name, table in ((RATES_FILE, prediction.rates), (TOTALS_FILE, prediction.totals)):
        if table is not None:
            text = table.assign(**interval).to_csv(index=False, lineterminator="\n")
            write_atomically(out / name, text.encode())
            written.append(name)
    if prediction.cells is not None:
        cells = io.BytesIO()
        prediction.cells.to_parquet(cells, index=False)
        write_atomically(out / names.CELLS_FILE, cells.getvalue())
        written.append(names.CELLS_FILE)
    for name in _FILES - set(written):
        (out / name).unlink(missing_ok=True)
    return written
