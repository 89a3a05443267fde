"""The command ``predict``: entities and aggregates that a finished run has never seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bayes_attrib import names
from bayes_attrib.cli.app import app, print_json
from bayes_attrib.cli.options import (
    AggregatesOption,
    DataArgument,
    EntitiesOption,
    ExposuresOption,
    JsonOption,
    OverwriteOption,
    QuietOption,
    RepairOption,
)
from bayes_attrib.inputs import DataSource

if TYPE_CHECKING:
    from bayes_attrib.attribution.prediction import Prediction

_MOST_ROWS = 10


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(help="Run folder of a finished fit.")],
    data: DataArgument = None,
    *,
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    entities: EntitiesOption = None,
    exposures: ExposuresOption = None,
    aggregates: AggregatesOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
    repair: RepairOption = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Predict rates, totals and amounts for entities and aggregates that are new to a run."""
    from bayes_attrib.inputs.new_tables import locate_new_tables
    from bayes_attrib.workflow import predict as predict_run
    from bayes_attrib.workflow.prediction_files import open_prediction_folder, write_prediction

    open_prediction_folder(out, overwrite=overwrite)
    found = locate_new_tables(DataSource(data, aggregates, exposures, entities))
    prediction = predict_run(
        run,
        entities=found.get(names.ENTITIES_TABLE),
        exposures=found.get(names.EXPOSURES_TABLE),
        aggregates=found.get(names.AGGREGATES_TABLE),
        seed=seed,
        repairs=tuple(repair or ()),
    )
    files = write_prediction(prediction, out)
    if json_output:
        is_new = prediction.rates["is_new"]
        print_json(
            {
                "out": str(out),
                "files": files,
                "n_entities": len(is_new),
                "n_new_entities": int(is_new.sum()),
                "n_aggregates": 0 if prediction.totals is None else len(prediction.totals),
            }
        )
    elif not quiet:
        _print(prediction)
        print(f"\nwritten to {out}: {', '.join(files)}")


def _print(prediction: Prediction) -> None:
    """Print the widest rates of new entities, and the sum of the totals."""
    from bayes_attrib.report.numbers import plural, significant

    console = Console()
    interval = prediction.interval
    rates = prediction.rates
    new = rates[rates["is_new"]].sort_values("interval_width_ratio", ascending=False)
    console.print(
        f"{plural(len(rates) - len(new), 'entity', 'entities')} known to the run, "
        f"{plural(len(new), 'new one')}; intervals are {100 * interval.prob:g}% "
        f"{interval.kind.upper()}",
        markup=False,
    )
    for row in new.head(_MOST_ROWS).to_dict("records"):
        drawn = f"; drawn anew: {row['new_levels']}" if row["new_levels"] else ""
        console.print(
            f"  {row['entity']}: rate {significant(row['rate_mean'], 3)} "
            f"({significant(row['rate_lower'], 3)} to {significant(row['rate_upper'], 3)}), "
            f"{row['interval_width_ratio']:.1f} times as wide as its kin's{drawn}",
            markup=False,
            soft_wrap=True,
        )
    if len(new) > _MOST_ROWS:
        console.print(f"  and {len(new) - _MOST_ROWS:,} more", markup=False)
    if prediction.totals is not None:
        expected = significant(prediction.totals["expected_mean"].sum(), 4)
        console.print(
            f"{plural(len(prediction.totals), 'aggregate')}, {expected} expected in all",
            markup=False,
        )
