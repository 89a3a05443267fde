"""``import-mmm`` as a script calls it, and the fit of what it wrote."""

import hashlib
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from mmm_exports import (
    PYMC_FILE,
    meridian_dataset,
    meridian_delivery,
    pymc_delivery,
    robyn_tables,
    write_robyn,
)

from bayes_attrib import cli
from bayes_attrib.errors import DataError
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.spec import load_spec
from bayes_attrib.workflow.import_mmm import WRITTEN, guess_source


def call(capsys, *words):
    """Run a command in this process and return its exit status, output and complaints."""
    with pytest.raises(SystemExit) as stop:
        cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return stop.value.code or 0, captured.out, captured.err


def written(folder, delivery):
    file = folder / "delivery.csv"
    delivery.to_csv(file, index=False)
    return file


def exported(kind, folder):
    """Write an export and its deliveries; return both, and further words of the command."""
    if kind == "pymc-marketing":
        return PYMC_FILE, written(folder, pymc_delivery()), ["--geo", "geo"]
    if kind == "meridian":
        data = meridian_dataset()
        data.to_netcdf(folder / "meridian.nc", engine="h5netcdf")
        return folder / "meridian.nc", written(folder, meridian_delivery(data)), ["--geo", "geo"]
    tables, delivery = robyn_tables()
    return write_robyn(folder / "robyn", tables), written(folder, delivery), []


