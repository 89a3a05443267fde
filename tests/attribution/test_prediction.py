"""Predictions for entities and aggregates that no fit has seen, against laws computed by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from bayes_attrib.attribution.prediction import Source, predict_tables
from bayes_attrib.attribution.prediction.edges import new_aggregates
from bayes_attrib.attribution.prediction.periods import drift_paths
from bayes_attrib.attribution.prediction.rates import entity_rates
from bayes_attrib.errors import DataError
from bayes_attrib.inference import PosteriorFit, expected_draws, load_tree, save_tree
from bayes_attrib.inference.constant_data import FittedData, constant_data
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.inputs.new_tables import KnownNames, read_new_tables
from bayes_attrib.spec import IntervalSpec, parse_plain

N_DRAWS = 4000
INTERVAL = IntervalSpec(kind="eti", prob=0.94)
RATES = {
    "pooling": ["objective"],
    "nested": ["format", "campaign"],
    "covariates": "log(seconds)",
    "pair_covariates": "position",
    "aggregate_effects": ["geo"],
    "drift": {"kind": "random_walk", "period": "week", "by": "format"},
}


def make_spec(rates=RATES, *, family="poisson", **sections):
    return parse_plain(
        {
            "schema_version": 1,
            "name": "prediction",
            "columns": {"aggregate": ["geo", "week"], "entity": "creative"},
            "likelihood": {"family": family},
            "rates": rates,
            **sections,
        },
        source="test",
    )


def make_tables(seed=3):
    rng = np.random.default_rng(seed)
    entities = pd.DataFrame(
        {
            "creative": [f"c{i}" for i in range(8)],
            "objective": list("pqpqpqpq"),
            "format": list("aaaabbbb"),
            "campaign": list("xxyyxxyy"),
            "seconds": rng.lognormal(size=8).round(3),
        }
    )
    keys = pd.MultiIndex.from_product([["n", "s", "w"], ["1", "2", "3", "4"]])
    aggregates = keys.to_frame(index=False, name=["geo", "week"])
    aggregates["total"] = rng.poisson(9.0, size=12)
    exposures = aggregates[["geo", "week"]].merge(entities[["creative"]], how="cross")
    exposures["exposure"] = rng.lognormal(size=len(exposures)).round(3)
    exposures["position"] = rng.normal(size=len(exposures)).round(3)
    exposures = exposures[rng.random(len(exposures)) < 0.7].reset_index(drop=True)
    return {"entities": entities, "exposures": exposures, "aggregates": aggregates}


def read(tables, spec, folder):
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return read_tables(spec, DataSource(folder=folder)).data


def fabricate(data, spec, *, n_draws=N_DRAWS, seed=1):
    """Draws of the model's priors, by hand; they stand for a posterior."""
    rng = np.random.default_rng(seed)
    rates, found, coords = spec.rates, {}, {"entity": data.entity_names}
    half = lambda scale=1.0: np.abs(scale * rng.standard_normal(n_draws))  # noqa: E731
    found["intercept"] = ((), rng.standard_normal(n_draws))
    found["sigma_entity"] = ((), half())
    n = data.n_attributable
    log_rate = np.log(data.reference_rate) + found["intercept"][1] + np.zeros((n, 1))
    for column in (*rates.groups, *rates.aggregate_effects):
        own = column in rates.groups
        grouping = data.attributable_grouping(column) if own else data.aggregate_groupings[column]
        sigma, shape = half(), (len(grouping.levels), n_draws)
        effect = sigma * rng.standard_normal(shape)
        if column in (*rates.pooling, *rates.aggregate_effects, *rates.nested[:1]):
            effect -= effect.mean(axis=0)
        found |= {f"sigma_{column}": ((), sigma), f"effect_{column}": ((column,), effect)}
        coords[column] = list(grouping.levels)
        log_rate = log_rate + (effect[grouping.codes] if own else 0.0)
    if rates.covariates is not None:
        x = np.log(data.entity_covariates["seconds"].to_numpy())
        beta = 0.5 * rng.standard_normal((1, n_draws))
        found["beta"] = (("covariate",), beta)
        log_rate = log_rate + ((x - x.mean()) / x.std())[:, None] * beta
    if rates.pair_covariates is not None:
        found["beta_pair"] = (("pair_covariate",), 0.5 * rng.standard_normal((1, n_draws)))
    if rates.drift is not None:
        coords["period"] = list(data.aggregate_groupings["week"].levels)
        sigma = half(0.5)
        steps = rng.standard_normal((2, len(coords["period"]), n_draws))
        walk = sigma * np.cumsum(steps, axis=1)
        found["sigma_drift"] = ((), sigma)
        found["lengthscale_drift"] = ((), 1.0 + half())
        walk -= walk.mean(axis=1, keepdims=True)
        found["drift"] = ((rates.drift.by, "period"), walk)
    for name in spec.likelihood.parameters:
        found[name] = ((), 0.5 + half())
    log_rate = log_rate + found["sigma_entity"][1] * rng.standard_normal((n, n_draws))
    found["log_rate"] = (("entity",), log_rate)
    found["rate"] = (("entity",), np.exp(log_rate))
    variables = {
        name: (("chain", "draw", *dims), np.moveaxis(values, -1, 0)[None])
        for name, (dims, values) in found.items()
    }
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(variables, coords=coords)})
    return PosteriorFit(tree, "test")


