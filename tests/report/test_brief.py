"""The summary for committees: its facts are those of the run, and no name breaks it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_runs import CREATIVES, rate_draws, write_drawn_run

from bayes_attrib.report import RunFolder
from bayes_attrib.report.brief import render_brief_html, render_brief_markdown
from bayes_attrib.report.brief.facts import SURE, amount_moved, gather_facts
from bayes_attrib.report.brief.medium import HtmlMedium, MarkdownMedium
from bayes_attrib.report.characters import printable, terminal_label
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.workflow.render import write_reports

MakeRun = Callable[..., Path]
SPANISH = Language("es")


class _Page(HTMLParser):
    """Text, tags and attributes of a page; fails where a tag is not closed."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") for name, _ in attrs)
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose draws can be made again; read-only."""
    return write_drawn_run(tmp_path_factory.mktemp("drawn") / "run")


def _plain_markdown(text: str) -> str:
    """Undo what Markdown's backslashes do."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _rows(markdown: str, n: int) -> list[list[str]]:
    """Rows of the n-th table."""
    tables, inside = [], False
    for line in markdown.splitlines():
        if line.startswith("|"):
            if not inside:
                tables.append([])
            tables[-1].append(_cells(line))
        inside = line.startswith("|")
    head, _, *rows = tables[n]
    assert all(len(row) == len(head) for row in rows)
    return [[_plain_markdown(cell) for cell in row] for row in rows]


def test_numbers_are_those_of_the_run(drawn: Path) -> None:
    run = RunFolder.load(drawn)
    table = pd.read_csv(drawn / "attribution.csv")
    entities = table[table["level"] == "entity"].set_index("name")
    rows = _rows(render_brief_markdown(run), 0)
    assert {row[0] for row in rows[:-1]} == set(CREATIVES)
    for name, amount, interval, share, proportional, em in rows[:-1]:
        own = entities.loc[name]
        assert float(amount) == pytest.approx(own["amount_mean"], abs=0.01)
        assert interval == f"{own['amount_lower']:.2f} to {own['amount_upper']:.2f}"
        assert float(share.rstrip("%")) == pytest.approx(100 * own["share_mean"], abs=0.1)
        assert float(proportional) == pytest.approx(own["proportional_amount"], abs=0.01)
        assert float(em) == pytest.approx(own["em_amount"], abs=0.01)
    shown = [[float(row[i].rstrip("%")) for row in rows[:-1]] for i in (1, 3, 4, 5)]
    total = [float(rows[-1][i].strip("*").rstrip("%")) for i in (1, 3, 4, 5)]
    assert [sum(column) for column in shown] == pytest.approx(total)
    rollup = _rows(render_brief_markdown(run), 1)
    levels = table[table["level"] == "objective"].set_index("name")
    for name, amount, *_ in rollup[:-1]:
        assert float(amount) == pytest.approx(levels.loc[name, "amount_mean"], abs=0.01)


def test_the_first_sentence_agrees_with_the_table(drawn: Path) -> None:
    run = RunFolder.load(drawn)
    for language in (ENGLISH, SPANISH):
        text = render_brief_markdown(run, language)
        first = _rows(text, 0)[0]
        said = re.search(r"creative \*\*(.+?)\*\*: \*\*(.+?)\*\*", text)
        assert said is not None
        assert said[1] == first[0]
        assert said[2].strip("€\xa0 ") == first[1]


def test_pairs_are_those_that_the_draws_tell_apart(drawn: Path) -> None:
    run = RunFolder.load(drawn)
    amounts = RunDraws.load(run).amounts("entity").amounts.rows(slice(None))
    equal = apart = 0
    for a, b in combinations(amounts, 2):
        near = np.mean(np.maximum(a, b) <= 1.1 * np.minimum(a, b))
        ahead = np.mean(a > b) + np.mean(a == b) / 2
        equal += near >= SURE
        apart += near < SURE and max(ahead, 1 - ahead) >= SURE
    pairs = gather_facts(run, ENGLISH).pairs
    assert pairs is not None
    assert (pairs.told_apart, pairs.equal, pairs.unclear) == (apart, equal, 15 - apart - equal)
    assert 0 < apart < 15
    first = (amounts.argmax(axis=0) == amounts.mean(axis=1).argmax()).mean()
    assert pairs.first_probability == pytest.approx(first)
    said = f"Of 15 pairs among the 6 largest, {apart} can be told apart"
    assert said in _Page(render_brief_html(run)).text


