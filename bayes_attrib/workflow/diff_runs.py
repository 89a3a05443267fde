"""Two run folders in, what changed between them out."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bayes_attrib import names
from bayes_attrib.errors import UnknownNameError
from bayes_attrib.inference.chain_store import write_atomically
from bayes_attrib.report import RunFolder
from bayes_attrib.report.language import Language
from bayes_attrib.report.machine_summary import finite_or_none
from bayes_attrib.report.run_diff import Movement, changed_facts, restatement
from bayes_attrib.report.run_diff.sources import Side

OUT_ENDINGS: Final = (".csv", ".parquet", ".json")


@dataclass(frozen=True, eq=False)
class RunDiff:
    """What changed between two runs.

    Attributes
    ----------
    old, new : RunFolder
        The runs.
    facts : mapping
        Of :func:`~bayes_attrib.report.run_diff.changed_facts`.
    movement : Movement
        Totals, amounts and shares.
    sentences : tuple of str
        The change in words.
    """

    old: RunFolder
    new: RunFolder
    facts: Mapping[str, Any]
    movement: Movement
    sentences: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON types; numbers that are not finite become None."""
        content = {
            "schema_version": 1,
            "old": str(self.old.path),
            "new": str(self.new.path),
            "sentences": list(self.sentences),
            **self.facts,
            **self.movement.as_dict(),
        }
        plain: dict[str, Any] = finite_or_none(content)
        return plain


def diff_runs(old: Path | str, new: Path | str, *, level: str | None = None) -> RunDiff:
    """Compare two runs.

    Parameters
    ----------
    old, new : Path or str
        Run folders.
    level : str, optional
        Only this level, ``"entity"`` or a grouping column of either run; all by default.

    Returns
    -------
    RunDiff
        Changes of inputs, spec, priors, versions, totals, amounts and shares. Probabilities take
        the two posteriors for independent, which overstates the uncertainty of a change between
        runs that share data.

    Raises
    ------
    RunFolderError
        If a folder holds no finished run.
    UnknownNameError
        If neither run has the level.
    """
    before, after = RunFolder.load(old), RunFolder.load(new)
    known = list(dict.fromkeys((names.ENTITY, *after.levels, *before.levels)))
    if level is not None and level not in known:
        raise UnknownNameError(
            f"there is no level {level!r} in either run; there is {', '.join(map(repr, known))}"
        )
    levels = known if level is None else [level]
    movement = Movement.between(Side.load(before), Side.load(after), levels)
    language = Language(after.spec.report.locale)
    sentences = restatement(before, after, movement, language)
    facts = changed_facts(before, after)
    return RunDiff(before, after, facts, movement, tuple(sentences))


def write_diff(diff: RunDiff, file: Path) -> None:
    """Write a comparison: the table as ``.csv`` or ``.parquet``, or everything as ``.json``."""
    if file.suffix == ".json":
        text = json.dumps(diff.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        write_atomically(file, (text + "\n").encode())
    elif file.suffix == ".parquet":
        content = io.BytesIO()
        diff.movement.table.to_parquet(content, index=False)
        write_atomically(file, content.getvalue())
    else:
        text = diff.movement.table.to_csv(index=False, lineterminator="\n")
        write_atomically(file, text.encode())
