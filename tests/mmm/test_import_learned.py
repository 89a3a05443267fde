"""import-mmm --learn: delivery, and transforms that are unknown with the mix model's posterior."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_import_command import exported

from bayes_attrib.errors import DataError
from bayes_attrib.exposure import DeliveryColumns
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.mmm.learned_text import fitted_prior
from bayes_attrib.spec import load_spec
from bayes_attrib.workflow.import_mmm import ImportOptions, import_mmm

COLUMNS = DeliveryColumns("campaign", "channel", "period", "delivery", "geo")


@pytest.mark.parametrize("semantics", ["channel_curve", "own_curve"])
@pytest.mark.parametrize("kind", ["pymc-marketing", "meridian"])
def test_exposures_at_fixed_values_are_those_of_a_plain_import(tmp_path, kind, semantics):
    file, delivery, _ = exported(kind, tmp_path)
    data = {}
    for learn in (False, True):
        options = ImportOptions(COLUMNS, semantics=semantics, learn=learn)
        out = import_mmm(file, delivery, tmp_path / f"learn_{learn}", options).folder
        spec = load_spec(out / "model.toml")
        data[learn] = read_tables(spec, DataSource(out)).data
    plain, learned = (_frame(data[learn]) for learn in (False, True))
    pd.testing.assert_frame_equal(plain, learned, rtol=1e-10)
    unknown = spec.exposure.learned.parameters
    assert len({parameter.label for parameter in unknown}) == len(unknown) > 0
    assert spec.likelihood.family == "gamma"
    assert spec.exposure.totals == "mix_model"
    assert len(data[True].delivery) == len(spec.exposure.learned.transforms)


def _frame(data):
    frame = pd.DataFrame(
        {
            "aggregate": data.aggregate_labels[data.edge_aggregate],
            "entity": data.entity_names[data.edge_entity],
            "exposure": data.exposure.data,
        }
    )
    frame = frame[frame["exposure"] > 1e-9]
    return frame.sort_values(["aggregate", "entity"]).reset_index(drop=True)


def test_priors_are_those_of_the_draws_in_the_import(tmp_path):
    file, delivery, _ = exported("meridian", tmp_path)
    out = import_mmm(file, delivery, tmp_path / "data", ImportOptions(COLUMNS, learn=True)).folder
    draws = pd.read_parquet(out / "parameter_draws.parquet")
    names = {"decay": "alpha_m", "half_saturation": "ec_m", "slope": "slope_m"}
    for parameter in load_spec(out / "model.toml").exposure.learned.parameters:
        row = draws[
            (draws["channel"] == parameter.channel) & (draws["parameter"] == names[parameter.name])
        ]
        given = np.asarray(row["draws"].iloc[0])
        settings = parameter.prior.parameters
        assert parameter.geo is None
        assert parameter.value == pytest.approx(given.mean())
        if parameter.name == "decay":
            law = stats.beta(settings["alpha"], settings["beta"])
            assert law.mean() == pytest.approx(given.mean(), rel=2e-3)
            assert law.std() == pytest.approx(given.std(), rel=5e-3)
        else:
            assert settings["mu"] == pytest.approx(np.log(given).mean(), rel=1e-3, abs=1e-3)
            assert settings["sigma"] == pytest.approx(np.log(given).std(), rel=1e-3)


def test_a_solution_without_draws_has_no_priors(tmp_path):
    file, delivery, _ = exported("robyn", tmp_path)
    columns = DeliveryColumns("campaign", "channel", "period", "delivery")
    with pytest.raises(DataError, match="no draws of the parameters"):
        import_mmm(file, delivery, tmp_path / "data", ImportOptions(columns, learn=True))
    assert not (tmp_path / "data").exists()


def test_priors_fit_draws_of_their_own_distribution():
    rng = np.random.default_rng(1)
    beta = fitted_prior(rng.beta(8.0, 12.0, 200_000), "unit").parameters
    # moments of 200,000 draws: relative sd of the size is some sqrt(2 / 200,000), or .3%
    assert beta == pytest.approx({"alpha": 8.0, "beta": 12.0}, rel=0.02)
    lognormal = fitted_prior(rng.lognormal(-0.3, 0.4, 200_000), "positive").parameters
    assert lognormal == pytest.approx({"mu": -0.3, "sigma": 0.4}, abs=0.005)


def test_the_record_says_that_transforms_are_learned(tmp_path):
    file, delivery, _ = exported("meridian", tmp_path)
    out = import_mmm(file, delivery, tmp_path / "data", ImportOptions(COLUMNS, learn=True)).folder
    record = json.loads((out / "import.json").read_text())
    assert record["options"]["learn"] is True
    assert "exposure" not in pd.read_csv(out / "exposures.csv")
    assert "learning is a circle" in (out / "model.toml").read_text()
