"""Real sampling of a small model: chains are units that can be kept, completed and trusted."""

import os
import subprocess
import sys
import time

import numpy as np
import pymc as pm
import pytest

from bayes_attrib.errors import FitError, InterruptedFitError, RunFolderError
from bayes_attrib.inference import ChainStore, SamplerSettings, Silent, fit_nuts

SETTINGS = SamplerSettings(draws=50, tune=100, chains=3, seed=7)
PLAN = {"spec": "a", "data": {"aggregates": "b"}}


@pytest.fixture(scope="module")
def model():
    with pm.Model(coords={"entity": ["x", "y"]}) as model:
        rate = pm.LogNormal("rate", 0, 1, dims="entity")
        pm.Normal("offset_unused", dims="entity")
        pm.Poisson("total", mu=rate, observed=[3, 9], dims="entity")
    return model


@pytest.fixture(scope="module")
def whole(model):
    return fit_nuts(model, SETTINGS)


def rates(fit):
    return fit.posterior["rate"].to_numpy()


@pytest.mark.sampling
def test_shapes_names_and_order_of_draws(whole):
    assert rates(whole).shape == (3, 50, 2)
    assert list(whole.posterior.data_vars) == ["rate"]
    assert whole.tree["observed_data"]["total"].to_numpy().tolist() == [3, 9]
    draws = whole.draws("rate")
    assert draws.shape == (2, 150)
    np.testing.assert_array_equal(draws[0, 50:100], rates(whole)[1, :, 0])


@pytest.mark.sampling
def test_fewer_chains_and_one_core_give_the_same_draws(model, whole):
    settings = SamplerSettings(draws=50, tune=100, chains=2, seed=7)
    fewer = fit_nuts(model, settings, cores=1)
    np.testing.assert_array_equal(rates(fewer), rates(whole)[:2])


def test_chain_seeds_differ_and_do_not_depend_on_their_number():
    few = SamplerSettings(chains=2, seed=3).chain_seeds
    many = SamplerSettings(chains=8, seed=3).chain_seeds
    assert many[:2] == few
    assert len(set(many)) == 8
    assert not set(many) & set(SamplerSettings(chains=8, seed=4).chain_seeds)


class InterruptAfterOneChain(Silent):
    """Presses Ctrl-C once a chain has been completed."""

    def __init__(self, store):
        self.store = store

    def advanced(self, done, divergences):  # noqa: ARG002
        if self.store.completed():
            raise KeyboardInterrupt


@pytest.mark.sampling
def test_interrupted_fit_keeps_whole_chains_and_resumes_to_the_same_draws(model, whole, tmp_path):
    store = ChainStore(tmp_path / "chains", PLAN)
    with pytest.raises(InterruptedFitError) as stop:
        fit_nuts(model, SETTINGS, store=store, progress=InterruptAfterOneChain(store), cores=1)
    assert stop.value.completed == len(store.completed()) == 1
    kept = {path: path.stat().st_mtime_ns for path in store.folder.glob("chain-*.npz")}
    resumed = fit_nuts(model, SETTINGS, store=ChainStore(tmp_path / "chains", PLAN))
    np.testing.assert_array_equal(rates(resumed), rates(whole))
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())


@pytest.mark.sampling
def test_complete_store_needs_no_sampler(model, whole, tmp_path, monkeypatch):
    store = ChainStore(tmp_path, PLAN)
    fit_nuts(model, SETTINGS, store=store)
    monkeypatch.setattr("nutpie.sample", lambda *_, **__: pytest.fail("sampled again"))
    again = fit_nuts(model, SETTINGS, store=store)
    np.testing.assert_array_equal(rates(again), rates(whole))


def test_store_of_another_plan_is_refused_by_name(tmp_path):
    ChainStore(tmp_path, PLAN)
    with pytest.raises(RunFolderError, match="changed since: data"):
        ChainStore(tmp_path, PLAN | {"data": {"aggregates": "c"}})


def test_half_written_chain_does_not_count(tmp_path):
    store = ChainStore(tmp_path, PLAN)
    (tmp_path / "chain-0.partial").write_bytes(b"half")
    assert store.completed() == set()


class Recorder(Silent):
    def __init__(self):
        self.calls = []

    def started(self, total):
        self.calls.append(("started", total))

    def advanced(self, done, divergences):  # noqa: ARG002
        self.calls.append(("advanced", done))

    def finished(self):
        self.calls.append(("finished", time.monotonic()))


@pytest.mark.sampling
def test_progress_ends_at_the_number_of_draws_asked_for(model):
    recorder = Recorder()
    fit_nuts(model, SETTINGS, progress=recorder)
    assert recorder.calls[0] == ("started", 450)
    assert recorder.calls[-2] == ("advanced", 450)
    assert recorder.calls[-1][0] == "finished"


@pytest.mark.sampling
def test_model_without_rate_says_what_it_needs():
    with pm.Model() as model:
        pm.Normal("x")
    with pytest.raises(FitError, match=r'pm.Deterministic\("rate", ..., dims="entity"\)'):
        fit_nuts(model, SamplerSettings(draws=5, tune=5, chains=1))


COLD_AND_WARM = """
import numpy as np, pymc as pm, scipy.sparse as sp, pandas as pd
from bayes_attrib.inference import SamplerSettings, fit_nuts
from bayes_attrib.model import build_model
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import parse_plain
options = {"n_entities": 12, "n_aggregates": 6}
data = simulate("hcp_brick", seed=1, options=options).build_data()
spec = {"schema_version": 1, "name": "x", "columns": {"aggregate": "brick_id", "entity": "hcp_id"}}
model = build_model(data, parse_plain(spec, source="test"))
fit = fit_nuts(model, SamplerSettings(draws=30, tune=60, chains=2), cores=1)
print(fit.draws("rate").tobytes().hex())
"""


@pytest.mark.sampling
def test_a_cold_and_a_warm_cache_of_compiled_kernels_give_the_same_draws(tmp_path):
    flags = f"{os.environ.get('PYTENSOR_FLAGS', '')},base_compiledir={tmp_path}".lstrip(",")
    draws = [
        subprocess.run(
            [sys.executable, "-c", COLD_AND_WARM],
            env=os.environ | {"PYTENSOR_FLAGS": flags},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in ("cold", "warm")
    ]
    assert len(draws[0]) > 1000
    assert draws[0] == draws[1]
