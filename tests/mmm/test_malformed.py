"""Files of mix models that were cut short, changed or mixed up: each is refused in words."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from mmm_exports import (
    COLUMNS,
    PYMC_FILE,
    meridian_dataset,
    pymc_tree,
    robyn_tables,
    write_robyn,
)

from bayes_attrib.errors import DataError
from bayes_attrib.mmm import (
    RobynOptions,
    read_delivery,
    read_meridian,
    read_pymc_marketing,
    read_robyn,
)

TOTALS, PARAMETERS = "pareto_alldecomp_matrix.csv", "pareto_hyperparameters.csv"
MEDIA = "pareto_media_transform_matrix.csv"


def refused(read, path, *words):
    """Return the one finding of a refusal, which has a remedy."""
    with pytest.raises(DataError) as caught:
        read(path, *words)
    (finding,) = caught.value.findings
    assert finding.remedy
    return finding


def one_value(name, value):
    """A change of the first value of a variable."""

    def change(group):
        values = group[name].to_numpy().astype(float)
        values.flat[0] = value
        return group.assign({name: group[name].copy(data=values)})

    return change


def written_pymc(path, changes):
    tree = pymc_tree()
    groups = {key: node.to_dataset() for key, node in tree.children.items()}
    for key, change in changes.items():
        groups[key] = change(groups[key])
    changed = xr.DataTree.from_dict(groups)
    changed.attrs = dict(tree.attrs)
    changed.to_netcdf(path / "fit.nc", engine="h5netcdf")
    return path / "fit.nc"


def same_date_twice(group):
    dates = group["date"].to_numpy().copy()
    dates[1] = dates[0]
    return group.assign_coords(date=dates)


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"posterior": one_value("adstock_alpha", np.nan)}, "not-finite", "1 of 80 values"),
        ({"posterior": one_value("adstock_alpha", 1.3)}, "bad-parameter", "'TV': decay must lie"),
        ({"posterior": one_value("saturation_lam", -1.0)}, "bad-parameter", "must be positive"),
        ({"constant_data": one_value("channel_data", -5.0)}, "out-of-range", "-5 at position"),
        ({"constant_data": one_value("channel_data", np.nan)}, "not-finite", "1 of 80"),
        ({"constant_data": one_value("channel_scale", 0.0)}, "contributions-disagree", "TV"),
        ({"constant_data": one_value("target_scale", np.inf)}, "not-finite", "geo 0"),
        ({"posterior": lambda g: g.isel(draw=slice(0))}, "no-values", "'draw'"),
        ({"posterior": lambda g: g.isel(draw=0, drop=True)}, "unexpected-dimensions", "draw"),
        (
            {
                "posterior": lambda g: g.assign(
                    channel_contribution=g["channel_contribution"].expand_dims(brand=["a", "b"])
                )
            },
            "unexpected-dimensions",
            "brand",
        ),
        (
            {"posterior": same_date_twice, "constant_data": same_date_twice},
            "repeated-labels",
            "'2024-01-01'",
        ),
        (
            {"posterior": lambda g: g.isel(date=slice(None, None, -1))},
            "labels-differ",
            "2024-05-13",
        ),
    ],
)
def test_fits_of_pymc_marketing(tmp_path, changes, code, said):
    finding = refused(read_pymc_marketing, written_pymc(tmp_path, changes))
    assert finding.code == code
    assert said in f"{finding.where} {finding.message}"
    assert finding.where.startswith("fit.nc")


@pytest.mark.parametrize("part", [0.0, 0.2, 0.6, 0.95])
@pytest.mark.parametrize("source", ["pymc-marketing", "meridian"])
def test_files_that_were_cut_short(tmp_path, source, part):
    whole = PYMC_FILE.read_bytes()
    if source == "meridian":
        meridian_dataset().to_netcdf(tmp_path / "whole.nc", engine="h5netcdf")
        whole = (tmp_path / "whole.nc").read_bytes()
    cut = tmp_path / "cut.nc"
    cut.write_bytes(whole[: int(part * len(whole))])
    read = read_meridian if source == "meridian" else read_pymc_marketing
    finding = refused(read, cut)
    assert finding.code == "unreadable-file"
    assert "cannot be read as netCDF" in finding.message


def reversed_time(data):
    return data.isel(media_time=slice(None, None, -1), time=slice(None, None, -1))


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (one_value("alpha_m", 1.2), "out-of-range", "not between 0 and 1: 1.2"),
        (one_value("alpha_m", np.nan), "not-finite", "alpha_m"),
        (one_value("ec_m", 0.0), "out-of-range", "not positive: 0"),
        (one_value("slope_m", -1.0), "out-of-range", "not positive: -1"),
        (one_value("media", -3.0), "out-of-range", "0 or more: -3"),
        (one_value("media", np.nan), "not-finite", "media"),
        (lambda d: d.assign(media_scaled=0 * d["media_scaled"]), "scales-disagree", "are zero"),
        (lambda d: d.isel(draw=slice(0)), "no-values", "'draw'"),
        (lambda d: d.isel(chain=0, drop=True), "unexpected-dimensions", "chain"),
        (lambda d: d.assign(alpha_m=d["alpha_m"].mean("media_channel")), "unexpected", "alpha_m"),
        (
            lambda d: d.assign(alpha_m=d["alpha_m"].expand_dims(geo=d["geo"])),
            "unexpected-dimensions",
            "geo",
        ),
        (reversed_time, "unordered-periods", "follows"),
        (
            lambda d: d.assign_coords(time=[d["time"].to_numpy()[0]] * d.sizes["time"]),
            "repeated-labels",
            "2024-01-15",
        ),
        (lambda d: d.assign_attrs(max_lag="three"), "invalid-attribute", "'three'"),
        (lambda d: d.assign_attrs(hill_before_adstock="perhaps"), "invalid-attribute", "'perhaps'"),
    ],
)
def test_exports_of_meridian(tmp_path, change, code, said):
    change(meridian_dataset()).to_netcdf(tmp_path / "export.nc", engine="h5netcdf")
    finding = refused(read_meridian, tmp_path / "export.nc")
    assert finding.code.startswith(code)
    assert said in f"{finding.where} {finding.message}"


def cell(name, row, column, value):
    """A change of one cell of one table."""

    def change(tables):
        tables[name] = tables[name].astype({column: object})
        tables[name].loc[row, column] = value

    return change


def mixed(tables):
    n = len(tables[TOTALS])
    tables[TOTALS] = tables[TOTALS].assign(solID=["1_172_8"] * 5 + ["2_1_1"] * (n - 5))


def backwards(tables):
    tables[TOTALS] = tables[TOTALS].iloc[::-1]


def twice(tables):
    tables[PARAMETERS] = pd.concat([tables[PARAMETERS]] * 2)


def header_only(tables):
    tables[TOTALS] = tables[TOTALS].iloc[:0]


def with_gap(tables):
    tables[TOTALS] = tables[TOTALS].drop(index=3)


@pytest.mark.parametrize(
    ("change", "options", "code", "said"),
    [
        (cell(TOTALS, 2, "TV", ""), {}, "not-a-number", "line 4: ''"),
        (cell(TOTALS, 2, "TV", "NA"), {}, "not-a-number", "line 4: 'NA'"),
        (cell(TOTALS, 2, "TV", "Inf"), {}, "not-a-number", "'Inf'"),
        (cell(TOTALS, 2, "ds", "01/02/2024"), {}, "not-a-date", "line 4: '01/02/2024'"),
        (cell(TOTALS, 2, "ds", ""), {}, "not-a-date", "line 4: ''"),
        (cell(PARAMETERS, 0, "TV_thetas", ""), {}, "not-a-number", "TV_thetas"),
        (cell(PARAMETERS, 0, "solID", "9_9_9"), {}, "unknown-solution", "'1_172_8'"),
        (cell(MEDIA, 0, "TV", -3.0), {}, "out-of-range", "-3"),
        (mixed, {}, "several-solutions", "'1_172_8' and '2_1_1'"),
        (mixed, {"solution": "1_172_8"}, "periods-differ", "has 5"),
        (with_gap, {}, "periods-differ", "has 9"),
        (backwards, {}, "unordered-periods", "follows"),
        (twice, {}, "repeated-rows", "lines 2 and 3"),
        (header_only, {}, "no-rows", "below the header"),
    ],
)
def test_exports_of_robyn(tmp_path, change, options, code, said):
    tables, delivery = robyn_tables()
    change(tables)
    delivery.to_csv(tmp_path / "delivery.csv", index=False)
    table = read_delivery(tmp_path / "delivery.csv", COLUMNS)
    folder = write_robyn(tmp_path / "robyn", tables)
    finding = refused(read_robyn, folder, table, RobynOptions(**options))
    assert finding.code == code
    assert said in f"{finding.where} {finding.message}"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda text: text[: len(text) - 30], "several-solutions"),  # its last row has no solution
        (lambda text: text.replace(",", ";"), "missing-column"),
        (lambda text: text.replace("Search", "TV", 1), "missing-column"),
        (lambda _: "", "unreadable-file"),
        (lambda text: text + "1,2,3,4,5,6,7,8,9,10,11,12\n", "unreadable-file"),
    ],
)
def test_tables_of_robyn_that_were_cut_or_saved_again(tmp_path, spoil, code):
    tables, delivery = robyn_tables()
    delivery.to_csv(tmp_path / "delivery.csv", index=False)
    table = read_delivery(tmp_path / "delivery.csv", COLUMNS)
    folder = write_robyn(tmp_path / "robyn", tables)
    text = (folder / TOTALS).read_text(encoding="utf-8")
    (folder / TOTALS).write_text(spoil(text), encoding="utf-8")
    finding = refused(read_robyn, folder, table, RobynOptions())
    assert finding.code == code
    assert TOTALS in finding.where


def test_no_folder_of_robyn(tmp_path):
    _, delivery = robyn_tables()
    delivery.to_csv(tmp_path / "delivery.csv", index=False)
    table = read_delivery(tmp_path / "delivery.csv", COLUMNS)
    finding = refused(read_robyn, tmp_path / "nowhere", table, RobynOptions())
    assert finding.code == "missing-file"
    assert "its tables are none" in finding.message
