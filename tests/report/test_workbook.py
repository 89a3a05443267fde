"""The finance workbook, read back by another library."""

import io
import re
import time
import zipfile
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import openpyxl
import pandas as pd
import pytest
from finance_runs import FORMULA_NAMES, N_STORES, N_WEEKS, totals_of, write_finance_run

from bayes_attrib.attribution import interval_of
from bayes_attrib.cli import main
from bayes_attrib.errors import RunFolderError
from bayes_attrib.inputs import Repair, RepairRecord
from bayes_attrib.report import RunFolder
from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import Language
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.workbook import Ledger, render_workbook, sheet
from bayes_attrib.report.workbook.cell_text import MAX_LENGTH, cell_text, sheet_name
from bayes_attrib.report.workbook.number_formats import amount_format
from bayes_attrib.workflow import write_reports

SHEETS = [
    "Summary",
    "Allocation",
    "By period",
    "By store",
    "Roll-ups",
    "Tie-out",
    "Method and limits",
    "Diagnostics",
    "Manifest",
    "Repairs",
]

REPAIR = RepairRecord(Repair.DROP_NEGATIVE_TOTALS, "aggregates", 1, "=left out", -12.345)

OUR_FORMULAS = re.compile(
    r"=(?:'[\w -]+'!)?\$?[A-Z]\$?\d+(\+'[\w -]+'!\$[A-Z]\$\d+)*"
    r"|=SUM\([A-Z]\d+:[A-Z]\d+\)"
    r"|=SUM\('[\w -]+'!\$[A-Z]\$\d+:\$[A-Z]\$\d+\)"
    r"|=SUMPRODUCT\(--\('[\w -]+'!\$[A-Z]\$\d+:\$[A-Z]\$\d+<>0\)\)"
    r"|=ROUND\([A-Z]\d+(-[A-Z]\d+)+,\d\)"
    r"|=[A-Z]\d+=0|=AND\([A-Z]\d+:[A-Z]\d+\)|=0"
)
"""Every formula that the workbook may hold."""


def read(content, *, values=False):
    return openpyxl.load_workbook(io.BytesIO(content), data_only=values)


def table_of(worksheet, first_head):
    """The table below the row that starts with a head, as text heads and rows of values."""
    rows = list(worksheet.iter_rows(values_only=True))
    start = next(i for i, row in enumerate(rows) if row[0] == first_head)
    body = [row for row in rows[start + 1 :] if any(value is not None for value in row)]
    return pd.DataFrame(body, columns=[str(head) for head in rows[start]])


def cents(values, decimals=2):
    """Numbers of a sheet as whole cents; fails where one is no whole cent."""
    scaled = np.asarray(values, dtype=float) * 10**decimals
    assert np.abs(scaled - np.rint(scaled)).max() < 1e-4
    return np.rint(scaled).astype(int)


def rounded_total(folder, decimals):
    step = Decimal(1).scaleb(-decimals)
    return sum(
        int(Decimal(repr(float(x))).quantize(step, ROUND_HALF_EVEN).scaleb(decimals))
        for x in totals_of(folder)
    )


@pytest.fixture(scope="module")
def money_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finance") / "money"
    return write_finance_run(folder, FORMULA_NAMES, unattributed=True, repairs=[REPAIR])


@pytest.fixture(scope="module")
def content(money_run):
    return render_workbook(RunFolder.load(money_run), Language("en"))


@pytest.fixture(scope="module")
def formulas(content):
    return read(content)


@pytest.fixture(scope="module")
def results(content):
    return read(content, values=True)


def test_every_sheet_is_there(formulas):
    assert formulas.sheetnames == SHEETS


def test_sheets_sum_to_the_totals_to_the_cent(money_run, results):
    whole = rounded_total(money_run, 2)
    for name, head in (("Allocation", "campaign"), ("By period", "week"), ("By store", "store")):
        table = table_of(results[name], head)
        for column in ("Amount (EUR)", "EM", "Proportional split"):
            *body, total = cents(table[column])
            assert sum(body) == total == whole, (name, column)
            assert min(body) >= 0
    rollups = table_of(results["Roll-ups"], "Grouping")
    assert cents(rollups["Amount (EUR)"]).sum() == whole
    assert rollups["Entities"].sum() == len(FORMULA_NAMES) + 1


