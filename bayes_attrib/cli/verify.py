"""The command ``verify``: recompute what a run folder claims."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from bayes_attrib.cli.app import EXIT_INPUT, app, print_json
from bayes_attrib.cli.options import (
    AggregatesOption,
    EntitiesOption,
    ExposuresOption,
    JsonOption,
    LiftTestsOption,
    QuietOption,
)
from bayes_attrib.inputs import DataSource

if TYPE_CHECKING:
    from bayes_attrib.report.verification import Outcome, Verification

_STYLES = {"ok": "green", "failed": "bold red", "not recorded": "yellow", "not checked": "yellow"}


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    *,
    data: Annotated[
        Path | None, typer.Option(help="Folder with the input tables, to be compared too.")
    ] = None,
    aggregates: AggregatesOption = None,
    exposures: ExposuresOption = None,
    entities: EntitiesOption = None,
    lift_tests: LiftTestsOption = None,
    manifest_sha256: Annotated[
        str | None, typer.Option(help="SHA-256 of manifest.json, as you noted it elsewhere.")
    ] = None,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Recompute what can be recomputed of a run and say whether its files are what they claim."""
    from bayes_attrib.workflow.verify_run import verify_run

    named = (data, aggregates, exposures, entities, lift_tests)
    source = None if all(path is None for path in named) else DataSource(*named)
    found = verify_run(run, source, manifest_sha256=manifest_sha256)
    if json_output:
        print_json(found.as_dict())
    elif not quiet:
        _print(found, Console())
    for outcome in found.failed:
        print(_complaint(run, outcome), file=sys.stderr)
    if not found.passed:
        raise typer.Exit(EXIT_INPUT)


def _print(found: Verification, console: Console) -> None:
    for outcome in found.outcomes:
        line = Text(f"{outcome.status:<13}", style=_STYLES[outcome.status])
        line.append(f"{outcome.file}: {_shown(outcome)}", style="default")
        console.print(line, soft_wrap=True)
    console.print()
    console.print(Text(_conclusion(found)), soft_wrap=True)
    if found.manifest_sha256 is not None:
        console.print(Text(f"SHA-256 of manifest.json: {found.manifest_sha256}"), soft_wrap=True)


def _shown(outcome: Outcome) -> str:
    from bayes_attrib.report.characters import terminal_label

    text = terminal_label(outcome.message)
    if isinstance(outcome.value, float):
        text += f" (largest difference {outcome.value:.1e}, at most {outcome.tolerance:g})"
    return text


def _conclusion(found: Verification) -> str:
    n_failed, n_open = len(found.failed), len(found.with_status("not recorded", "not checked"))
    n_held = len(found.with_status("ok"))
    opened = f"; {n_open} could not be made" if n_open else ""
    if n_failed:
        return f"{n_failed} of {len(found.outcomes)} checks failed{opened}"
    return f"{n_held} checks hold and none failed{opened}"


def _complaint(run: Path, outcome: Outcome) -> str:
    from bayes_attrib.report.characters import terminal_label

    file = run / outcome.file if (run / outcome.file).exists() else Path(outcome.file)
    remedy = outcome.remedy.replace("--out RUN", f"--out {run}")
    return terminal_label(f"{file}: {outcome.name}: {outcome.message}; remedy: {remedy}")
