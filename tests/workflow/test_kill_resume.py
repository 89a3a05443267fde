"""A fit that is killed at random moments loses no completed chain and resumes to the same draws.

Four kills, at moments that differ from run to run of the test only as far as the machine's speed
does; ``BAYES_ATTRIB_KILLS=20`` asks for more.
"""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from bayes_attrib import names
from bayes_attrib.inference import ChainStore
from bayes_attrib.simulation import simulate, write_tables
from bayes_attrib.workflow.plan import CHAINS_FOLDER, PLAN_FILE
from bayes_attrib.workflow.write import open_run_folder

KILLS = int(os.environ.get("BAYES_ATTRIB_KILLS", "4"))
SPEC = """
schema_version = 1
name = "small"

[columns]
aggregate = ["brick_id"]
entity = "hcp_id"
total = "units"
exposure = "visits"

[inference]
method = "nuts"
draws = 2000
tune = 200
chains = 4
seed = 2
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with a spec and small tables."""
    folder = tmp_path_factory.mktemp("kill")
    (folder / "spec.toml").write_text(SPEC)
    options = {"n_entities": 40, "n_aggregates": 12}
    write_tables(simulate("hcp_brick", seed=1, options=options), folder / "data")
    return folder


def start(work, run):
    """Start a fit into a run folder, or go on with the one that is there."""
    begun = (run / PLAN_FILE).exists()
    words = ["--resume", run] if begun else [work / "spec.toml", work / "data", "--out", run]
    command = [sys.executable, "-m", "bayes_attrib", "fit", *words, "--quiet"]
    return subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process):
    _, errors = process.communicate(timeout=300)
    assert process.returncode in {0, 3}, errors  # 3: sampled, and not content with it
    return errors


def tables_of(run):
    found = (path for path in run.iterdir() if path.suffix in {".csv", ".nc", ".parquet"})
    return {path.name: path.read_bytes() for path in found}


def chains_of(run):
    return {path.name: path.read_bytes() for path in (run / CHAINS_FOLDER).glob("chain-*.npz")}


def require_whole(run):
    """Every file under its final name can be read to its end."""
    folder = run / CHAINS_FOLDER
    if not (folder / "plan.json").exists():
        assert not chains_of(run)
        return
    store = object.__new__(ChainStore)
    store.folder = folder
    for chain in store.completed():
        made = store.load(chain)
        assert {len(values) for values in made.draws.values()} == {2000}
        assert all(np.isfinite(values).all() for values in made.draws.values())


@pytest.mark.sampling
def test_killed_fits_lose_no_chain_and_resume_to_the_same_result(work, tmp_path):
    finish(start(work, tmp_path / "warm"))
    begun = time.monotonic()
    finish(start(work, tmp_path / "whole"))
    seconds = time.monotonic() - begun
    expected = tables_of(tmp_path / "whole")
    assert expected.keys() >= {names.ATTRIBUTION_FILE, names.POSTERIOR_FILE}
    moments = np.random.default_rng(8).uniform(0.2, 1.0, size=KILLS)
    n_runs, kept, interrupted = 1, {}, 0
    for moment in moments:
        run = tmp_path / f"killed-{n_runs}"
        begun, process = time.monotonic(), start(work, run)
        try:
            process.communicate(timeout=moment * seconds)
            seconds = min(seconds, time.monotonic() - begun)  # the machine has less to do by now
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            interrupted += 1
        if (run / names.MANIFEST_FILE).exists() and not (run / PLAN_FILE).exists():
            assert tables_of(run) == expected  # it was faster, or killed at its last breath
            n_runs, kept = n_runs + 1, {}
            continue
        require_whole(run)
        chains = chains_of(run)
        assert chains.items() >= kept.items()
        kept = chains
    assert interrupted >= KILLS // 2
    last = tmp_path / f"killed-{n_runs}"
    finish(start(work, last))
    assert tables_of(last) == expected
    assert not (last / CHAINS_FOLDER).exists()


def test_fit_stopped_while_its_reports_were_written_is_not_finished(tmp_path):
    for name in (names.MANIFEST_FILE, PLAN_FILE, names.ATTRIBUTION_FILE):
        (tmp_path / name).touch()
    open_run_folder(tmp_path, overwrite=False)
    assert {path.name for path in tmp_path.iterdir()} == {PLAN_FILE, names.ATTRIBUTION_FILE}