def test_every_aggregate_ties_out_to_the_cent(money_run, results):
    table = table_of(results["Tie-out"], "store")
    lines = table.iloc[: N_STORES * N_WEEKS]
    given = totals_of(money_run).to_numpy()
    assert lines["Input, as given"].tolist() == given.tolist()
    step = Decimal("0.01")
    wanted = [int(100 * Decimal(repr(float(x))).quantize(step, ROUND_HALF_EVEN)) for x in given]
    assert cents(lines["Input (EUR)"]).tolist() == wanted
    parts = lines[["Attributed to entities", "Unattributed", "Left out by repairs"]]
    assert cents(parts).sum(axis=1).tolist() == wanted
    assert (cents(lines["Unattributed"]) > 0).any()
    assert (table["Difference"] == 0).all()
    np.testing.assert_allclose(
        lines["Rounding"].astype(float), np.array(wanted) / 100 - given, atol=1e-9
    )
    assert (lines["Rounding"] != 0).any()  # the totals have three decimals


def test_what_repairs_left_out_has_a_line_of_its_own(results):
    table = table_of(results["Tie-out"], "store")
    line = table.iloc[N_STORES * N_WEEKS]
    assert line["store"] == "Left out by the repair drop-negative-totals"
    assert line["Input, as given"] == -12.345
    # -12.345 is a tie, as it is written, and goes to the even cent.
    assert line["Left out by repairs"] == line["Input (EUR)"] == -12.34
    assert table_of(results["Repairs"], "Repair").iloc[0]["What was done"] == "=left out"


def test_checks_on_the_summary_hold(results):
    summary = table_of(results["Summary"], "What must be equal")
    n_checks = int(np.flatnonzero(summary.iloc[:, 0] == "All checks hold")[0])
    assert n_checks == 8
    assert summary["Holds"][: n_checks + 1].tolist() == [True] * (n_checks + 1)
    assert (summary["Difference"][:n_checks] == 0).all()


