"""A run that was left alone passes every check; one changed number anywhere is found and named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from audited_runs import write_audited_run, write_data

from bayes_attrib.errors import RunFolderError
from bayes_attrib.inputs import DataSource
from bayes_attrib.report.file_digests import RECORDED_FILES, sha256_of
from bayes_attrib.report.run_folder import FILES
from bayes_attrib.report.verification.differences import relative_differences
from bayes_attrib.report.verification.sums import check_numbers
from bayes_attrib.workflow.verify_run import verify_run


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """Data and run; for reading only."""
    folder = tmp_path_factory.mktemp("pristine")
    data = write_data(folder / "data")
    return write_audited_run(folder / "run", data), data


@pytest.fixture
def run(pristine, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(pristine[0], tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def unsealed(run):
    """A copy without digests of its files, as older versions wrote runs."""
    change_json(run / "manifest.json", lambda manifest: manifest.pop("outputs"))
    return run


def change_json(file, change):
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")


def change_csv(file, column, row, change):
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    table.loc[row, column] = repr(change(float(table.loc[row, column])))
    table.to_csv(file, index=False)


def change_parquet(file, column, row, change):
    table = pd.read_parquet(file)
    table.loc[row, column] = change(table.loc[row, column])
    table.to_parquet(file, index=False)


def change_posterior(file, change):
    with xr.open_datatree(file, engine="h5netcdf") as tree:
        loaded = tree.load()
    change(loaded)
    loaded.to_netcdf(file, engine="h5netcdf")


def failures(found):
    return {(outcome.name, outcome.file) for outcome in found.failed}


def slightly_more(value):
    return value * (1 + 1e-6) + 1e-6


def test_a_run_that_was_left_alone_passes_every_check(pristine):
    run, data = pristine
    found = verify_run(run, DataSource(folder=data), manifest_sha256=sha256_of(run / FILES[0]))
    assert {outcome.status for outcome in found.outcomes} == {"ok"}
    assert found.passed
    assert found.manifest_sha256 == sha256_of(run / "manifest.json")
    names = {outcome.name for outcome in found.outcomes}
    assert {"recomputed.amount", "recomputed.checks", "roll_up_sums.kind", "input_totals"} <= names
    drawn = [o.value for o in found.outcomes if o.name.startswith("recomputed.") and o.tolerance]
    assert max(drawn) == 0.0  # not only within tolerance: the same draws on the same machine


OF_SOME_RUNS = {"variance_split.csv", "drift.json"}
OF_EVERY_RUN = tuple(name for name in RECORDED_FILES if name not in OF_SOME_RUNS)


def test_manifest_records_the_digests_of_all_files_but_reports(pristine):
    run, _ = pristine
    outputs = json.loads((run / "manifest.json").read_text())["outputs"]
    assert outputs == {name: sha256_of(run / name) for name in OF_EVERY_RUN}


@pytest.mark.parametrize("file", OF_EVERY_RUN)
def test_one_flipped_bit_names_the_file(run, file):
    content = bytearray((run / file).read_bytes())
    content[len(content) // 2] ^= 1
    (run / file).write_bytes(content)
    found = verify_run(run)
    digests = {o.file for o in found.failed if o.name == "sha256"}
    assert digests == {file}
    assert all(outcome.remedy for outcome in found.failed)


@pytest.mark.parametrize(
    ("column", "row"),
    [("amount_mean", 0), ("amount_sd", -1), ("share_lower", 1), ("rate_upper", -1)],
)
def test_one_changed_number_in_attribution_is_found_without_digests(unsealed, column, row):
    file = unsealed / "attribution.csv"
    row = pd.read_csv(file).index[row]
    change_csv(file, column, row, slightly_more)
    found = verify_run(unsealed)
    kind = column.rpartition("_")[0]
    assert (f"recomputed.{kind}", "attribution.csv") in failures(found)
    assert {outcome.file for outcome in found.failed} <= {"attribution.csv"}
    outcome = next(o for o in found.failed if o.name == f"recomputed.{kind}")
    assert outcome.message.startswith(f"{kind}_mean")
    assert f"{column} of " in outcome.message


@pytest.mark.parametrize(
    ("column", "check"),
    [
        ("em_amount", "entity_sums.em_amount"),
        ("em_share", "shares"),
        ("proportional_amount", "entity_sums.proportional_amount"),
        ("expected_amount_upper", "recomputed.expected_amount"),
        ("truth_amount", "entity_sums.truth_amount"),
        ("exposure", "entity_sums.exposure"),
        ("n_aggregates", "entity_sums.n_aggregates"),
    ],
)
def test_every_other_column_of_attribution_is_held_to_something(unsealed, column, check):
    change_csv(unsealed / "attribution.csv", column, 3, lambda value: value + 1.0)
    assert (check, "attribution.csv") in failures(verify_run(unsealed))


@pytest.mark.parametrize(
    ("column", "check"),
    [
        ("amount_mean", "aggregate_sums.amount_mean"),
        ("amount_sd", "recomputed.amount"),
        ("share_upper", "recomputed.share"),
        ("em_amount", "aggregate_sums.em_amount"),
        ("proportional_amount", "aggregate_sums.proportional_amount"),
    ],
)
def test_one_changed_number_in_the_cells_is_found_without_digests(unsealed, column, check):
    change_parquet(unsealed / "cells.parquet", column, 5, slightly_more)
    found = verify_run(unsealed)
    assert (check, "cells.parquet") in failures(found)


def test_a_changed_exposure_is_found_by_what_it_would_split(unsealed):
    change_parquet(unsealed / "cells.parquet", "exposure", 5, slightly_more)
    assert {("recomputed.proportional", "cells.parquet")} <= failures(verify_run(unsealed))


def test_one_changed_draw_is_found_without_digests(unsealed):
    def change(tree):
        tree["posterior"]["rate"][1, 7, 2] *= 1.5

    change_posterior(unsealed / "posterior.nc", change)
    found = verify_run(unsealed)
    assert ("recomputed.rate", "attribution.csv") in failures(found)
    assert ("recomputed.amount", "cells.parquet") in failures(found)


def test_a_changed_total_is_found_without_digests(unsealed):
    def change(tree):
        tree["observed_data"]["total"][4] += 1

    change_posterior(unsealed / "posterior.nc", change)
    names = {outcome.name for outcome in verify_run(unsealed).failed}
    assert {"aggregate_sums.amount_mean", "grand_total"} <= names


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda d: d.update(verdict="ok"), "verdict"),
        (lambda d: d["checks"][1].update(value=1.0001), "recomputed.checks"),
        (lambda d: d["checks"][0].update(value=7.0), "check_statuses"),
        (lambda d: d["checks"].pop(2), "recomputed.checks"),
    ],
)
def test_changed_diagnostics_are_found_without_digests(unsealed, change, check):
    change_json(unsealed / "diagnostics.json", change)
    found = verify_run(unsealed)
    assert (check, "diagnostics.json") in failures(found)
    assert {outcome.file for outcome in found.failed} == {"diagnostics.json"}


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda m: m.update(seed=2), "provenance"),
        (lambda m: m["inputs"][0].update(sha256="0" * 64), "provenance"),
        (lambda m: m["versions"].update(pymc="5.0"), "provenance"),
        (lambda m: m["spec"]["inference"].update(tune=11), "spec_digest"),
        (lambda m: m["data"].update(grand_total=m["data"]["grand_total"] + 1), "grand_total"),
        (lambda m: m["data"].update(n_aggregates=17), "number_of_aggregates"),
        (lambda m: m["priors"]["sigma_entity"].update(sigma=0.9), "priors"),
        (lambda m: m["sampling"].update(draws=51), "number_of_draws"),
        (lambda m: m.update(largest_residual=1.0), "largest_residual"),
        (lambda m: m["outputs"].update({"cells.parquet": "0" * 64}), "sha256"),
    ],
)
def test_a_changed_manifest_contradicts_other_files(run, change, check):
    change_json(run / "manifest.json", change)
    assert check in {outcome.name for outcome in verify_run(run).failed}


def test_what_no_other_file_knows_needs_the_digest_of_the_manifest(run):
    """Times are recorded once; who noted the manifest's digest elsewhere sees the change."""
    noted = sha256_of(run / "manifest.json")
    change_json(run / "manifest.json", lambda m: m.update(ended="2020-01-01T00:00:00+00:00"))
    assert verify_run(run).passed
    found = verify_run(run, manifest_sha256=noted)
    assert failures(found) == {("manifest_sha256", "manifest.json")}