@pytest.fixture
def case(tmp_path):
    """Builds tables, their data, and a source with fabricated draws."""

    def build(spec, **options):
        tables = make_tables()
        data = read(tables, spec, tmp_path)
        fitted = FittedData.of(constant_data(data, spec), spec)
        return tables, data, Source(fabricate(data, spec, **options), spec, fitted)

    return build


def checked(source, **given):
    groups = source.data.groups
    known = {
        name: {column: groups[column][i] for column in source.spec.rates.pooling}
        for i, name in enumerate(source.data.entities)
    }
    return read_new_tables(source.spec, given, KnownNames(known, {}))


def predict(source, *, interval=INTERVAL, seed=5, **given):
    tables = checked(source, **given)
    return predict_tables(source, tables, interval=interval, rng=np.random.default_rng(seed))


def newcomers(**columns):
    n = len(next(iter(columns.values())))
    plain = {
        "creative": [f"new {i}" for i in range(n)],
        "objective": ["p"] * n,
        "format": ["a"] * n,
        "campaign": ["x"] * n,
        "seconds": [2.0] * n,
    }
    return pd.DataFrame(plain | columns)


def test_rates_of_new_entities_follow_the_law_of_their_groups(case):
    spec = make_spec({k: RATES[k] for k in ("pooling", "nested", "covariates")})
    tables, data, source = case(spec)
    table = newcomers(campaign=["x", "spring", "spring"], seconds=[2.0, 3.0, 4.0])
    log_rate = np.log(predict(source, entities=table).rate_draws)
    draws = source.fit.draws
    x = np.log(tables["entities"]["seconds"].to_numpy())
    centre = np.log(data.totals.sum() / data.exposure.sum()) + draws("intercept")
    centre = centre + draws("effect_objective")[0] + draws("effect_format")[0]
    shifts = (np.log([2.0, 3.0, 4.0]) - x.mean()) / x.std()
    centre = centre + shifts[:, None] * draws("beta")[0]
    centre[0] += draws("effect_campaign")[0]
    residual = log_rate - centre
    own, between = draws("sigma_entity"), draws("sigma_campaign")
    z = residual / np.sqrt(own**2 + np.array([0, 1, 1])[:, None] * between**2)
    # Four tests of standard normals, each with a false-alarm rate of 1e-4.
    for row in z:
        assert stats.kstest(row, "norm").pvalue > 1e-4
    # Two entities share the draw of their new campaign: what differs is their own.
    difference = (residual[1] - residual[2]) / (np.sqrt(2) * own)
    assert stats.kstest(difference, "norm").pvalue > 1e-4


def test_intervals_of_new_rates_cover_the_truth_of_fresh_worlds(case):
    """With prior draws for a posterior the law is exact: 94% intervals cover 94% of worlds."""
    spec = make_spec({"pooling": ["objective"], "nested": ["format", "campaign"]})
    _, data, source = case(spec)
    table = newcomers(campaign=["x", "spring"], format=["a", "b"])
    found = predict(source, entities=table).rates
    rng, n = np.random.default_rng(11), 4000
    half = lambda: np.abs(rng.standard_normal(n))  # noqa: E731
    for row, campaign_is_known in enumerate([True, False]):
        zero_sum = np.sqrt(0.5)  # sd of one of two effects that sum to zero, from its projection
        log_rate = np.log(data.reference_rate) + rng.standard_normal(n)
        for scale in (zero_sum, zero_sum, 1.0):
            log_rate += scale * half() * rng.standard_normal(n)
        log_rate += half() * rng.standard_normal(n)
        low, high = found.loc[row, ["rate_lower", "rate_upper"]]
        covered = np.mean((np.exp(log_rate) >= low) & (np.exp(log_rate) <= high))
        # Four sd of worlds and of draws together: a false alarm in 16,000.
        sd = np.sqrt(0.94 * 0.06 * (1 / n + 1 / N_DRAWS))
        assert abs(covered - 0.94) < 4 * sd, (campaign_is_known, covered)


