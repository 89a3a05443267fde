"""From a fitted mix model and a delivery table to a data folder with a spec that fits it."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bayes_attrib import names
from bayes_attrib.errors import UnknownNameError
from bayes_attrib.exposure import DeliveryColumns, Semantics
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.mmm import (
    DeliveryTable,
    ImportTables,
    MixModel,
    Negative,
    RobynOptions,
    import_tables,
    read_delivery,
    read_meridian,
    read_pymc_marketing,
    read_robyn,
    spec_text,
)
from bayes_attrib.mmm.learned_text import exposure_section
from bayes_attrib.mmm.meridian import OUTCOME
from bayes_attrib.mmm.netcdf import open_tree
from bayes_attrib.report.file_digests import sha256_of
from bayes_attrib.spec import load_spec

Source = Literal["pymc-marketing", "meridian", "robyn"]

SPEC_FILE: Final = "model.toml"
RECORD_FILE: Final = "import.json"
TOTAL_DRAWS_FILE: Final = "total_draws.parquet"
PARAMETER_DRAWS_FILE: Final = "parameter_draws.parquet"
_TABLES: Final = (
    f"{names.AGGREGATES_TABLE}.csv",
    f"{names.EXPOSURES_TABLE}.csv",
    f"{names.ENTITIES_TABLE}.csv",
)
WRITTEN: Final = (*_TABLES, TOTAL_DRAWS_FILE, PARAMETER_DRAWS_FILE, SPEC_FILE, RECORD_FILE)
CAUSAL_STATUS: Final = (
    "Totals are as causal as the mix model is. The split below the channel is model-based: it is "
    "told by delivery, groups and assumptions, unless a lift test informs it."
)


@dataclass(frozen=True)
class ImportOptions:
    """What a user decides about an import.

    Attributes
    ----------
    columns : DeliveryColumns
        Names of the columns of the delivery table.
    source : {"pymc-marketing", "meridian", "robyn"} or None
        Package that fitted the mix model; guessed from the file where it is not given.
    semantics : {"channel_curve", "own_curve"}
        How the channel's curve is applied to its entities.
    negative : {"error", "clip"}
        Whether negative contributions are a fault, or are set to zero.
    rescale : bool
        Multiply delivery, so that it adds up to what the mix model was fitted to.
    learn : bool
        Write delivery instead of exposures, and a spec that learns the transforms, with priors
        from the mix model's posterior.
    robyn : RobynOptions
        Solution and adstock, for Robyn alone.
    """

    columns: DeliveryColumns
    source: Source | None = None
    semantics: Semantics = "channel_curve"
    negative: Negative = "error"
    rescale: bool = False
    learn: bool = False
    robyn: RobynOptions = field(default_factory=RobynOptions)


@dataclass(frozen=True)
class Imported:
    """What came of an import.

    Attributes
    ----------
    folder : Path
        The data folder.
    record : dict
        Content of ``import.json``, as plain JSON types.
    """

    folder: Path
    record: dict[str, Any]


def import_mmm(
    path: Path, delivery: Path, out: Path, options: ImportOptions, *, overwrite: bool = False
) -> Imported:
    """Read a fitted mix model and write a data folder that ``fit`` can use.

    Parameters
    ----------
    path : Path
        NetCDF file of PyMC-Marketing or Meridian, or folder of Robyn.
    delivery : Path
        Delivery table below the channels, CSV or Parquet.
    out : Path
        Data folder to write.
    options : ImportOptions
        How.
    overwrite : bool
        Replace an earlier import in that folder.

    Returns
    -------
    Imported
        Folder and record.

    Raises
    ------
    DataError
        If a file is wrong or they do not fit together; nothing is written then.
    UnknownNameError
        If the folder holds something else, or an import that may not be replaced.
    """
    _check_folder(out, overwrite=overwrite)
    table = read_delivery(delivery, options.columns)
    model = _read(path, table, options)
    tables = import_tables(
        model,
        table,
        semantics=options.semantics,
        negative=options.negative,
        rescale=options.rescale,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        record = _write(staged, model, table, tables, options)
        _publish(staged, out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Imported(out, record)


def guess_source(path: Path) -> Source:
    """Guess which package a fitted mix model is from.

    Parameters
    ----------
    path : Path
        File or folder.

    Returns
    -------
    {"pymc-marketing", "meridian", "robyn"}
        Robyn for a folder; Meridian for a netCDF file with a variable ``incremental_outcome``.

    Raises
    ------
    DataError
        If the file is not netCDF.
    """
    if path.is_dir():
        return "robyn"
    return "meridian" if OUTCOME in open_tree(path).data_vars else "pymc-marketing"


def _read(path: Path, table: DeliveryTable, options: ImportOptions) -> MixModel:
    source = options.source or guess_source(path)
    if source == "robyn":
        return read_robyn(path, table, options.robyn)
    return read_meridian(path) if source == "meridian" else read_pymc_marketing(path)


def _check_folder(out: Path, *, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise UnknownNameError(f"{out} is a file; give --out a folder that does not exist yet")
    found = {file.name for file in out.iterdir()} if out.exists() else set()
    foreign = sorted(found - set(WRITTEN))
    if foreign:
        raise UnknownNameError(
            f"{out} holds {', '.join(foreign[:3])}, which no import writes; choose another --out "
            "folder"
        )
    if found and not overwrite:
        raise UnknownNameError(
            f"{out} holds an import; choose another --out folder, or add --overwrite"
        )


def _write(
    folder: Path,
    model: MixModel,
    table: DeliveryTable,
    tables: ImportTables,
    options: ImportOptions,
) -> dict[str, Any]:
    section = (
        exposure_section(model, options.columns, options.semantics, tables.channels)
        if options.learn
        else ""
    )
    exposures = tables.delivery if options.learn else tables.exposures
    frames = (tables.aggregates, exposures, tables.entities.frame)
    for name, frame in zip(_TABLES, frames, strict=True):
        frame.to_csv(folder / name, index=False, lineterminator="\n", encoding="utf-8")
    if model.has_draws:
        _write_draws(folder / TOTAL_DRAWS_FILE, model, tables)
        _write_parameters(folder / PARAMETER_DRAWS_FILE, model)
    spec = folder / SPEC_FILE
    text = spec_text(model, options.columns, tables.entities.pooling, exposure=section)
    spec.write_text(text, encoding="utf-8")
    record = _record(folder, model, table, tables, options)
    content = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / RECORD_FILE).write_text(f"{content}\n", encoding="utf-8")
    return record


def _record(
    folder: Path,
    model: MixModel,
    table: DeliveryTable,
    tables: ImportTables,
    options: ImportOptions,
) -> dict[str, Any]:
    loaded = load_spec(folder / SPEC_FILE)
    read = read_tables(loaded, DataSource(folder))
    chosen = asdict(options)
    return {
        "source": model.source,
        "files": [{"name": file.name, "sha256": sha256_of(file)} for file in model.files],
        "delivery": {
            "name": table.file.name,
            "sha256": table.file.sha256,
            "rows": table.file.rows,
            "columns_that_group_nothing": tables.entities.left_out,
        },
        "options": {**chosen, "source": model.source},
        "read": {
            "channels": list(model.channels),
            "geos": None if model.geos is None else list(model.geos),
            "n_periods": len(model.periods),
            "first_period": model.periods[0],
            "last_period": model.periods[-1],
            "history": list(model.history),
            "has_draws": model.has_draws,
            "n_chains": model.contributions.shape[0],
            "n_draws": model.contributions.shape[1],
            **model.facts,
        },
        "transforms": [
            {
                "channel": key if isinstance(key, str) else key[0],
                "geo": None if isinstance(key, str) else key[1],
                "adstock": {"kind": transform.adstock.kind, **asdict(transform.adstock)},  # type: ignore[call-overload]
                "saturation": {
                    "kind": transform.saturation.kind,
                    **asdict(transform.saturation),
                },
                "scale": transform.scale,
                "saturation_first": transform.saturation_first,
            }
            for key, transform in model.transforms.items()
        ],
        "result": {
            **tables.facts,
            "n_entities": read.data.n_entities,
            "n_exposures": read.data.n_edges,
            "spec_digest": loaded.digest,
            "files": {
                name: sha256_of(folder / name) for name in WRITTEN if (folder / name).is_file()
            },
        },
        "causal_status": CAUSAL_STATUS,
        "versions": {"bayes-attrib": version("bayes-attrib"), "python": platform.python_version()},
    }


def _write_draws(file: Path, model: MixModel, tables: ImportTables) -> None:
    """Write keys of aggregates and a list of draws for each, chain by chain."""
    keys = tables.aggregates.drop(columns=[names.TOTAL, "total_sd"])
    _write_lists(file, keys, tables.total_draws.ravel(), tables.total_draws.shape[1], model)


def _write_parameters(file: Path, model: MixModel) -> None:
    """Write a list of draws for each parameter of a transform, chain by chain."""
    keys = pd.DataFrame(list(model.parameter_draws), columns=["channel", "geo", "parameter"])
    if keys["geo"].isna().all():
        keys = keys.drop(columns="geo")
    draws = [pa.array(values) for values in model.parameter_draws.values()]
    _write_lists(file, keys, pa.concat_arrays(draws), model.n_draws, model)


def _write_lists(file: Path, keys: pd.DataFrame, values: Any, width: int, model: MixModel) -> None:
    columns = pa.Table.from_pandas(keys, preserve_index=False).replace_schema_metadata(
        {
            "n_chains": str(model.contributions.shape[0]),
            "n_draws": str(model.contributions.shape[1]),
        }
    )
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values), width)
    pq.write_table(columns.append_column("draws", lists), file)


def _publish(staged: Path, out: Path) -> None:
    """Move files to their folder, and remove those of an earlier import that has more."""
    out.mkdir(exist_ok=True)
    for name in WRITTEN:
        if (staged / name).is_file():
            (staged / name).replace(out / name)
        else:
            (out / name).unlink(missing_ok=True)