def test_amounts_that_move_are_counted_once() -> None:
    assert amount_moved(pd.Series([5.0, 3.0, 2.0]), pd.Series([2.0, 4.0, 4.0])) == 3.0


def test_money_moved_is_said_for_each_simple_split(drawn: Path) -> None:
    run = RunFolder.load(drawn)
    rows, total = run.entities, run.manifest.data.grand_total
    page = _Page(render_brief_html(run)).text
    for column, name in (("proportional_amount", "a split by exposure"), ("em_amount", "EM")):
        moved = np.maximum(rows["amount_mean"] - rows[column], 0).sum()
        said = f"Compared with {name}, the model moves €{moved:,.2f} ({100 * moved / total:.1f}%"
        assert said in page


def test_names_are_shown_as_they_are(nasty_run: Path) -> None:
    run = RunFolder.load(nasty_run)
    largest = [str(name) for name in run.entities["name"].head(10)]
    page = _Page(render_brief_html(run))
    rows = _rows(render_brief_markdown(run), 0)
    assert "script" not in page.tags
    for name, row in zip(largest, rows, strict=False):
        assert printable(name) in page.words
        assert row[0] == terminal_label(name).strip()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a|b", r"a\|b"),
        ("`code`", r"\`code\`"),
        ("[link](http://x.y)", r"\[link\](http\://x.y)"),
        ("![image](x)", r"!\[image\](x)"),
        ("<b>bold</b>", r"\<b\>bold\</b\>"),
        ("*em* __strong__ ~~gone~~", r"\*em\* \_\_strong\_\_ \~\~gone\~\~"),
        ("back\\slash", r"back\\slash"),
        ("&amp; $x$ #1 @all", r"\&amp; \$x\$ \#1 \@all"),
        ("WWW.example.org", r"WWW\.example.org"),
        ("two\nlines\r| x |", "two␊lines␍\\| x \\|"),
        ("\u202eright to left", r"\\u202eright to left"),
        ("line\u2028end", r"line\\u2028end"),
    ],
)
def test_markdown_has_no_meaning_in_names(name: str, written: str) -> None:
    assert MarkdownMedium(ENGLISH).name(name) == written


def test_text_is_escaped_once_and_values_too() -> None:
    page, text = HtmlMedium(ENGLISH), MarkdownMedium(ENGLISH)
    message = "a <b> {x} & {y}"
    assert page.text(message, x=page.name("<i>"), y="<u>") == (
        "a &lt;b&gt; <bdi>&lt;i&gt;</bdi> &amp; &lt;u&gt;"
    )
    assert text.text(message, x=text.strong(text.name("_i_")), y="_u_") == (
        r"a \<b\> **\_i\_** \& \_u\_"
    )
    assert text.text("{x}", x="{y} {{z}}") == "{y} {{z}}"


def test_no_markup_comes_from_names(nasty_run: Path) -> None:
    lines = render_brief_markdown(RunFolder.load(nasty_run)).splitlines()
    unescaped = [re.sub(r"\\.", "", line) for line in lines if not line.startswith("> ")]
    assert not any(re.search(r"[<\[]", re.sub(r"`[^`]*`", "", line)) for line in unescaped)
    assert {line.split(" ")[0] for line in lines} <= {"", "#", "##", "###", "-", "|", ">"} | {
        word.split(" ")[0] for word in lines if word[:1].isalpha() or word.startswith("**")
    }


