"""Specs and tables of mix models that are wrong: each fault with its place, value and remedy."""

import sys

import numpy as np
import pandas as pd
import pytest
from mmm_series import SPEC, made_series, parsed

from bayes_attrib.cli import main
from bayes_attrib.errors import DataError, FitError, SpecError
from bayes_attrib.mmm_fit.lift_table import read_lift_tests
from bayes_attrib.mmm_fit.read_series import read_future, read_series
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.upstream import upstream
from bayes_attrib.simulation import simulate, write_tables
from bayes_attrib.spec.load import load_closed

SPEC_FAULTS = {
    "unknown section": (
        "[adstok]\nl_max = 3",
        "unknown key 'adstok'",
        "did you mean 'adstock'?",
    ),
    "unknown adstock": (
        SPEC.replace('"geometric"', '"geometrc"'),
        "got 'geometrc'",
        "did you mean 'geometric'?",
    ),
    "unknown parameter": (
        '[priors]\nsaturation_kapa = { dist = "HalfNormal", sigma = 1.0 }',
        "this model has no parameter 'saturation_kapa'",
        "did you mean 'saturation_kappa'?",
    ),
    "prior of another curve": (
        '[priors]\nsaturation_lam = { dist = "HalfNormal", sigma = 1.0 }',
        "this model has no parameter 'saturation_lam'",
        "it has intercept, adstock_alpha, saturation_slope",
    ),
    "prior beyond one": (
        '[priors]\nadstock_alpha = { dist = "HalfNormal", sigma = 1.0 }',
        "HalfNormal gives other values, and adstock_alpha is between 0 and 1",
        "use one of Beta",
    ),
    "prior of one sign": (
        '[priors]\ngamma_control = { dist = "HalfNormal", sigma = 1.0 }',
        "HalfNormal is never negative, and gamma_control may be",
        "use one of Normal, StudentT",
    ),
    "spread without pooling": (
        (
            '[pooling]\nintercept = { kind = "separate", spread = '
            '{ dist = "HalfNormal", sigma = 1.0 } }'
        ),
        "a spread between geos needs kind 'partial'; this one is 'separate'",
        'write kind = "partial"',
    ),
    "pooling without geos": (
        SPEC.replace('geo = "geo"\n', "") + '[pooling]\nintercept = { kind = "separate" }',
        "pooling: a national model has no geos to pool",
        "name the column columns.geo",
    ),
    "event backwards": (
        SPEC.replace('"2024-03-10"', '"2024-03-01"'),
        "the event 'fair' ends on 2024-03-01, before it begins on 2024-03-04",
        "exchange the two dates",
    ),
    "event named like a channel": (
        SPEC.replace('name = "fair"', 'name = "TV"'),
        "events: these names are used twice: TV",
        "give each event a name",
    ),
    "column in two roles": (
        SPEC.replace('target = "sales"', 'target = "TV"'),
        "one column cannot play two roles: TV",
        "name a column of its own for each role",
    ),
    "column that upstream keeps": (
        SPEC.replace('geo = "geo"', 'geo = "channel"'),
        "pymc-marketing keeps these names for itself: channel",
        "rename the columns",
    ),
    "not a mix model": (
        SPEC.replace('kind = "mmm"', 'kind = "mm"'),
        "got 'mm'",
        "mmm",
    ),
}


@pytest.mark.parametrize("fault", SPEC_FAULTS)
def test_specs_that_are_wrong(tmp_path, fault):
    text, message, remedy = SPEC_FAULTS[fault]
    file = tmp_path / "mix.toml"
    file.write_text(text if "schema_version" in text else f"{SPEC}\n{text}\n")
    with pytest.raises(SpecError) as caught:
        load_closed(file, MmmSpec)
    (finding,) = caught.value.findings
    assert finding.where.startswith("mix.toml")
    assert message in finding.message
    assert remedy in finding.remedy


def without(column):
    return lambda table: table.drop(columns=column)


def with_cell(row, column, value):
    def change(table):
        table = table.astype({column: object})
        table.loc[row, column] = value
        return table

    return change


def with_column(column, values):
    return lambda table: table.assign(**{column: values})


