"""The command ``export``: tables of a run for other programs."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bayes_attrib.cli.app import EXIT_NOT_CONVERGED, app, print_json
from bayes_attrib.cli.options import JsonOption, OverwriteOption, QuietOption


class ExportFormat(StrEnum):
    """File format of an export."""

    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


class ExportTable(StrEnum):
    """Table of an export."""

    ATTRIBUTION = "attribution"
    CELLS = "cells"
    SHARES = "shares"
    DRAWS = "draws"


_ENDINGS = {
    **{f".{form}": form for form in ExportFormat},
    ".feather": ExportFormat.ARROW,
    ".ipc": ExportFormat.ARROW,
    ".pq": ExportFormat.PARQUET,
}


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    *,
    out: Annotated[Path, typer.Option(help="File to write, or a folder to write it into.")],
    table_format: Annotated[
        ExportFormat | None, typer.Option("--format", help="By the ending of the file, or parquet.")
    ] = None,
    what: Annotated[ExportTable, typer.Option(help="Which table.")] = ExportTable.ATTRIBUTION,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Grain of shares and draws: columns with commas; entity by default."),
    ] = None,
    draws: Annotated[
        int | None, typer.Option(min=1, help="Draws to keep, evenly spaced; all by default.")
    ] = None,
    escape_formulas: Annotated[
        bool,
        typer.Option("--escape-formulas", help="Put ' before names that look like formulas (CSV)."),
    ] = False,
    allow_unconverged: Annotated[
        bool, typer.Option("--allow-unconverged", help="Also if the fit did not converge.")
    ] = False,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Write a table of a finished run as CSV, Parquet or Arrow, in long form."""
    from bayes_attrib.report import RunFolder
    from bayes_attrib.workflow.export_run import export_run

    form = table_format or _ENDINGS.get(out.suffix.lower(), ExportFormat.PARQUET)
    if what not in {ExportTable.SHARES, ExportTable.DRAWS} and by:
        raise typer.BadParameter(f"--by is for --what shares and draws; {what} has a grain already")
    if what is not ExportTable.DRAWS and draws is not None:
        raise typer.BadParameter(f"--draws is for --what draws; {what} holds no draws")
    if escape_formulas and form is not ExportFormat.CSV:
        raise typer.BadParameter(f"--escape-formulas is for CSV; {form} files are never evaluated")
    file = _file(out, what, form, run=run, overwrite=overwrite)
    found = RunFolder.load(run)
    if found.diagnostics.verdict == "not_converged" and not allow_unconverged:
        print(
            f"withheld: the fit in {run} did not converge, so its numbers should not go into other "
            "systems; --allow-unconverged writes them all the same",
            file=sys.stderr,
        )
        raise typer.Exit(EXIT_NOT_CONVERGED)
    written = export_run(
        found,
        file,
        what=what,
        form=form,
        by=by or ("entity",),
        draws=draws,
        escape_formulas=escape_formulas,
    )
    if json_output:
        print_json(
            {"run": str(run), "file": str(file), "what": what, "format": form, "rows": written.rows}
        )
    elif not quiet:
        print(f"{file}: {written.rows:,} rows")


def _file(out: Path, what: str, form: str, *, run: Path, overwrite: bool) -> Path:
    """Return the file to write; it may not be one of the run, nor exist unless that is waived."""
    file = out if _ENDINGS.get(out.suffix.lower()) and not out.is_dir() else out / f"{what}.{form}"
    if file.suffix.lower() in _ENDINGS and _ENDINGS[file.suffix.lower()] != form:
        raise typer.BadParameter(f"--out {file} ends in {file.suffix}, and --format is {form}")
    if file.resolve().parent == run.resolve():
        raise typer.BadParameter(f"--out {file} lies in the run folder; choose another place")
    if file.exists() and not overwrite:
        raise typer.BadParameter(f"--out: {file} exists; add --overwrite to replace it")
    return file
