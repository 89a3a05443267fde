"""The command ``compare``: which of several names is better, and how sure that is."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bayes_attrib.cli.app import EXIT_NOT_CONVERGED, app, print_json
from bayes_attrib.cli.options import JsonOption, LocaleOption, OverwriteOption, QuietOption
from bayes_attrib.errors import NotConvergedError


class On(StrEnum):
    """What is compared."""

    RATE = "rate"
    AMOUNT = "amount"
    SHARE = "share"


@app.command()
def compare(
    run: Annotated[Path, typer.Argument(help="Run folder of a finished fit.")],
    name: Annotated[
        list[str] | None,
        typer.Argument(help="What to compare; the largest of each channel if not given."),
    ] = None,
    *,
    level: Annotated[
        str, typer.Option(help="What the names are: entity, or a grouping column.")
    ] = "entity",
    on: Annotated[On, typer.Option(help="What is compared.")] = On.RATE,
    rope: Annotated[
        float | None,
        typer.Option(help="Practically equal: larger by at most this part; 0.1 if not given."),
    ] = None,
    rope_difference: Annotated[
        float | None, typer.Option(help="Instead: different by at most this much.")
    ] = None,
    top_k: Annotated[int, typer.Option(help="How many ranks count as the top.")] = 3,
    prob: Annotated[float, typer.Option(help="Probability that a conclusion needs.")] = 0.95,
    largest: Annotated[
        int, typer.Option(help="Without names: how many of each channel; 0 for all.")
    ] = 10,
    across_channels: Annotated[
        bool, typer.Option("--across-channels", help="Compare channels with each other.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write: .json (everything), .csv or .parquet (two tables)."),
    ] = None,
    overwrite: OverwriteOption = False,
    allow_unconverged: Annotated[
        bool, typer.Option("--allow-unconverged", help="Also if the fit did not converge.")
    ] = False,
    locale: LocaleOption = None,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Compare entities or groups by the posterior: who is better, and what cannot be told."""
    from bayes_attrib.report.comparison_run import compare as compare_names
    from bayes_attrib.report.comparison_tables import as_dict, write_comparison
    from bayes_attrib.report.comparison_terminal import print_comparison
    from bayes_attrib.report.language import Language

    if rope is not None and rope_difference is not None:
        raise typer.BadParameter("give --rope or --rope-difference, not both")
    _check_out(out, overwrite=overwrite)
    try:
        compared = compare_names(
            run,
            name or (),
            on=on.value,
            level=level,
            rope=0.1 if rope is None else rope,
            rope_difference=rope_difference,
            top_k=top_k,
            prob=prob,
            largest=largest,
            across_channels=across_channels,
            allow_unconverged=allow_unconverged,
        )
    except NotConvergedError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(EXIT_NOT_CONVERGED) from None
    written = () if out is None else write_comparison(compared, out)
    if json_output:
        print_json(as_dict(compared))
    elif not quiet:
        language = Language(locale or compared.run.spec.report.locale)
        print_comparison(compared, Console(), language)
        if written:
            print(f"\nwritten to {', '.join(map(str, written))}")


def _check_out(out: Path | None, *, overwrite: bool) -> None:
    """Refuse files that cannot be written before anything is computed."""
    from bayes_attrib.report.comparison_tables import SUFFIXES, pairs_file

    if out is None:
        return
    if out.suffix not in SUFFIXES:
        raise typer.BadParameter(f"--out {out}: the file ends in {', '.join(SUFFIXES)}")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"--out {out}: there is no folder {out.parent}")
    files = [out] if out.suffix == ".json" else [out, pairs_file(out)]
    for file in files:
        if file.exists() and not overwrite:
            raise typer.BadParameter(f"--out {out}: {file} exists; add --overwrite to replace it")