def test_only_formulas_of_ours_are_formulas(formulas):
    found = [
        cell.value
        for worksheet in formulas
        for row in worksheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert len(found) > 100
    for formula in found:
        assert OUR_FORMULAS.fullmatch(formula), formula


def test_files_hold_no_links_and_nothing_that_runs(content):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        names = file.namelist()
        everything = "".join(file.read(name).decode() for name in names)
    assert "<hyperlink" not in everything
    assert "TargetMode" not in everything
    assert not [name for name in names if "external" in name.lower() or "vba" in name.lower()]


def test_names_are_text_as_given(formulas):
    table = table_of(formulas["Allocation"], "campaign")
    shown = [re.sub(r"_x005F_", "_", name) for name in table["campaign"]]
    for name in FORMULA_NAMES:
        text, is_cut = cell_text(name)
        assert text in shown
        assert is_cut == (len(name) > MAX_LENGTH)
        if name.isprintable() and not is_cut:
            assert text == name
    assert shown[-2] == "Unattributed: no exposure explains it"
    notes = [row[0] for row in formulas["Allocation"].iter_rows(max_row=4, values_only=True)]
    assert any("32,767" in str(note) for note in notes)


def test_texts_are_cut_as_utf_16_counts():
    text, is_cut = cell_text("🎯" * 20_000)
    assert is_cut
    assert len(text.encode("utf-16-le")) // 2 <= MAX_LENGTH
    assert text.rstrip("…") == "🎯" * ((MAX_LENGTH - 1) // 2)
    assert cell_text("a\x00b") == (printable("a\x00b"), False)


def test_sheet_names_are_fit_for_formulas():
    assert sheet_name("By [a]:*?/\\'b'", []) == "By _a_______b_"
    assert sheet_name("By " + "x" * 40, []) == "By " + "x" * 28
    assert sheet_name("BY GEO", ["By geo", "By GEO 2"]) == "BY GEO 3"


def test_intervals_by_period_are_those_of_the_draws(money_run, results):
    run = RunFolder.load(money_run)
    drawn = RunDraws.load(run).amounts("week", "entity")
    lower, upper = interval_of(drawn.amounts.rows(slice(None)), run.spec.report.interval)
    table = table_of(results["By period"], "week").iloc[:-1]
    assert table["week"].tolist() == drawn.labels["week"].tolist()
    np.testing.assert_allclose(table["94% HDI, lower"].astype(float), lower)
    np.testing.assert_allclose(table["94% HDI, upper"].astype(float), upper)


def test_intervals_of_groups_are_those_of_the_run(money_run, results):
    stored = RunFolder.load(money_run).level("type").set_index("name")
    table = table_of(results["Roll-ups"], "Grouping").set_index("Level")
    for end in ("lower", "upper"):
        shown = table[f"94% HDI, {end}"].astype(float)
        np.testing.assert_allclose(shown, stored.loc[shown.index, f"amount_{end}"])
    entities = RunFolder.load(money_run).entities
    widths = entities["amount_upper"] - entities["amount_lower"]
    group_widths = stored["amount_upper"] - stored["amount_lower"]
    assert group_widths.sum() < widths.sum()  # intervals do not add up


def test_means_beside_the_booked_amounts(money_run, results):
    table = table_of(results["Allocation"], "campaign").iloc[:-2]
    gap = table["Amount (EUR)"].astype(float) - table["Mean before rounding"].astype(float)
    np.testing.assert_allclose(table["Changed by rounding"].astype(float), gap, atol=1e-4)
    assert gap.abs().max() < 0.01 * N_STORES * N_WEEKS
    means = RunFolder.load(money_run).entities["amount_mean"]
    assert table["Mean before rounding"].sum() < means.sum()  # the unattributed part stands apart


def test_same_run_same_bytes(money_run, content):
    time.sleep(1.1)  # a time of day in the file would differ by now
    assert render_workbook(RunFolder.load(money_run), Language("en")) == content
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_properties_and_footer_identify_the_run(money_run, formulas):
    digest = RunFolder.load(money_run).manifest.spec_digest
    assert digest in formulas.properties.description
    assert str(formulas.properties.created) == "2026-11-22 10:00:41"
    assert formulas.properties.modified == formulas.properties.created
    for worksheet in formulas:
        assert digest[:16] in worksheet.oddFooter.left.text
        assert worksheet.page_setup.orientation == "landscape"
        assert worksheet.sheet_properties.pageSetUpPr.fitToPage


def test_tables_can_be_filtered_printed_and_scrolled(formulas):
    for name in ("Allocation", "By period", "By store", "Roll-ups", "Tie-out"):
        worksheet = formulas[name]
        head = int(re.search(r"\d+", worksheet.auto_filter.ref).group())
        assert worksheet.print_title_rows == f"${head}:${head}"
        assert worksheet.freeze_panes.endswith(str(head + 1))
        last_row = int(worksheet.auto_filter.ref.rpartition(":")[2].strip("ABCDEFGHIJKLMNOPQ"))
        total = worksheet.cell(last_row + 1, 1).value
        assert total == (None if name == "Roll-ups" else "Total")  # totals are never sorted


def test_numbers_fit_their_columns(formulas, results):
    for worksheet in results:
        for row in worksheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, float):
                    width = worksheet.column_dimensions[cell.column_letter].width
                    decimals = formulas[worksheet.title][cell.coordinate].number_format.count("0")
                    assert len(f"{cell.value:,.{min(decimals, 4)}f}") + 1 < width


@pytest.mark.parametrize(
    ("locale", "currency", "decimals", "code"),
    [
        ("en", "EUR", 2, "[$€]#,##0.00"),
        ("es", "EUR", 2, r"#,##0.00\ [$€]"),
        ("en_GB", "GBP", 2, "[$£]#,##0.00"),
        ("es_MX", "MXN", 2, "[$$]#,##0.00"),
        ("es_MX", "EUR", 2, r"[$EUR]\ #,##0.00"),
        ("en", "JPY", 0, "[$¥]#,##0"),
        ("en", None, 0, "#,##0"),
    ],
)
def test_number_formats(locale, currency, decimals, code):
    assert amount_format(Language(locale), currency, decimals) == code


@pytest.mark.parametrize(
    ("options", "decimals", "code"),
    [
        ({"currency": "EUR", "locale": "es"}, 2, r"#,##0.00\ [$€]"),
        ({"currency": "JPY"}, 0, "[$¥]#,##0"),
        ({"currency": "KWD"}, 3, r"[$KWD]\ #,##0.000"),
        ({"currency": None}, 2, "#,##0.00"),
        ({"currency": None, "family": "poisson"}, 0, "#,##0"),
        ({"currency": None, "family": "poisson", "groups": (), "keys": ("brick",)}, 0, "#,##0"),
    ],
)
def test_decimals_are_those_of_the_currency(tmp_path, options, decimals, code):
    folder = write_finance_run(tmp_path / "run", **options)
    run = RunFolder.load(folder)
    written = render_workbook(run, Language(run.spec.report.locale))
    shown, values = read(written), read(written, values=True)
    allocation = shown.worksheets[1]
    body = table_of(values.worksheets[1], "campaign")
    unit = options["currency"] or "sales"
    column = next(i for i, head in enumerate(body.columns) if f"({unit})" in head)
    head_row = int(re.search(r"\d+", allocation.auto_filter.ref).group())
    assert allocation.cell(head_row + 1, column + 1).number_format == code
    amounts = cents(body.iloc[:, column], decimals)
    assert amounts[:-1].sum() == amounts[-1] == rounded_total(folder, decimals)


def test_a_run_without_period_and_groups(tmp_path):
    folder = write_finance_run(tmp_path / "run", groups=(), keys=("brick",), family="poisson")
    book = read(render_workbook(RunFolder.load(folder), Language("en")))
    assert "By period" not in book.sheetnames
    assert "By brick" in book.sheetnames
    assert "nothing to roll up to" in book["Roll-ups"]["A2"].value


def test_rows_beyond_a_sheet_are_added_up_and_said(money_run, monkeypatch):
    monkeypatch.setattr(sheet, "MAX_ROWS", 40)
    content = render_workbook(RunFolder.load(money_run), Language("en"))
    shown = read(content, values=True)["By period"]
    assert shown.max_row <= 40
    notes = " ".join(str(row[0]) for row in shown.iter_rows(max_row=4, values_only=True))
    assert re.search(r"The first \d+ of \d+ rows are shown.*cells\.parquet", notes)
    table = table_of(shown, "week")
    *body, total = cents(table["Amount (EUR)"])
    assert sum(body) == total == rounded_total(money_run, 2)
    assert table["week"].iloc[-2] == "Rows that are not shown"


def test_sheets_in_spanish(money_run):
    book = read(render_workbook(RunFolder.load(money_run), Language("es")), values=True)
    assert len(book.sheetnames) == len(SHEETS)
    cells = [cell.value for row in book.worksheets[1].iter_rows(max_row=6) for cell in row]
    assert "Amount (EUR)" not in cells


def test_the_workbook_of_a_failed_fit_is_withheld(tmp_path, capsys):
    folder = write_finance_run(tmp_path / "run", verdict="not_converged")
    with pytest.raises(SystemExit) as stopped:
        main(["report", str(folder), "--format", "html,xlsx"])
    assert stopped.value.code == 3
    captured = capsys.readouterr()
    assert captured.out.strip() == str(folder / "report.html")
    assert "withheld: xlsx, because the fit did not converge; --allow-unconverged" in captured.err
    assert (folder / "report.html").exists()
    assert not (folder / "attribution.xlsx").exists()


def test_the_workbook_of_a_failed_fit_says_so_in_red(tmp_path):
    folder = write_finance_run(tmp_path / "run", verdict="not_converged")
    written = write_reports(folder, ("xlsx",), allow_unconverged=True)
    assert [file.name for file in written.files] == ["attribution.xlsx"]
    book = read((folder / "attribution.xlsx").read_bytes())
    alarm = book["Summary"]["A3"]
    assert alarm.value.startswith("Do not use these numbers: the fit did not converge.")
    assert alarm.fill.fgColor.rgb == "FFC00000"


def test_a_good_run_raises_no_alarm(formulas):
    cell = formulas["Summary"]["A3"]
    assert cell.value.startswith("The fit converged.")
    assert cell.fill.fill_type is None


def test_cells_that_do_not_belong_to_the_totals_are_an_error(tmp_path):
    folder = write_finance_run(tmp_path / "run")
    cells = pd.read_parquet(folder / "cells.parquet")
    cells.loc[0, "em_amount"] += 5.0
    cells.to_parquet(folder / "cells.parquet", index=False)
    with pytest.raises(RunFolderError, match=r"cells\.parquet cannot be rounded to its totals"):
        Ledger.of(RunFolder.load(folder))


def test_there_are_fields_for_preparer_and_approver(formulas):
    values = [row[0] for row in formulas["Summary"].iter_rows(values_only=True)]
    assert "Prepared by" in values
    assert "Approved by" in values
