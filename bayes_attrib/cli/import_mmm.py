"""The command ``import-mmm``: from a fitted mix model to a data folder and its spec."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayes_attrib.cli.app import app, print_json
from bayes_attrib.cli.options import JsonOption, OverwriteOption, QuietOption

if TYPE_CHECKING:
    from bayes_attrib.workflow.import_mmm import Imported


class MixModelSource(StrEnum):
    """Package that fitted a mix model."""

    PYMC_MARKETING = "pymc-marketing"
    MERIDIAN = "meridian"
    ROBYN = "robyn"


class CurveSemantics(StrEnum):
    """How the channel's curve is applied to its entities."""

    CHANNEL = "channel_curve"
    OWN = "own_curve"


class NegativeContributions(StrEnum):
    """What happens to negative contributions."""

    ERROR = "error"
    CLIP = "clip"


class RobynWeibull(StrEnum):
    """Weibull adstock of a solution of Robyn."""

    CDF = "weibull_cdf"
    PDF = "weibull_pdf"


# A solution is a multiple of its curve but for rounding in its export.
_NOTABLE = 0.01


@app.command("import-mmm")
def import_mix_model(
    file: Annotated[
        Path,
        typer.Argument(help="NetCDF of PyMC-Marketing or Meridian, or folder of Robyn's CSV."),
    ],
    *,
    delivery: Annotated[
        Path, typer.Option(help="Table of deliveries below the channels (CSV or Parquet).")
    ],
    out: Annotated[Path, typer.Option(help="Data folder to write.")],
    source: Annotated[
        MixModelSource | None,
        typer.Option("--from", help="Package that fitted the mix model; guessed by default."),
    ] = None,
    semantics: Annotated[
        CurveSemantics, typer.Option(help="What the channel's curve is applied to.")
    ] = CurveSemantics.CHANNEL,
    negative: Annotated[
        NegativeContributions, typer.Option(help="Whether negative draws are set to zero.")
    ] = NegativeContributions.ERROR,
    rescale: Annotated[
        bool, typer.Option("--rescale", help="Make delivery add up to the mix model's.")
    ] = False,
    learn: Annotated[
        bool,
        typer.Option("--learn", help="Learn the transforms anew, with priors from the mix model."),
    ] = False,
    entity: Annotated[str, typer.Option(help="Column of entities.")] = "campaign",
    channel: Annotated[str, typer.Option(help="Column of channels.")] = "channel",
    period: Annotated[str, typer.Option(help="Column of periods.")] = "period",
    geo: Annotated[
        str | None, typer.Option(help="Column of geos, where the mix model has geos.")
    ] = None,
    delivery_column: Annotated[str, typer.Option(help="Column of deliveries.")] = "delivery",
    solution: Annotated[str | None, typer.Option(help="Robyn: the solID that you chose.")] = None,
    robyn_adstock: Annotated[
        RobynWeibull | None, typer.Option(help="Robyn: which Weibull adstock was used.")
    ] = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    json_output: JsonOption = False,
) -> None:
    """Turn a fitted mix model and delivery below its channels into a data folder and a spec."""
    from bayes_attrib.exposure import DeliveryColumns
    from bayes_attrib.mmm import RobynOptions
    from bayes_attrib.workflow.import_mmm import ImportOptions, import_mmm

    try:
        columns = DeliveryColumns(entity, channel, period, delivery_column, geo)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    done = import_mmm(
        file,
        delivery,
        out,
        ImportOptions(
            columns,
            source.value if source else None,
            semantics.value,
            negative.value,
            rescale,
            learn,
            RobynOptions(solution, robyn_adstock.value if robyn_adstock else None),
        ),
        overwrite=overwrite,
    )
    if json_output:
        print_json({"folder": str(done.folder), **done.record})
    elif not quiet:
        _print(done)


def _print(done: Imported) -> None:
    from bayes_attrib.report.characters import terminal_label
    from bayes_attrib.report.numbers import plural

    read: dict[str, Any] = done.record["read"]
    result: dict[str, Any] = done.record["result"]
    print(
        f"{done.folder}: {plural(result['n_aggregates'], 'aggregate')} with a total of "
        f"{result['grand_total']:,.12g} from {done.record['source']}, "
        f"{plural(result['n_entities'], 'entity', 'entities')}, "
        f"{plural(result['n_exposures'], 'exposure')}"
    )
    if read["has_draws"]:
        n_draws = read["n_chains"] * read["n_draws"]
        print(f"draws of the totals: {n_draws:,} in total_draws.parquet")
    else:
        print("the totals are a point estimate: their uncertainty is not known")
    if "largest_reconstruction_error" in read:
        error = read["largest_reconstruction_error"]
        print(f"contributions made again from parameters and delivery: they differ by {error:.1g}")
    for name, part in read.get("largest_disproportion", {}).items():
        if part > _NOTABLE:
            print(
                terminal_label(
                    f"check {name}: its contributions are up to {part:.0%} off a multiple of the "
                    "curve made from this delivery; is it the delivery that Robyn saw?"
                )
            )
    if result["channels_without_delivery"]:
        left_out = ", ".join(result["channels_without_delivery"])
        print(terminal_label(f"not imported, for want of delivery: {left_out}"))
    if result["negative"]["draws"]:
        print(f"negative draws set to zero: {result['negative']['draws']:,}")
    print(done.record["causal_status"])
    print(f"next: bayes-attrib fit {done.folder}/model.toml {done.folder} --out RUN")
