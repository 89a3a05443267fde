"""Commands about data alone: ``validate`` and ``simulate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from bayes_attrib.cli.app import app, print_json
from bayes_attrib.cli.options import (
    AggregatesOption,
    DataArgument,
    EntitiesOption,
    ExposuresOption,
    JsonOption,
    LiftTestsOption,
    OverwriteOption,
    QuietOption,
    RepairOption,
    SpecArgument,
    TableFormat,
    source_of,
)
from bayes_attrib.inputs import read_tables
from bayes_attrib.spec import load_spec


@app.command()
def validate(
    spec: SpecArgument,
    data: DataArgument = None,
    *,
    aggregates: AggregatesOption = None,
    exposures: ExposuresOption = None,
    entities: EntitiesOption = None,
    lift_tests: LiftTestsOption = None,
    repair: RepairOption = None,
    json_output: JsonOption = False,
) -> None:
    """Check a spec and its tables and print what was found; sample nothing."""
    source = source_of(data, aggregates, exposures, entities, lift_tests)
    loaded = load_spec(spec)
    read = read_tables(loaded, source, repairs=tuple(repair or ()))
    found = read.data
    if json_output:
        print_json(
            {
                "valid": True,
                "spec_digest": loaded.digest,
                "n_aggregates": found.n_aggregates,
                "n_entities": found.n_entities,
                "n_edges": found.n_edges,
                "grand_total": found.grand_total,
                "findings": [_plain(finding) for finding in read.findings],
            }
        )
        return
    print(
        f"valid: {found.n_aggregates:,} aggregates with a total of {found.grand_total:,.12g}, "
        f"{found.n_entities:,} entities, {found.n_edges:,} exposures"
    )
    for finding in read.findings:
        print(finding.render())


@app.command()
def simulate(
    scenario: Annotated[str, typer.Argument(help="Name, such as hcp_brick or journeys.")],
    *,
    out: Annotated[Path, typer.Option(help="Data folder to write.")],
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Option of the scenario; repeatable."),
    ] = None,
    table_format: Annotated[TableFormat, typer.Option("--format")] = TableFormat.CSV,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a data folder with known truth."""
    from bayes_attrib.simulation import simulate as simulate_tables
    from bayes_attrib.simulation import write_tables

    tables = simulate_tables(scenario, seed=seed, options=_options(settings or []))
    write_tables(tables, out, format=table_format.value, overwrite=overwrite)
    if not quiet:
        print(
            f"{out}: {len(tables.aggregates):,} aggregates, {len(tables.entities):,} entities, "
            f"{len(tables.exposures):,} exposures"
        )


def _options(settings: list[str]) -> dict[str, object]:
    """Read KEY=VALUE pairs; values are JSON where they can be, else text."""
    options: dict[str, object] = {}
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign:
            raise typer.BadParameter(f"--set wants KEY=VALUE; got {setting!r}")
        try:
            options[key.strip()] = json.loads(text)
        except json.JSONDecodeError:
            options[key.strip()] = text
    return options


def _plain(finding: Any) -> dict[str, str]:
    fields = ("code", "severity", "where", "message", "remedy")
    return {field: getattr(finding, field) for field in fields}