@pytest.mark.parametrize("kind", ["pymc-marketing", "meridian", "robyn"])
def test_every_source_becomes_a_data_folder_that_validates(capsys, tmp_path, kind):
    file, delivery, words = exported(kind, tmp_path)
    out = tmp_path / "data"
    status, output, complaint = call(
        capsys, "import-mmm", file, "--delivery", delivery, "--out", out, *words, "--json"
    )
    assert (status, complaint) == (0, "")
    record = json.loads(output)
    assert record["source"] == kind
    assert guess_source(file) == kind
    assert "model-based" in record["causal_status"]
    for name, digest in record["result"]["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    kept = json.loads((out / "import.json").read_text())
    assert kept == {key: value for key, value in record.items() if key != "folder"}
    spec = load_spec(out / "model.toml")
    read = read_tables(spec, DataSource(out))
    assert read.data.grand_total == pytest.approx(record["result"]["grand_total"])
    drawn = set() if kind == "robyn" else {"totals-paired", "few-total-draws"}
    assert {f.code for f in read.findings} - {"zero-exposure"} == drawn
    assert spec.total_uncertainty == ("plugin" if kind == "robyn" else "paired")
    assert spec.likelihood.family == "given"
    assert spec.rates.pooling == ("channel", "objective")
    assert (out / "total_draws.parquet").exists() == (kind != "robyn")
    assert str(tmp_path) not in (out / "import.json").read_text()
    status, _, _ = call(capsys, "validate", out / "model.toml", out)
    assert status == 0


def test_draws_of_totals_and_parameters_are_kept_in_their_order(capsys, tmp_path):
    file, delivery, words = exported("pymc-marketing", tmp_path)
    out = tmp_path / "data"
    call(capsys, "import-mmm", file, "--delivery", delivery, "--out", out, *words)
    aggregates = pd.read_csv(out / "aggregates.csv")
    table = pq.read_table(out / "total_draws.parquet")
    assert table.schema.metadata[b"n_chains"] == b"2"
    assert table.schema.metadata[b"n_draws"] == b"10"
    draws = np.stack(table["draws"].to_numpy(zero_copy_only=False))
    keys = table.drop_columns("draws").to_pandas()
    pd.testing.assert_frame_equal(keys, aggregates[["channel", "period", "geo"]], check_dtype=False)
    np.testing.assert_allclose(draws.mean(axis=1), aggregates["total"], rtol=1e-12)
    parameters = pq.read_table(out / "parameter_draws.parquet").to_pandas()
    assert set(parameters["parameter"]) == {"adstock_alpha", "saturation_lam", "saturation_beta"}
    record = json.loads((out / "import.json").read_text())
    first = record["transforms"][0]
    mine = parameters.query("channel == @first['channel'] and geo == @first['geo']")
    alpha = mine.set_index("parameter")["draws"]["adstock_alpha"]
    assert np.mean(alpha) == pytest.approx(first["adstock"]["decay"])


def test_what_was_imported_can_be_fitted(capsys, tmp_path):
    file, delivery, words = exported("pymc-marketing", tmp_path)
    out, run = tmp_path / "data", tmp_path / "run"
    status, output, _ = call(
        capsys, "import-mmm", file, "--delivery", delivery, "--out", out, *words
    )
    assert status == 0
    assert f"next: bayes-attrib fit {out}/model.toml {out} --out RUN" in output
    status, _, complaint = call(
        capsys,
        *("fit", out / "model.toml", out, "--out", run, "--chains", 2),
        *("--tune", 200, "--draws", 100, "--quiet"),
    )
    assert status in (0, 3), complaint  # the verdict is not what is tested here
    cells = pd.read_parquet(run / "cells.parquet")
    sums = cells.groupby(["channel", "period", "geo"])["amount_mean"].sum()
    totals = pd.read_csv(out / "aggregates.csv").set_index(["channel", "period", "geo"])["total"]
    np.testing.assert_allclose(sums.reindex(totals.index), totals, rtol=1e-9)


def test_what_is_refused_writes_nothing(capsys, tmp_path):
    file, delivery, _ = exported("pymc-marketing", tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    status, output, complaint = call(
        capsys, "import-mmm", file, "--delivery", delivery, "--out", tmp_path / "data"
    )
    assert (status, output) == (2, "")  # without --geo
    assert "name the column with --geo" in complaint
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_wrong_source_is_refused(capsys, tmp_path):
    file, delivery, words = exported("meridian", tmp_path)
    words += ["--from", "pymc-marketing"]
    status, _, complaint = call(
        capsys, "import-mmm", file, "--delivery", delivery, "--out", tmp_path / "data", *words
    )
    assert status == 2
    assert "there is no attribute 'adstock'" in complaint
    (tmp_path / "empty.nc").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be read as netCDF"):
        guess_source(tmp_path / "empty.nc")


def test_folders_are_replaced_only_if_they_hold_an_import_and_it_is_asked_for(capsys, tmp_path):
    file, delivery, words = exported("pymc-marketing", tmp_path)
    out = tmp_path / "data"
    command = ["import-mmm", file, "--delivery", delivery, "--out", out, *words]
    assert call(capsys, *command)[0] == 0
    status, _, complaint = call(capsys, *command)
    assert status == 2
    assert "add --overwrite" in complaint
    tables, robyn_delivery = robyn_tables()
    other = write_robyn(tmp_path / "robyn", tables)
    command = ["import-mmm", other, "--delivery", written(tmp_path, robyn_delivery), "--out", out]
    assert call(capsys, *command, "--overwrite")[0] == 0
    held = {path.name for path in out.iterdir()}
    assert held == set(WRITTEN) - {"total_draws.parquet", "parameter_draws.parquet"}
    (out / "notes.txt").write_text("mine")
    status, _, complaint = call(capsys, *command, "--overwrite")
    assert status == 2
    assert "holds notes.txt, which no import writes" in complaint
    status, _, complaint = call(capsys, *command[:-1], delivery)
    assert status == 2
    assert "is a file" in complaint


def test_names_of_any_form_survive_the_spec(capsys, tmp_path):
    delivery = pymc_delivery().rename(columns={"objective": 'goal "é" \\ 🙂'})
    status, _, complaint = call(
        capsys,
        *("import-mmm", PYMC_FILE, "--delivery", written(tmp_path, delivery)),
        *("--out", tmp_path / "data", "--geo", "geo"),
    )
    assert (status, complaint) == (0, "")
    spec = load_spec(tmp_path / "data" / "model.toml")
    assert spec.rates.pooling == ("channel", 'goal "é" \\ 🙂')


def test_columns_that_cannot_be(capsys, tmp_path):
    delivery = written(tmp_path, pymc_delivery())
    status, _, complaint = call(
        capsys,
        *("import-mmm", PYMC_FILE, "--delivery", delivery, "--out", tmp_path / "data"),
        *("--entity", "channel"),
    )
    assert status == 2
    assert "'channel' is named twice" in complaint


def test_doubts_about_a_solution_of_robyn_are_told(capsys, tmp_path):
    tables, delivery = robyn_tables()
    tables["pareto_hyperparameters.csv"]["TV_thetas"] = 0.8
    file = write_robyn(tmp_path / "robyn", tables)
    command = ["import-mmm", file, "--delivery", written(tmp_path, delivery)]
    status, output, _ = call(capsys, *command, "--out", tmp_path / "data")
    assert status == 0
    assert "check TV: its contributions are up to" in output
    assert "check Search" not in output
    assert "their uncertainty is not known" in output


def test_what_is_not_known_cannot_be_rescaled_to(capsys, tmp_path):
    tables, delivery = robyn_tables()
    del tables["pareto_media_transform_matrix.csv"]
    file = write_robyn(tmp_path / "robyn", tables)
    command = ["import-mmm", file, "--delivery", written(tmp_path, delivery), "--rescale"]
    status, _, complaint = call(capsys, *command, "--out", tmp_path / "data")
    assert status == 2
    assert "does not tell the delivery" in complaint


def test_what_was_left_out_or_changed_is_told(capsys, tmp_path):
    delivery = pymc_delivery()
    data = written(tmp_path, delivery[delivery["channel"] == "TV"])
    words = ["--delivery", data, "--geo", "geo"]
    _, output, _ = call(capsys, "import-mmm", PYMC_FILE, *words, "--out", tmp_path / "one")
    assert "not imported, for want of delivery: Search" in output
    export = meridian_dataset()
    export["incremental_outcome"][0, 0, 0, 0, 0] = -1.0
    export.to_netcdf(tmp_path / "meridian.nc", engine="h5netcdf")
    words = ["--delivery", written(tmp_path, meridian_delivery(export)), "--geo", "geo"]
    command = ["import-mmm", tmp_path / "meridian.nc", *words, "--out", tmp_path / "two"]
    assert call(capsys, *command)[0] == 2
    status, output, _ = call(capsys, *command, "--negative", "clip")
    assert status == 0
    assert "negative draws set to zero: 1" in output