SERIES_FAULTS = {
    "missing-column": (without("TV"), "'TV'", "series.csv"),
    "missing-number": (with_cell(3, "TV", ""), "is empty (1 row)", "series.csv, line 5"),
    "not-a-number": (with_cell(4, "sales", "1,200"), "'1,200'", "series.csv, line 6"),
    "not-finite": (with_cell(5, "Search", "inf"), "'inf'", "series.csv, line 7"),
    "negative-spend": (with_cell(6, "TV", -3), "'-3'", "series.csv, line 8"),
    "not-a-date": (with_cell(0, "week", "01/02/2024"), "'01/02/2024'", "series.csv, line 2"),
    "blank-geo": (with_cell(1, "geo", " "), "column 'geo' is empty", "series.csv, line 3"),
    "duplicate-rows": (
        with_cell(1, "week", "2024-01-01"),
        "repeats the same period and geo",
        "series.csv, line 3",
    ),
    "missing-periods": (
        lambda t: t.drop(index=2),
        "geo 'north' has 29 of 30 periods; it lacks 2024-01-15",
        "series.csv",
    ),
    "uneven-periods": (
        lambda t: t[t["week"] != "2024-02-05"],
        "2024-01-29 to 2024-02-12",
        "series.csv",
    ),
    "few-periods": (lambda t: t[t["week"] < "2024-03-15"], "there are 11 periods", "series.csv"),
    "channel-without-spend": (
        with_column("TV", 0),
        "the channel 'TV' has no spend; its effect cannot be told",
        "series.csv, TV",
    ),
    "constant-target": (with_column("sales", 7.0), "the target is 7 in every", "series.csv, sales"),
    "target-not-positive": (
        lambda t: t.assign(sales=-t["sales"]),
        "the target is never positive",
        "series.csv, sales",
    ),
    "constant-control": (
        with_column("promotion", 1),
        "the control 'promotion' is 1 in every period",
        "series.csv, promotion",
    ),
}


@pytest.mark.parametrize("code", SERIES_FAULTS)
def test_series_that_are_wrong(tmp_path, code):
    change, message, where = SERIES_FAULTS[code]
    change(made_series()).to_csv(tmp_path / "series.csv", index=False)
    with pytest.raises(DataError) as caught:
        read_series(parsed(), tmp_path)
    finding = next(found for found in caught.value.findings if found.code == code)
    assert message in finding.message
    assert finding.where == where
    assert finding.remedy


def test_all_faults_of_a_file_are_told_together(tmp_path):
    table = with_cell(3, "TV", "")(with_cell(4, "sales", "x")(made_series()))
    table.to_csv(tmp_path / "series.csv", index=False)
    with pytest.raises(DataError, match="the series have 2 faults:") as caught:
        read_series(parsed(), tmp_path)
    assert {found.code for found in caught.value.findings} == {"missing-number", "not-a-number"}


@pytest.mark.parametrize(
    ("name", "message"),
    [("", "the folder holds no files"), ("weeks.csv", "the folder holds weeks.csv")],
)
def test_a_folder_without_the_table(tmp_path, name, message):
    if name:
        made_series().to_csv(tmp_path / name, index=False)
    with pytest.raises(DataError, match=message):
        read_series(parsed(), tmp_path)


def test_an_event_outside_of_the_series(data):
    spec = parsed(events=[{"name": "fair", "first": "2031-01-01", "last": "2031-01-02"}])
    with pytest.raises(DataError, match=r"it lies outside of the series, 2024-01-01 to 2024-07-22"):
        read_series(spec, data)


def test_negative_targets_under_a_truncated_likelihood(tmp_path):
    with_cell(0, "sales", -1)(made_series()).to_csv(tmp_path / "series.csv", index=False)
    with pytest.raises(DataError, match="1 targets are negative, which the likelihood"):
        read_series(parsed(likelihood="truncated_normal"), tmp_path)


def test_spends_that_move_together_are_warned_of(tmp_path):
    table = made_series()
    table.assign(Search=2 * table["TV"] + 1).to_csv(tmp_path / "series.csv", index=False)
    (finding,) = read_series(parsed(), tmp_path).findings
    assert finding.code == "collinear-spend"
    assert "the spends of 'TV' and 'Search' correlate at 1.00" in finding.message


