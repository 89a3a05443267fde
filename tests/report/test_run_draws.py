"""A finished run gives its draws again, whatever its spec holds."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import xarray as xr
from made_up_draws import made_up_posterior, with_unattributed
from made_up_runs import attribute_fit

from bayes_attrib.errors import RunFolderError, UnknownNameError
from bayes_attrib.inference import load_tree, save_tree
from bayes_attrib.inference.constant_data import constant_data
from bayes_attrib.inference.rebuilt_fit import rebuild_fit
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.report import RunFolder
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.spec import parse_plain
from bayes_attrib.workflow import FitPlan, fit_to_folder

N_CHAINS, N_DRAWS = 2, 10
PATHS = ["a / x", "a / x", "a / y", "a / y", "b / x", "b / x", "b / x", "b / y"]


def make_data(*, unattributed, counts):
    """15 aggregates and 8 entities; nobody is exposed in the geo 'far', which has no sales."""
    rng = np.random.default_rng(5)
    geo, week = np.divmod(np.arange(15), 5)
    exposure = rng.lognormal(size=(15, 8)) * (rng.random((15, 8)) < 0.6)
    exposure[:, 0] = 1.0
    exposure[geo == 1] = 0.0
    geos = np.array(["near", "far", "middle"])[geo]
    data = AggregateData(
        aggregate_keys=pd.DataFrame({"geo": geos, "week": week.astype(str)}),
        totals=np.where(geo == 1, 0.0, rng.poisson(9.0, size=15) + (0.0 if counts else 0.5)),
        entity_key="creative",
        entity_names=np.array([f"c{i}" for i in range(8)], dtype=object),
        exposure=sp.csr_array(exposure),
        groupings={
            name: Grouping.from_labels(name, labels)
            for name, labels in (
                ("channel", list("aaaabbbb")),
                ("format", PATHS),
                ("objective", list("pqpqpqpq")),
            )
        },
        aggregate_groupings={
            "geo": Grouping.from_labels("geo", geos),
            "week": Grouping("week", tuple("01234"), week),
        },
        entity_covariates=pd.DataFrame({"seconds": rng.lognormal(size=8)}),
    )
    if unattributed:
        data = with_unattributed(data)
    return dataclasses.replace(
        data,
        pair_covariates=pd.DataFrame({"position": rng.normal(size=data.n_edges)}),
        aggregate_covariates=pd.DataFrame({"stores": rng.normal(size=15)}),
        truth=data.exposure.data * 2.0,
    )


SPECS = {
    "flat": {},
    "groups": {"rates": {"pooling": ["objective"], "nested": ["channel", "format"]}},
    "covariates": {"rates": {"covariates": "seconds", "pair_covariates": "position"}},
    "pair covariates beside a baseline": {
        "rates": {"pooling": ["objective"], "pair_covariates": "position"},
        "unattributed": {},
    },
    "effects of geos, one of them without exposure": {"rates": {"aggregate_effects": ["geo"]}},
    "drift of groups": {
        "rates": {
            "pooling": ["channel"],
            "drift": {"kind": "random_walk", "period": "week", "by": "channel"},
        },
        "unattributed": {},
    },
    "drift of entities": {
        "rates": {"drift": {"kind": "random_walk", "period": "week"}, "heteroscedastic": None},
    },
    "zeros": {
        "likelihood": {"family": "zero_inflated_poisson", "zero_covariates": "stores"},
        "rates": {"pooling": ["channel"], "heteroscedastic": "channel"},
    },
    "money of pairs": {"likelihood": {"family": "gamma", "level": "pair"}},
    "counts of pairs": {"likelihood": {"family": "negative_binomial", "level": "pair"}},
}


def make_spec(sections):
    plain = {
        "schema_version": 1,
        "name": "rebuilt",
        "columns": {"aggregate": ["geo", "week"], "entity": "creative"},
        "likelihood": {"family": "poisson"},
    }
    return parse_plain(plain | sections, source="test")


@pytest.mark.parametrize("name", SPECS)
def test_fit_and_data_are_rebuilt_from_files(name, tmp_path):
    spec = make_spec(SPECS[name])
    counts = spec.likelihood.counts
    data = make_data(unattributed=spec.unattributed is not None, counts=counts)
    data = dataclasses.replace(
        data, groupings={group: data.groupings[group] for group in spec.rates.groups}
    )
    fit = made_up_posterior(data, spec, n_chains=N_CHAINS, n_draws=N_DRAWS)
    result = attribute_fit(fit, data, spec)
    constants = constant_data(data, spec)
    tree = xr.DataTree.from_dict({"posterior": fit.posterior, "constant_data": constants})
    save_tree(tree, tmp_path / "posterior.nc")
    result.cells.to_parquet(tmp_path / "cells.parquet")

    again, rebuilt = rebuild_fit(
        spec,
        pd.read_parquet(tmp_path / "cells.parquet"),
        data.totals[data.is_exposed],
        load_tree(tmp_path / "posterior.nc"),
        "nuts",
    )

    redone = attribute_fit(again, rebuilt, spec)
    pd.testing.assert_frame_equal(redone.table, result.table, check_dtype=False)
    pd.testing.assert_frame_equal(redone.cells, result.cells)
    np.testing.assert_array_equal(
        redone.amounts.rows(slice(None)), result.amounts.rows(slice(None))
    )


@pytest.fixture(scope="module")
def coupon_run(coupon_spec, coupon_source, tmp_path_factory):
    plain = coupon_spec.model_dump(mode="json")
    plain["inference"] |= {"draws": 40, "tune": 60, "chains": 2}
    run = tmp_path_factory.mktemp("runs") / "short"
    fit_to_folder(FitPlan(parse_plain(plain, source="test"), coupon_source), run)
    return RunFolder.load(run)


@pytest.mark.sampling
def test_run_gives_the_amounts_of_its_tables(coupon_run):
    draws = RunDraws.load(coupon_run)
    assert draws.period == "week"
    entities, groups = draws.grains([["entity"], ["campaign_type"]])
    for found, level in ((entities, "entity"), (groups, "campaign_type")):
        table = coupon_run.attribution.query("level == @level").set_index("name")
        rows = table.loc[found.labels[level]]
        amounts = found.amounts.rows(slice(None))
        np.testing.assert_allclose(amounts.mean(axis=1), rows["amount_mean"], rtol=1e-12)
        np.testing.assert_allclose(amounts.std(axis=1, ddof=1), rows["amount_sd"], rtol=1e-12)
        labels, rates = draws.rates(level)
        np.testing.assert_allclose(rates.mean(axis=1), table.loc[list(labels), "rate_mean"])
    weeks = draws.amounts("week")
    totals = pd.Series(weeks.amounts.rows(slice(None))[:, 0], weeks.labels["week"])
    assert totals.index.is_monotonic_increasing
    assert totals.sum() == coupon_run.manifest.data.grand_total


@pytest.mark.sampling
def test_files_of_two_runs_are_told_apart(coupon_run):
    other = coupon_run.attribution.assign(amount_mean=coupon_run.attribution["amount_mean"] * 1.01)
    mixed = dataclasses.replace(coupon_run, attribution=other)
    with pytest.raises(RunFolderError, match=r"the files are of different runs"):
        RunDraws.load(mixed).amounts("entity")


@pytest.mark.sampling
def test_unknown_level_of_rates_is_an_error(coupon_run):
    with pytest.raises(UnknownNameError, match="there is no level 'shop' in this run; it has"):
        RunDraws.load(coupon_run).rates("shop")


@pytest.mark.sampling
def test_period_can_be_named_in_the_spec(coupon_run):
    raw = json.loads((coupon_run.path / "manifest.json").read_text())
    assert raw["spec"]["report"]["period"] is None
    report = coupon_run.spec.report.model_copy(update={"period": "week"})
    spec = coupon_run.spec.model_copy(update={"report": report})
    manifest = coupon_run.manifest.model_copy(update={"spec": spec})
    assert RunDraws.load(dataclasses.replace(coupon_run, manifest=manifest)).period == "week"