def test_a_run_that_did_not_converge_shows_neither_amounts_nor_an_order(make_run: MakeRun) -> None:
    folder = make_run(("first", "second"), verdict="not_converged", currency="EUR", family="gamma")
    run = RunFolder.load(folder)
    page, text = _Page(render_brief_html(run)), render_brief_markdown(run)
    assert "Do not use these numbers: the fit did not converge." in page.text
    assert 'class="banner not_converged" role="alert"' in render_brief_html(run)
    assert "> **Do not use these numbers" in text
    for shown in (page.text, _plain_markdown(text)):
        assert "left out of this summary on purpose" in shown
        assert "first" not in shown.replace("first look", "")
        assert "The largest amount" not in shown
        assert "the model moves" not in shown
        assert "than the model does" not in shown
        for amount in run.entities["amount_mean"]:
            assert f"{amount:,.2f}" not in shown
    assert "table" not in page.tags
    assert "Draw more" in page.text


def test_warnings_are_said_first(make_run: MakeRun) -> None:
    page = _Page(render_brief_html(RunFolder.load(make_run(verdict="warn"))))
    assert page.text.index("Use with care") < page.text.index("1. The problem")


def test_an_ok_run_has_no_banner(drawn: Path) -> None:
    assert 'class="banner' not in render_brief_html(RunFolder.load(drawn))


def test_a_run_that_cannot_be_drawn_again_says_nothing_of_pairs(nasty_run: Path) -> None:
    run = RunFolder.load(nasty_run)
    assert gather_facts(run, ENGLISH).pairs is None
    page = _Page(render_brief_html(run)).text
    assert "can be told apart" not in page
    assert "The probability that it is the largest" not in page
    assert "The largest amount is that of" in page


def test_truth_is_told_where_it_is_known(nasty_run: Path, drawn: Path) -> None:
    run = RunFolder.load(nasty_run)
    truth, amounts = run.entities["truth_amount"], run.entities["amount_mean"]
    wrong = np.abs(truth / truth.sum() - amounts / amounts.sum()).sum() / 2
    page = _Page(render_brief_html(run)).text
    assert f"the model credits {100 * wrong:.1f}% of the total wrongly" in page
    assert "Known amounts (amount) were read to score the result" in page
    assert "The truth is known" not in _Page(render_brief_html(RunFolder.load(drawn))).text


def test_what_no_exposure_explains_is_nobodys(tmp_path: Path) -> None:
    draws = np.concatenate([rate_draws(), 50.0 + rate_draws()[:1]])
    folder = write_drawn_run(tmp_path / "run", draws=draws, keys=("week",), unattributed={})
    run = RunFolder.load(folder)
    assert run.entities["name"].iloc[0] == "unattributed"
    facts = gather_facts(run, ENGLISH)
    assert set(facts.entities["name"]) == set(CREATIVES)
    assert facts.pairs is not None
    assert facts.pairs.n_entities == len(CREATIVES)
    page = _Page(render_brief_html(run)).text
    assert "is explained by no exposure and stands under unattributed" in page
    assert "each of 6 entities" in page
    assert re.search(r"The largest amount is that of creative (?!unattributed)", page)