def test_the_order_of_rows_does_not_matter(tmp_path):
    table = made_series()
    shuffled = table.sample(frac=1, random_state=1)
    first = table["geo"].iloc[0]
    shuffled = pd.concat([shuffled[shuffled["geo"] == first], shuffled[shuffled["geo"] != first]])
    for name, rows in (("a", table), ("b", shuffled)):
        (tmp_path / name).mkdir()
        rows.to_csv(tmp_path / name / "series.csv", index=False)
    one, other = (read_series(parsed(), tmp_path / name).series for name in "ab")
    for field in ("spend", "control", "target"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    np.testing.assert_array_equal(one.target[:, 0], table.loc[table["geo"] == first, "sales"])


FUTURE_FAULTS = {
    "not-the-next-period": (
        lambda t: t[t["week"] > "2024-07-29"],
        "it begins on 2024-08-05; the fit ends on 2024-07-22",
    ),
    "geos-differ": (
        lambda t: t[t["geo"] == "north"],
        "it has the geos 'north'; the fit has 'north' and 'south'",
    ),
    "missing-column": (without("promotion"), "there is no column 'promotion'"),
}


@pytest.mark.parametrize("code", FUTURE_FAULTS)
def test_planned_spend_that_does_not_follow(data, code):
    change, message = FUTURE_FAULTS[code]
    table = made_series(34).drop(columns="sales")
    table = table[table["week"] > "2024-07-22"]
    change(table).to_csv(data / "future.csv", index=False)
    fitted = read_series(parsed(), data).series
    with pytest.raises(DataError) as caught:
        read_future(parsed(), data, fitted)
    finding = next(found for found in caught.value.findings if found.code == code)
    assert message in finding.message


def test_the_trend_goes_on_after_the_last_period(data):
    table = made_series(34).drop(columns="sales")
    table[table["week"] > "2024-07-22"].to_csv(data / "future.csv", index=False)
    spec = parsed(baseline={"trend": "piecewise", "changepoints": 1})
    fitted = read_series(spec, data).series
    ahead = read_future(spec, data, fitted)
    trend, bend = (fitted.controls.index(name) for name in ("trend", "trend_bend_1"))
    np.testing.assert_allclose(fitted.control[[0, -1], 0, trend], [0.0, 1.0])
    np.testing.assert_allclose(ahead.control[:, 0, trend], 1 + np.arange(1, 5) / 29)
    np.testing.assert_allclose(ahead.control[:, 1, bend], 0.5 + np.arange(1, 5) / 29)
    assert (fitted.control[:15, 0, bend] == 0).all()


LIFT_FAULTS = {
    "unknown-channel": ({"channel": "Tv"}, "'Tv'", "did you mean 'TV'?"),
    "unknown-geo": ({"geo": "nort"}, "'nort'", "did you mean 'north'?"),
    "not-a-number": ({"sigma": "?"}, "'?'", "decimal dot"),
    "sigma-not-positive": ({"sigma": 0.0}, "is not positive", "standard error"),
    "no-change": ({"delta_x": 0.0}, "is zero", "without a change"),
    "negative-spend": ({"delta_x": -90.0, "delta_y": -1.0}, "takes away more than was", "x +"),
    "wrong-direction": ({"delta_y": -5.0}, "opposite sign", "check signs"),
}


@pytest.mark.parametrize("code", LIFT_FAULTS)
def test_lift_tests_that_are_wrong(data, code):
    change, message, remedy = LIFT_FAULTS[code]
    row = {
        "channel": "TV", "geo": "north", "x": 60.0, "delta_x": 40.0, "delta_y": 40.0, "sigma": 9.0,
    }  # fmt: skip
    pd.DataFrame([row | change]).to_csv(data / "lift_tests.csv", index=False)
    series = read_series(parsed(), data).series
    with pytest.raises(DataError) as caught:
        read_lift_tests(parsed(), data, series)
    (finding,) = caught.value.findings
    assert finding.code == code
    assert finding.where == "lift_tests.csv, line 2"
    assert message in finding.message
    assert remedy in finding.remedy


def test_without_pymc_marketing_the_error_says_what_to_install(monkeypatch, data, capsys):
    monkeypatch.setitem(sys.modules, "pymc_marketing.mmm", None)
    with pytest.raises(FitError, match=r'pip install "bayes-attrib\[mmm\]"'):
        upstream()
    (data / "mix.toml").write_text(SPEC)
    with pytest.raises(SystemExit) as ended:
        main(["mmm", str(data / "mix.toml"), str(data), "--out", str(data / "run")])
    assert ended.value.code == 1
    assert "pymc-marketing, which is not installed" in capsys.readouterr().err
    assert not (data / "run").exists()


def test_nothing_is_written_where_the_data_are_wrong(data, capsys):
    with_cell(0, "TV", "x")(made_series()).to_csv(data / "series.csv", index=False)
    (data / "mix.toml").write_text(SPEC)
    with pytest.raises(SystemExit) as ended:
        main(["mmm", str(data / "mix.toml"), str(data), "--out", str(data / "run")])
    assert ended.value.code == 2
    assert "error [not-a-number] series.csv, line 2" in capsys.readouterr().err
    assert not (data / "run").exists()


def test_the_shipped_spec_reads_the_data_of_its_scenario(request, tmp_path):
    spec = load_closed(request.config.rootpath / "models/mmm/mmm_retail.toml", MmmSpec)
    write_tables(simulate("mmm_retail", seed=1), tmp_path)
    read = read_series(spec, tmp_path)
    assert read.series.channels == ("tv", "search", "social", "display", "radio")
    assert read.series.n_periods == 104
    assert read.findings == ()


def test_faults_inside_of_lists_and_tables_of_sections_know_their_keys(tmp_path):
    file = tmp_path / "mix.toml"
    file.write_text(SPEC + '[pooling.intercept]\nknd = "partial"\n')
    with pytest.raises(SpecError, match=r"did you mean 'kind'\? known keys here: kind, spread"):
        load_closed(file, MmmSpec)
    file.write_text(SPEC.replace('first = "2024', 'frst = "2024'))
    with pytest.raises(SpecError, match=r"did you mean 'first'\? known keys here: first, last"):
        load_closed(file, MmmSpec)