def test_intervals_widen_with_what_is_not_known(case):
    spec = make_spec({"pooling": ["objective"], "nested": ["format", "campaign"]})
    _, _, source = case(spec)
    tree = source.fit.posterior
    for name in ("log_rate", "effect_objective", "effect_format", "effect_campaign"):
        tree[name] = 0.1 * tree[name]  # as if the data had told them well
    fit = PosteriorFit(xr.DataTree.from_dict({"posterior": tree}), "test")
    table = newcomers(campaign=["x", "z", "z"], format=["a", "a", "c"])
    table.loc[len(table)] = ["c0", "p", "a", "x", 2.0]
    found = predict(Source(fit, spec, source.data), entities=table).rates
    assert found["is_new"].tolist() == [True, True, True, False]
    assert found["new_levels"].tolist() == [
        "",
        "campaign 'a / z'",
        "format 'c'; campaign 'c / z'",
        "",
    ]
    ratio = found["interval_width_ratio"].to_numpy()
    assert ratio[0] > 2
    width = np.log(found["rate_upper"] / found["rate_lower"])
    assert width[3] < width[0] < width[1] < width[2]
    assert found["n_compared"].tolist() == [1, 2, 4, 1]


def test_aggregates_of_the_fit_are_predicted_as_they_were_fitted(case):
    spec = make_spec()
    tables, data, source = case(spec, n_draws=50)
    given = checked(source, exposures=tables["exposures"], aggregates=tables["aggregates"])
    rng = np.random.default_rng(1)
    entities = list(dict.fromkeys(tables["exposures"]["creative"]))
    rates = entity_rates(source, entities, pd.DataFrame(), rng)
    new = new_aggregates(source, given, rates, rng)
    wanted = expected_draws(source.fit, data, spec).totals()
    np.testing.assert_allclose(new.mean.totals(), wanted)
    assert new.has_totals


def test_new_levels_of_aggregates_are_drawn_and_shared(case):
    spec = make_spec({"aggregate_effects": ["geo"]})
    _, _, source = case(spec)
    exposures = pd.DataFrame(
        {"geo": ["e", "e"], "week": ["1", "2"], "creative": ["c0", "c0"], "exposure": [2.0, 4.0]}
    )
    given, rng = checked(source, exposures=exposures), np.random.default_rng(2)
    rates = entity_rates(source, ["c0"], pd.DataFrame(), rng)
    totals = new_aggregates(source, given, rates, rng).mean.totals()
    np.testing.assert_allclose(totals[1], 2 * totals[0])
    log_factor = np.log(totals[0] / 2.0) - rates.log_rate[0]
    z = log_factor / source.fit.draws("sigma_geo")
    assert stats.kstest(z, "norm").pvalue > 1e-4


def test_random_walks_go_on_from_where_they_stood(case):
    spec = make_spec()
    _, _, source = case(spec)
    fit, rng = source.fit, np.random.default_rng(4)
    series = np.array([1, -1])
    path = drift_paths(fit, spec.rates.drift, series, ["4", "2", "7", "5"], rng)
    np.testing.assert_array_equal(path[0, :2], fit.draws("drift")[1][[3, 1]])
    sigma = fit.draws("sigma_drift")
    for first, second, steps in ((0, 3, 1), (3, 2, 2)):
        z = (path[:, second] - path[:, first]) / (sigma * np.sqrt(steps))
        for row in z:
            assert stats.kstest(row, "norm").pvalue > 1e-4
    whole = drift_paths(fit, spec.rates.drift, np.array([-1]), ["1", "2", "3", "4"], rng)
    np.testing.assert_allclose(whole.mean(axis=1), 0.0, atol=1e-12)
    smooth = make_spec(RATES | {"drift": RATES["drift"] | {"kind": "hsgp"}}).rates.drift
    curve = drift_paths(fit, smooth, np.array([-1]), ["1", "2", "3", "4"], rng)
    np.testing.assert_allclose(curve.mean(axis=1), 0.0, atol=1e-12)
    with pytest.raises(DataError, match="after the last period of the fit, '4'"):
        drift_paths(fit, smooth, series, ["5"], rng)
    with pytest.raises(DataError, match="'0' was not in the fit and lies before"):
        drift_paths(fit, spec.rates.drift, series, ["0"], rng)
    with pytest.raises(DataError, match="'May' cannot be placed"):
        drift_paths(fit, spec.rates.drift, series, ["May"], rng)


