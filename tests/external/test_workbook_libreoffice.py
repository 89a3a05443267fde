"""LibreOffice opens the finance workbook, calculates it anew, and agrees.

Not part of ``make test``, for it needs LibreOffice; ``make check-pages`` runs it.
"""

import csv
import re
import shutil
import subprocess
import zipfile

import openpyxl
import pytest
from finance_runs import FORMULA_NAMES, totals_of, write_finance_run

from bayes_attrib.attribution.rounding import to_minor_units
from bayes_attrib.report import RunFolder
from bayes_attrib.report.language import Language
from bayes_attrib.report.workbook import render_workbook
from bayes_attrib.report.workbook.cell_text import cell_text

ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"
  xmlns:xs="http://www.w3.org/2001/XMLSchema"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""

STALE = 123456789
"""Stands for the result of every formula in the file that LibreOffice is given."""

ALL_SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"


@pytest.fixture(scope="module")
def soffice(tmp_path_factory):
    """Run a conversion with a profile of its own; returns the folder of what was written."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.fail("LibreOffice is missing: install it, such as by `apt install libreoffice-calc`")
    profile = tmp_path_factory.mktemp("profile")
    (profile / "user").mkdir()
    (profile / "user" / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE)

    def convert(file, target):
        folder = tmp_path_factory.mktemp("converted")
        subprocess.run(
            [
                program,
                f"-env:UserInstallation={profile.as_uri()}",
                "--headless",
                "--convert-to",
                target,
                "--outdir",
                str(folder),
                str(file),
            ],
            check=True,
            capture_output=True,
            timeout=180,
        )
        return folder

    return convert


@pytest.fixture(scope="module")
def money_run(tmp_path_factory):
    return write_finance_run(
        tmp_path_factory.mktemp("finance") / "run", FORMULA_NAMES, unattributed=True
    )


@pytest.fixture(scope="module")
def workbook(money_run, tmp_path_factory):
    file = tmp_path_factory.mktemp("workbook") / "attribution.xlsx"
    file.write_bytes(render_workbook(RunFolder.load(money_run), Language("en")))
    return file


def rewrite(source, target, change):
    """Copy a workbook with a change to the XML of its sheets; returns how many were made."""
    made = 0
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name).decode()
            if name.startswith("xl/worksheets/sheet"):
                content, n = change(name, content)
                made += n
            new.writestr(name, content)
    return made


def make_stale(_name, content):
    return re.subn(r"(</f>)<v>[^<]*</v>", rf"\1<v>{STALE}</v>", content)


def holds_of(summary):
    """What must be equal, and whether it is, of the checks of a summary."""
    rows = {row[0]: row[4] for row in summary.iter_rows(values_only=True) if row[0]}
    return {what: holds for what, holds in rows.items() if isinstance(holds, bool)}


@pytest.fixture(scope="module")
def recalculated(soffice, workbook, tmp_path_factory):
    stale = tmp_path_factory.mktemp("stale") / "stale.xlsx"
    assert rewrite(workbook, stale, make_stale) > 100
    written = soffice(stale, "xlsx") / "stale.xlsx"
    return openpyxl.load_workbook(written, data_only=True)


def test_every_sheet_opens(recalculated, workbook):
    assert recalculated.sheetnames == openpyxl.load_workbook(workbook).sheetnames


def test_every_formula_comes_to_what_we_say(recalculated, workbook):
    formulas = openpyxl.load_workbook(workbook)
    ours = openpyxl.load_workbook(workbook, data_only=True)
    n_compared = 0
    for worksheet in formulas:
        for row in worksheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    theirs = recalculated[worksheet.title][cell.coordinate].value
                    wanted = ours[worksheet.title][cell.coordinate].value
                    assert theirs != STALE
                    assert theirs == pytest.approx(wanted, abs=1e-9), cell.coordinate
                    n_compared += 1
    assert n_compared > 100


def test_sums_are_the_totals_and_checks_hold(recalculated, money_run):
    whole = int(to_minor_units(totals_of(money_run), 2).sum())
    holds = holds_of(recalculated["Summary"])
    assert len(holds) == 9
    assert all(holds.values())
    totals = list(recalculated["Tie-out"].iter_rows(values_only=True))[-1]
    assert totals[0] == "Total"
    assert round(100 * totals[4]) == whole
    assert totals[-1] == 0
    for name in ("Allocation", "By period", "By store"):
        rows = list(recalculated[name].iter_rows(values_only=True))
        head = next(row for row in rows if "Amount (EUR)" in row)
        column = head.index("Amount (EUR)")
        assert round(100 * rows[-1][column]) == whole


def test_a_cent_too_much_is_noticed(soffice, workbook, tmp_path):
    """The checks can fail: one booked amount is raised by a cent."""

    def raise_first_amount(name, content):
        if not name.endswith("sheet2.xml"):
            return content, 0

        def more(found):
            return f"{found[1]}{float(found[2]) + 0.01!r}</v>"

        return re.subn(r'(<c r="C6"[^>]*><v>)([^<]*)</v>', more, content)

    wrong = tmp_path / "wrong.xlsx"
    assert rewrite(workbook, wrong, raise_first_amount) == 1
    summary = openpyxl.load_workbook(soffice(wrong, "xlsx") / "wrong.xlsx", data_only=True)[
        "Summary"
    ]
    holds = holds_of(summary)
    assert not holds["All checks hold"]
    assert not holds["Attributed + unattributed = sum over entities"]
    assert holds["Input = attributed + unattributed + left out"]


def test_no_text_of_a_user_is_calculated_or_converted(soffice, workbook):
    folder = soffice(workbook, ALL_SHEETS)
    files = sorted(folder.glob("*.csv"))
    assert len(files) == len(openpyxl.load_workbook(workbook).sheetnames)
    with (folder / "attribution-Allocation.csv").open(encoding="utf-8", newline="") as file:
        shown = {row[0] for row in csv.reader(file) if row}
    for name in FORMULA_NAMES:
        assert cell_text(name)[0] in shown
