"""The command ``diff``: what changed between two runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from bayes_attrib.cli.app import app, print_json
from bayes_attrib.cli.options import JsonOption, OverwriteOption, QuietOption

if TYPE_CHECKING:
    from bayes_attrib.workflow.diff_runs import RunDiff

_MOST_CHANGES = 12


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="RUN1", help="Earlier run folder.")],
    new: Annotated[Path, typer.Argument(metavar="RUN2", help="Later run folder.")],
    *,
    level: Annotated[
        str | None, typer.Option(help="Only this level: entity or a grouping column.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write: .csv or .parquet (table), .json (all).")
    ] = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Say what changed between two runs: inputs, spec, totals, and who is credited with what."""
    from bayes_attrib.workflow.diff_runs import diff_runs, write_diff

    _check_out(out, overwrite=overwrite)
    found = diff_runs(old, new, level=level)
    if out is not None:
        write_diff(found, out)
    if json_output:
        print_json(found.as_dict())
    elif not quiet:
        _print(found, Console())


def _check_out(out: Path | None, *, overwrite: bool) -> None:
    from bayes_attrib.workflow.diff_runs import OUT_ENDINGS

    if out is None:
        return
    if out.suffix not in OUT_ENDINGS:
        raise typer.BadParameter(f"--out {out}: the file ends in {', '.join(OUT_ENDINGS)}")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"--out {out}: there is no folder {out.parent}")
    if out.exists() and not overwrite:
        raise typer.BadParameter(f"--out {out} exists; add --overwrite to replace it")


def _print(found: RunDiff, console: Console) -> None:
    lines = [" ".join(found.sentences), ""]
    lines += [f"input {table['table']}: {_input(table)}" for table in found.facts["inputs"]]
    for kind in ("spec", "priors", "run", "versions"):
        changes = found.facts[kind]
        lines += [f"{kind} {_change(change)}" for change in changes[:_MOST_CHANGES]]
        if len(changes) > _MOST_CHANGES:
            lines.append(f"{kind}: and {len(changes) - _MOST_CHANGES} more changes; see --json")
    for level in found.movement.table["level"].unique():
        lines += ["", f"largest movers of {level}:"]
        lines += [f"  {_mover(mover)}" for mover in found.movement.summary(level)["largest_movers"]]
    lines += [f"note: {note}" for note in found.movement.notes]
    for line in lines:
        console.print(Text(_safe(line)), soft_wrap=True)


def _input(table: dict[str, Any]) -> str:
    if not table["changed"]:
        return f"unchanged, {table['new']['rows']:,} rows"
    rows = [f"{side['rows']:,} rows" if side else "absent" for side in (table["old"], table["new"])]
    return f"changed, {rows[0]} before, {rows[1]} now"


def _change(change: dict[str, Any]) -> str:
    old, new = (json.dumps(change[side], ensure_ascii=False) for side in ("old", "new"))
    return f"{change['path']}: {old} before, {new} now"


def _mover(mover: dict[str, Any]) -> str:
    beyond = ", beyond its earlier interval" if mover["share_beyond_interval"] else ""
    status = "" if mover["status"] == "both" else f", {mover['status']}"
    return (
        f"{mover['name']}: {100 * mover['share_old']:.2f}% to {100 * mover['share_new']:.2f}% "
        f"({100 * mover['share_change']:+.2f} points{beyond}{status})"
    )


def _safe(text: str) -> str:
    from bayes_attrib.report.characters import terminal_label

    return terminal_label(text)