def test_an_own_model_is_said_to_be_one(make_run: MakeRun) -> None:
    folder = make_run()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"model": "own", "model_variables": ["rate", "my_<scale>"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    run = RunFolder.load(folder)
    assert "a model of the user's own, with the variables rate, my_<scale>" in (
        _Page(render_brief_html(run)).text
    )
    assert gather_facts(run, ENGLISH).n_little is None


def test_entities_with_proportional_exposures_are_named(make_run: MakeRun) -> None:
    folder = make_run(("a", "b|c", "d"), n_aggregates=6, aggregates_per_entity=6)
    cells = pd.read_parquet(folder / "cells.parquet")
    own = cells[cells["campaign"] == "a"].set_index(["store", "week"])["exposure"]
    keys = pd.MultiIndex.from_frame(cells[["store", "week"]])
    twin = cells["campaign"] == "b|c"
    cells.loc[twin, "exposure"] = 3.0 * own.loc[keys[twin]].to_numpy()
    cells.to_parquet(folder / "cells.parquet", index=False)
    run = RunFolder.load(folder)
    assert gather_facts(run, ENGLISH).alike == [("a", "b|c")]
    assert "1 set of entities has proportional exposures, 2 entities in all: a, b|c." in (
        _Page(render_brief_html(run)).text
    )
    assert r"2 entities in all: a, b\|c." in render_brief_markdown(run)


def test_sums_that_do_not_tie_out_are_said_so(make_run: MakeRun) -> None:
    folder = make_run()
    table = pd.read_csv(folder / "attribution.csv")
    table.loc[0, "amount_mean"] += 5.0
    table.to_csv(folder / "attribution.csv", index=False)
    page = _Page(render_brief_html(RunFolder.load(folder))).text
    assert page.count("The sums do not tie out") == 2
    assert "The sums tie out" not in page


def test_what_was_left_out_is_said(make_run: MakeRun) -> None:
    repair = {"repair": "drop-negative", "table": "aggregates", "total_excluded": 41.0}
    page = _Page(render_brief_html(RunFolder.load(make_run(repairs=[repair])))).text
    assert "took 41 units out of the input before the split" in page


def test_audit_and_columns_are_those_of_the_manifest(drawn: Path) -> None:
    run = RunFolder.load(drawn)
    page = _Page(render_brief_html(run)).text
    assert f"Digest of the spec: {run.manifest.spec_digest[:12]}. Method nuts, seed 1." in page
    assert "Keys: CHANNEL, week, creative. Numbers: total, grps. Groups: objective." in page


def test_every_answer_is_marked(drawn: Path) -> None:
    source = render_brief_html(RunFolder.load(drawn))
    marks = source.count('<span class="source">')
    assert marks == len(re.findall(r"<dd class=\"(?:run|general)\"", source)) == source.count("<dd")
    assert source.count("<dt>") == 13
    questions = re.findall(r"<dt>.*?</dt>\s*(<dd.*?)</div>", source, re.DOTALL)
    assert len(questions) == 13
    assert all('class="general"' in answers for answers in questions)


def test_both_languages_have_the_same_form(drawn: Path) -> None:
    run = RunFolder.load(drawn)
    english, spanish = render_brief_html(run), render_brief_html(run, SPANISH)
    assert '<html lang="es">' in spanish
    assert _Page(english).tags == _Page(spanish).tags
    assert "¿Es causal?" in spanish
    total = run.manifest.data.grand_total
    said = f"{total:.2f}".replace(".", ",")
    assert f"{said}\xa0€" in "".join(_Page(spanish).words)
    lines = [render_brief_markdown(run, language).splitlines() for language in (ENGLISH, SPANISH)]
    assert len(lines[0]) == len(lines[1])


def test_equal_runs_give_equal_summaries(drawn: Path) -> None:
    for language in (ENGLISH, SPANISH):
        once, again = RunFolder.load(drawn), RunFolder.load(drawn)
        assert render_brief_html(once, language) == render_brief_html(again, language)
        assert render_brief_markdown(once, language) == render_brief_markdown(again, language)


def test_the_page_is_self_contained(nasty_run: Path) -> None:
    source = render_brief_html(RunFolder.load(nasty_run))
    assert "default-src 'none'" in source
    assert not re.search(r"(?:src|href)=\"(?!data:,)", source)
    assert "url(" not in source
    assert "@import" not in source


def test_the_format_writes_both_files(make_run: MakeRun) -> None:
    folder = make_run(verdict="not_converged")
    written = write_reports(folder, ["brief"], locale="es")
    assert [file.name for file in written.files] == ["brief.html", "brief.md"]
    assert "No use estas cifras" in (folder / "brief.md").read_text(encoding="utf-8")
    assert '<html lang="es">' in (folder / "brief.html").read_text(encoding="utf-8")