@pytest.mark.parametrize(
    "file", ["attribution.csv", "cells.parquet", "posterior.nc", "em_errors.csv"]
)
def test_a_missing_file_is_named(run, file):
    (run / file).unlink()
    found = verify_run(run)
    assert ("file_is_there", file) in failures(found)
    assert file in next(o for o in found.failed if o.name == "file_is_there").message


def test_a_missing_manifest_is_named(run):
    (run / "manifest.json").unlink()
    found = verify_run(run)
    assert failures(found) == {("file_is_there", "manifest.json")}
    assert found.manifest_sha256 is None


@pytest.mark.parametrize(
    "file",
    ["attribution.csv", "cells.parquet", "posterior.nc", "diagnostics.json", "manifest.json"],
)
def test_a_file_cut_in_half_is_a_failed_check_of_that_file(unsealed, file):
    content = (unsealed / file).read_bytes()
    (unsealed / file).write_bytes(content[: len(content) // 2])
    found = verify_run(unsealed)
    assert file in {outcome.file for outcome in found.failed}


def test_an_edited_but_resealed_table_is_still_found(run):
    """Whoever writes the new digest into the manifest has not changed the draws."""
    change_csv(run / "attribution.csv", "amount_mean", 0, slightly_more)
    digest = sha256_of(run / "attribution.csv")
    change_json(run / "manifest.json", lambda m: m["outputs"].update({"attribution.csv": digest}))
    assert ("recomputed.amount", "attribution.csv") in failures(verify_run(run))


def test_nothing_is_drawn_from_a_posterior_that_is_known_to_be_changed(run):
    change_posterior(run / "posterior.nc", lambda tree: tree.attrs.update(note="mine"))
    found = verify_run(run)
    assert ("sha256", "posterior.nc") in failures(found)
    assert [o.name for o in found.with_status("not checked")] == ["recomputed"]


def test_input_tables_are_compared_by_digest_and_by_content(run, pristine, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(pristine[1], data)
    table = data / "aggregates.csv"
    table.write_text(table.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    found = verify_run(run, DataSource(folder=data))
    assert failures(found) == {("input.aggregates", "aggregates.csv")}
    table.unlink()
    found = verify_run(run, DataSource(folder=data))
    assert failures(found) == {("input.aggregates", "aggregates.csv")}
    assert "--aggregates FILE" in found.failed[0].remedy


def test_single_input_tables_may_be_given(run, pristine):
    found = verify_run(run, DataSource(exposures=pristine[1] / "exposures.csv"))
    status = {o.name: o.status for o in found.outcomes if o.name.startswith("input")}
    assert status == {
        "input.aggregates": "not checked",
        "input.exposures": "ok",
        "input.entities": "not checked",
        "input_tables": "not checked",
    }
    assert found.passed


def test_cells_that_are_not_those_of_the_input_are_found(unsealed, pristine):
    """A truth changed in both tables agrees with itself; only the input knows better."""
    cells = pd.read_parquet(unsealed / "cells.parquet")
    entity = cells.loc[5, "entity"]
    change_parquet(unsealed / "cells.parquet", "truth_amount", 5, lambda value: value + 7)
    table = pd.read_csv(unsealed / "attribution.csv", dtype=str, keep_default_na=False)
    kind = "=kind " + str(list(dict.fromkeys(table["name"])).index(entity) % 2)
    for row in table.index[table["name"].isin([entity, kind])]:
        change_csv(unsealed / "attribution.csv", "truth_amount", row, lambda value: value + 7)
    assert verify_run(unsealed).passed
    found = verify_run(unsealed, DataSource(folder=pristine[1]))
    assert failures(found) == {("input_truth_amount", "cells.parquet")}


def test_run_of_an_older_version_says_what_could_not_be_checked(make_run):
    folder = make_run()
    change_json(folder / "manifest.json", lambda m: m["data"].update(aggregates_without_exposure=0))
    change_json(folder / "manifest.json", lambda m: m["sampling"].update(draws=20))
    found = verify_run(folder)
    assert found.failed == ()
    assert {o.file for o in found.with_status("not recorded")} >= {
        "attribution.csv",
        "cells.parquet",
    }
    (outcome,) = found.with_status("not checked")
    assert "lacks constant_data" in outcome.message


def test_roll_ups_of_an_older_run_must_sum_to_the_entities(make_run):
    folder = make_run()
    rows = pd.read_csv(folder / "attribution.csv", dtype=str, keep_default_na=False)
    change_csv(folder / "attribution.csv", "em_amount", rows.index[-1], slightly_more)
    assert ("roll_up_sums.type", "attribution.csv") in failures(verify_run(folder))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Path.exists, "is not a folder"),
        (Path.mkdir, "holds none of the files of a run"),
        (lambda folder: (folder.mkdir(), (folder / "prior.csv").touch()), "from the priors alone"),
    ],
)
def test_what_is_no_run_is_an_error(tmp_path, make, message):
    make(tmp_path / "run")
    with pytest.raises(RunFolderError, match=message):
        verify_run(tmp_path / "run")


def test_json_of_a_failure_is_strict(unsealed):
    change_csv(unsealed / "attribution.csv", "amount_mean", 0, lambda _: float("inf"))
    text = json.dumps(verify_run(unsealed).as_dict(), allow_nan=False)
    content = json.loads(text)
    assert content["passed"] is False
    assert content["n_failed"] == sum(c["status"] == "failed" for c in content["checks"]) > 0


def test_a_mean_outside_its_interval_is_no_fault_and_a_reversed_interval_is():
    table = pd.DataFrame(
        {"amount_mean": [3.0], "amount_sd": [np.nan], "amount_lower": [0.0], "amount_upper": [2.0]}
    )
    assert check_numbers(table, "cells.parquet").status == "ok"
    reversed_ends = check_numbers(
        table.assign(amount_upper=-0.0, amount_lower=1.0), "cells.parquet"
    )
    assert reversed_ends.status == "failed"
    assert "amount_lower 1.0 > amount_upper -0.0" in reversed_ends.message
    assert check_numbers(table.assign(amount_mean=-1.0), "x").status == "failed"


def test_relative_differences():
    gaps = relative_differences(
        [1.0, np.nan, np.nan, 0.0, 1e9], [1.0 + 1e-9, np.nan, 1.0, 0.0, 1e9]
    )
    np.testing.assert_allclose(gaps, [1e-12, 0.0, np.inf, 0.0, 0.0], rtol=1e-6)
    assert relative_differences([], []).size == 0


def test_module_paths_name_no_machine(pristine):
    """The folder of a run says nothing of where it was made, so that it can be passed on."""
    assert str(Path.home()) not in (pristine[0] / "manifest.json").read_text()
