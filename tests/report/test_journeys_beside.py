"""Heuristics beside the posterior: the same totals, the same names, or nothing."""

import html
import math

import pandas as pd
import pytest

from bayes_attrib.errors import RunFolderError
from bayes_attrib.report import RunFolder, render_html
from bayes_attrib.report.language import ENGLISH
from bayes_attrib.report.page.journeys import lay_out_journeys
from bayes_attrib.workflow.journeys_beside import put_journeys_beside


def write_credit(folder, run, *, factor=1.0, rename=str, outcome="conversions"):
    """Write credit of two methods: one gives everybody the same, one all to the first entity."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [rename(name) for name in run.entities["name"]]
    total = run.manifest.data.grand_total * factor
    rows = []
    for method in ("linear", "markov_2"):
        amounts = [total / (len(names) + 1)] * len(names) if method == "linear" else None
        amounts = amounts or [total] + [0.0] * (len(names) - 1)
        amounts.append(total - math.fsum(amounts))
        for name, amount in zip([*names, "unattributed"], amounts, strict=True):
            rows.append((method, outcome, "entity", name, amount, amount / total))
    columns = ["method", "outcome", "level", "name", "amount", "share"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "journeys.csv", index=False)
    (folder / "journeys.json").write_text("{}\n")
    return folder


@pytest.fixture
def run(make_run):
    return make_run()


def test_a_run_without_journeys_has_no_such_section(run):
    folder = RunFolder.load(run)
    assert lay_out_journeys(folder, ENGLISH) is None
    assert 'id="journeys"' not in render_html(folder)


def test_shares_stand_beside_each_other(run, tmp_path):
    folder = RunFolder.load(run)
    put_journeys_beside(run, write_credit(tmp_path / "journeys", folder))
    section = lay_out_journeys(folder, ENGLISH)
    assert section.methods == ("linear", "Markov chain of order 2")
    entities = folder.entities
    assert [row.name for row in section.rows] == [*entities["name"], "unattributed"]
    even = 1 / (len(entities) + 1)
    low, high = entities["share_lower"], entities["share_upper"]
    outside = ~((low <= even) & (even <= high))
    assert [row.heuristics[0].outside for row in section.rows[:-1]] == outside.tolist()
    assert {row.heuristics[0].text for row in section.rows} == {ENGLISH.percent(even)}
    assert section.n_compared == 2 * len(entities)
    assert section.rows[-1].posterior is None
    page = render_html(folder)
    assert 'id="journeys"' in page
    assert "None" not in page.split('id="journeys"')[1].split("</section>")[0]


def test_names_are_shown_as_text(run, tmp_path):
    folder = RunFolder.load(run)
    section_names = set(folder.entities["name"])
    put_journeys_beside(run, write_credit(tmp_path / "journeys", folder))
    section = lay_out_journeys(folder, ENGLISH)
    page = render_html(folder).split('<section id="journeys"')[1].split("</section>")[0]
    assert {row.name for row in section.rows} == section_names | {"unattributed"}
    hostile = [name for name in section_names if "<" in name]
    assert hostile
    for name in hostile:
        assert name not in page
        assert html.escape(name.split("<")[0]) in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"factor": 1.01}, "they answer about different totals"),
        ({"rename": lambda name: f"other {name}"}, "no name is common to both"),
    ],
)
def test_other_totals_and_other_names_are_refused(run, tmp_path, change, words):
    credit = write_credit(tmp_path / "journeys", RunFolder.load(run), **change)
    with pytest.raises(RunFolderError, match=words):
        put_journeys_beside(run, credit)
    assert not (run / "journeys.csv").exists()


def test_folders_and_tables_of_another_kind_are_refused(run, tmp_path):
    with pytest.raises(RunFolderError, match=r"lacks journeys\.csv, journeys\.json"):
        put_journeys_beside(run, tmp_path)
    credit = write_credit(tmp_path / "journeys", RunFolder.load(run))
    for text, words in (("a,b\n1,2\n", "there is no column"), ("", "No columns to parse")):
        (credit / "journeys.csv").write_text(text)
        with pytest.raises(RunFolderError, match=words):
            put_journeys_beside(run, credit)
    table = "method,outcome,level,name,amount,share\nlast,value,entity,x,much,1\n"
    (credit / "journeys.csv").write_text(table)
    with pytest.raises(RunFolderError, match="much"):
        put_journeys_beside(run, credit)
