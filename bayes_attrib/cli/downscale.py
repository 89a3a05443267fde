"""The command ``downscale``: amounts of a run by day, hour or any other slot."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayes_attrib.cli.app import EXIT_NOT_CONVERGED, app, print_json
from bayes_attrib.cli.options import JsonOption, OverwriteOption, QuietOption

if TYPE_CHECKING:
    from bayes_attrib.workflow.downscale_run import Downscaled


class MissingProfile(StrEnum):
    """What stands in for the profile of a cell without delivery."""

    GROUP = "group"
    EVEN = "even"


class AmbiguousTime(StrEnum):
    """What a local time that the clock shows twice stands for."""

    ORDER = "order"
    EARLIER = "earlier"
    LATER = "later"


class PeriodDate(StrEnum):
    """Which day of a period its date names."""

    START = "start"
    END = "end"


_FORMS = {".csv": "csv", ".parquet": "parquet", ".arrow": "arrow"}
_PROFILES = {
    "own": "a profile of their own",
    "group": "that of their group (--missing group)",
    "even": "an even one (--missing even)",
}


@app.command()
def downscale(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    *,
    profile: Annotated[
        Path, typer.Option(help="Table of deliveries (CSV or Parquet): keys, timestamp, delivery.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="File: .parquet, .csv or .arrow; by default RUN.downscaled.parquet."),
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Column of timestamps; by default timestamp.")
    ] = None,
    slot: Annotated[
        str | None, typer.Option(help="Column of slots that are no timestamps.")
    ] = None,
    delivery: Annotated[str, typer.Option(help="Column of deliveries.")] = "delivery",
    zone: Annotated[
        str | None, typer.Option(help="Time zone of local times and days: Europe/Madrid.")
    ] = None,
    ambiguous: Annotated[
        AmbiguousTime, typer.Option(help="What one row at a time that occurs twice stands for.")
    ] = AmbiguousTime.ORDER,
    period_dates: Annotated[
        PeriodDate, typer.Option(help="Which day of a period a date is, as its label.")
    ] = PeriodDate.START,
    missing: Annotated[
        list[MissingProfile] | None,
        typer.Option(help="What stands in for missing profiles, tried in this order."),
    ] = None,
    half_life: Annotated[
        str | None, typer.Option(help="Carry-over: half of an effect is left after 90min, 6h, 2d.")
    ] = None,
    concentration: Annotated[
        float | None, typer.Option(help="Uncertain profile: Dirichlet with this concentration.")
    ] = None,
    draws: Annotated[
        int | None, typer.Option(min=1, help="Draws to use, evenly spaced; all by default.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed; by default that of the run.")
    ] = None,
    allow_unconverged: Annotated[
        bool, typer.Option("--allow-unconverged", help="Also if the fit did not converge.")
    ] = False,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Split the amounts of a run over days, hours or finer slots by a profile of delivery."""
    from bayes_attrib.attribution.downscaling import ProfileOptions
    from bayes_attrib.report import RunFolder
    from bayes_attrib.workflow.downscale_run import DownscaleOptions, downscale_run

    if time is not None and slot is not None:
        raise typer.BadParameter("--time and --slot name the same thing: give one of them")
    if concentration is not None and not 0 < concentration < float("inf"):
        raise typer.BadParameter(f"--concentration must be a positive number, not {concentration}")
    file = _file(run, out, overwrite=overwrite)
    found = RunFolder.load(run)
    if found.diagnostics.verdict == "not_converged" and not allow_unconverged:
        print(
            f"withheld: the fit in {run} did not converge, so its amounts should not be split "
            "further; --allow-unconverged does it all the same",
            file=sys.stderr,
        )
        raise typer.Exit(EXIT_NOT_CONVERGED)
    options = ProfileOptions(
        time=time,
        slot=slot,
        delivery=delivery,
        zone=zone,
        ambiguous=ambiguous.value,
        period_dates=period_dates.value,
        missing=tuple(dict.fromkeys(choice.value for choice in missing or ())),
        half_life=half_life,
    )
    done = downscale_run(
        found,
        profile,
        file,
        form=_FORMS[file.suffix.lower()],
        options=DownscaleOptions(options, concentration, draws, seed),
    )
    if json_output:
        print_json({"file": str(done.file), "manifest": str(done.manifest_file), **done.manifest})
    elif not quiet:
        _print(done)


def _file(run: Path, out: Path | None, *, overwrite: bool) -> Path:
    """Return the file to write: not one of the run, and none that exists unless that is waived."""
    folder = run.resolve()
    file = out or folder.with_name(f"{folder.name}.downscaled.parquet")
    if file.suffix.lower() not in _FORMS:
        raise typer.BadParameter(f"--out {file} must end in one of {', '.join(_FORMS)}")
    if file.resolve().parent == folder:
        raise typer.BadParameter(f"--out {file} lies in the run folder; choose another place")
    if file.exists() and not overwrite:
        raise typer.BadParameter(f"--out: {file} exists; add --overwrite to replace it")
    return file


def _print(done: Downscaled) -> None:
    from bayes_attrib.report.characters import terminal_label
    from bayes_attrib.report.numbers import plural

    result: dict[str, Any] = done.manifest["result"]
    profile: dict[str, Any] = done.manifest["profile"]
    amount = f"{result['amount_rounded']:,.{result['decimals']}f}"
    print(
        f"{done.file}: {plural(result['rows'], 'row')} from {plural(result['cells'], 'cell')} and "
        f"{plural(result['slots'], 'slot')}, which add up to {amount}"
    )
    by_source = result["cells_by_profile"].items()
    words = [f"{plural(n, 'cell')} with {_PROFILES[source]}" for source, n in by_source if n]
    print(f"profiles: {', '.join(words)}")
    if result["profile_rows_unused"]:
        unused = plural(result["profile_rows_unused"], "row")
        print(f"not used: {unused} of {profile['file']}, of other periods or without an amount")
    if profile["unused_columns"]:
        columns = ", ".join(profile["unused_columns"])
        print(terminal_label(f"not read: column(s) {columns} of {profile['file']}"))
    if not result["days_of_periods_checked"] and done.manifest["options"]["slot"] is None:
        print("not checked: whether timestamps lie in their periods, whose labels do not tell days")
    print(
        "Within a period, amounts follow delivery by assumption: totals tell nothing about it. "
        f"Options and digests are in {done.manifest_file.name}."
    )
