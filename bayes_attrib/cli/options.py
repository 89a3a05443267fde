"""Arguments and options that commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bayes_attrib.inputs import DataSource, Repair

SpecArgument = Annotated[Path, typer.Argument(help="Spec of the model, a TOML file.")]
DataArgument = Annotated[
    Path | None, typer.Argument(help="Folder with the tables aggregates, exposures, entities.")
]
AggregatesOption = Annotated[Path | None, typer.Option(help="This table instead of the folder's.")]
ExposuresOption = Annotated[Path | None, typer.Option(help="This table instead of the folder's.")]
EntitiesOption = Annotated[Path | None, typer.Option(help="This table instead of the folder's.")]
LiftTestsOption = Annotated[Path | None, typer.Option(help="This table instead of the folder's.")]
RepairOption = Annotated[
    list[Repair] | None, typer.Option(help="Repair of the tables to carry out and record.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
LocaleOption = Annotated[
    str | None,
    typer.Option(help="Language and forms of numbers of reports: en, en_GB, es, es_MX, ..."),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]


class TableFormat(StrEnum):
    """File format of tables."""

    CSV = "csv"
    PARQUET = "parquet"


def source_of(
    data: Path | None,
    aggregates: Path | None,
    exposures: Path | None,
    entities: Path | None,
    lift_tests: Path | None = None,
) -> DataSource:
    """Return where the tables are, from a folder, single files, or both."""
    if data is None and (aggregates is None or exposures is None):
        raise typer.BadParameter("give DATA, a folder, or --aggregates FILE and --exposures FILE")
    return DataSource(data, aggregates, exposures, entities, lift_tests)