@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_amounts_of_new_aggregates_add_up(case, family):
    spec = make_spec({"pooling": ["objective"]}, family=family)
    tables, _, source = case(spec, n_draws=400)
    exposures = tables["exposures"].iloc[:12].drop(columns="position")
    exposures.loc[12] = [*exposures.loc[0, ["geo", "week"]], "new 0", 3.0]
    given = {"entities": newcomers(objective=["r"]), "exposures": exposures}
    found = predict(source, **given)
    keys = ["geo", "week"]
    sums = found.cells.groupby(keys, sort=False)["amount_mean"].sum().to_numpy()
    np.testing.assert_allclose(sums, found.totals["total_mean"])
    np.testing.assert_allclose(found.totals["total_mean"], found.total_draws.mean(axis=1))
    assert found.cells["is_new"].sum() == 1
    observed = tables["aggregates"].merge(exposures[keys].drop_duplicates())
    found = predict(source, **given, aggregates=observed)
    sums = found.cells.groupby(keys, sort=False)["amount_mean"].sum().to_numpy()
    np.testing.assert_allclose(sums, observed["total"])
    assert found.totals["total"].tolist() == observed["total"].tolist()


def test_same_seed_gives_the_same_prediction(case):
    spec = make_spec({"pooling": ["objective"]})
    _, _, source = case(spec, n_draws=50)
    first, again, other = (
        predict(source, entities=newcomers(objective=["r"]), seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.rate_draws, again.rate_draws)
    assert not np.array_equal(first.rate_draws, other.rate_draws)


def test_constant_data_survive_a_file_whatever_the_columns_are_called(tmp_path):
    tables = make_tables()
    tables["entities"] = tables["entities"].rename(
        columns={"seconds": "s/60 %", "objective": "goal, or so"}
    )
    spec = make_spec({"pooling": ["goal, or so"], "covariates": "log(`s/60 %`)"})
    data = read(tables, spec, tmp_path)
    tree = xr.DataTree.from_dict({"constant_data": constant_data(data, spec)})
    for name in ("first.nc", "second.nc"):
        save_tree(tree, tmp_path / name)
    assert (tmp_path / "first.nc").read_bytes() == (tmp_path / "second.nc").read_bytes()
    loaded = load_tree(tmp_path / "first.nc")["constant_data"].to_dataset()
    fitted = FittedData.of(loaded, spec)
    assert fitted.reference_rate == data.reference_rate
    assert fitted.groups["goal, or so"].tolist() == tables["entities"]["goal, or so"].tolist()
    x = np.log(tables["entities"]["s/60 %"])
    np.testing.assert_allclose(
        fitted.designs["entities"].matrix[:, 0], (x - x.mean()) / x.std(ddof=0)
    )
    np.testing.assert_allclose(loaded["exposure"], data.exposure.sum(axis=0))


FAULTS = {
    "blank group": ({"objective": [" "]}, "missing-label"),
    "no number": ({"seconds": ["long"]}, "not-a-number|covariate"),
    "missing covariate": ({"seconds": [None]}, "missing-covariate"),
    "spelt almost like a known one": ({"creative": ["c0 "]}, "twin-of-known"),
    "known under another group": ({"creative": ["c0"], "objective": ["q"]}, "other-group"),
    "twice": ({"creative": ["n", "n"], "objective": ["p", "p"]}, "duplicate-entity"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_entities(case, fault):
    spec = make_spec({"pooling": ["objective"], "covariates": "log(seconds)"})
    _, _, source = case(spec, n_draws=2)
    columns, code = FAULTS[fault]
    with pytest.raises(DataError, match=code):
        checked(source, entities=newcomers(**columns))


def test_faults_of_exposures_are_listed_together(case):
    spec = make_spec({"pooling": ["objective"]})
    _, _, source = case(spec, n_draws=2)
    exposures = pd.DataFrame(
        {
            "geo": ["n", "n", "z"],
            "week": ["9", "9", "9"],
            "creative": ["c0", "stranger", "c1"],
            "exposure": [-1.0, 1.0, 1.0],
        }
    )
    aggregates = pd.DataFrame({"geo": ["n", "s"], "week": ["9", "9"]})
    with pytest.raises(DataError) as caught:
        checked(source, exposures=exposures, aggregates=aggregates)
    codes = {finding.code for finding in caught.value.findings}
    assert codes == {"negative-exposure", "unknown-entity", "unknown-aggregate", "no-exposure"}
    with pytest.raises(DataError, match="neither a table of entities nor one of exposures"):
        checked(source)
    with pytest.raises(DataError, match="no exposures in them"):
        checked(source, aggregates=aggregates, entities=newcomers(objective=["p"]))


def test_aggregates_are_needed_where_the_model_reads_them(case):
    spec = make_spec({}, unattributed={"exposure": "people"})
    tables = make_tables()
    spec_plain = make_spec({})
    _, _, source = case(spec_plain, n_draws=2)
    source = Source(source.fit, spec, source.data)
    with pytest.raises(DataError, match="the model reads people of every aggregate"):
        checked(source, exposures=tables["exposures"])
