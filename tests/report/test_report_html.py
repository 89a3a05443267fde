from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from bayes_attrib.report import RunFolder, render_html
from bayes_attrib.report.labels import printable

MakeRun = Callable[..., Path]

VOID = {"meta", "link", "br", "input", "path", "line", "circle", "use"}


class _Page(HTMLParser):
    """Checks that tags are balanced; collects tags, attributes and the text of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.bdi: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "bdi":
            self.bdi.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open or "script" in self.open:
            return
        self.text += data
        if self.open and self.open[-1] == "bdi":
            self.bdi[-1] += data

    @property
    def n_programs(self) -> int:
        """Scripts that a browser would run; the others are data."""
        return sum(
            tag == "script" and attributes.get("type") != "application/json"
            for tag, attributes in self.tags
        )

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)


@pytest.fixture(scope="module")
def nasty_html(nasty_run: Path) -> str:
    return render_html(RunFolder.load(nasty_run))


@pytest.fixture(scope="module")
def page(nasty_html: str) -> _Page:
    return _Page(nasty_html)


def test_the_page_is_balanced(page: _Page) -> None:
    assert page.open == []
    assert page.count("h1") == 1
    assert page.count("main") == 1


def test_every_name_is_shown_as_given(page: _Page, nasty_names: tuple[str, ...]) -> None:
    for name in nasty_names:
        assert page.bdi.count(printable(name)) >= 2, name  # in the forest and in the table


def test_no_name_becomes_markup(nasty_html: str, page: _Page) -> None:
    assert page.n_programs == 1
    assert page.count("style") == 1
    assert page.count("i") == 0  # names of the roll-ups hold <i>
    assert "<script>alert" not in nasty_html
    assert "49" not in [text.strip() for text in page.bdi]  # {{ 7 * 7 }}
    assert "\x1b" not in nasty_html


def test_nothing_is_loaded(nasty_html: str, page: _Page) -> None:
    for tag, attributes in page.tags:
        for key in ("src", "href", "action", "data", "poster", "srcset"):
            value = attributes.get(key)
            assert value is None or value.startswith(("#", "data:,")), (tag, value)
    assert not re.search(r"https?://|@import|url\(|@font-face", nasty_html)


def test_links_within_the_page_have_targets(page: _Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        href = attributes.get("href") or ""
        if href.startswith("#"):
            assert href[1:] in ids


def test_the_policy_allows_the_pages_own_script_and_no_other(nasty_html: str, page: _Page) -> None:
    script = re.search(r"<script>(.*?)</script>", nasty_html, re.DOTALL)
    assert script
    wanted = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = next(a["content"] for _, a in page.tags if "http-equiv" in a)
    assert policy is not None
    assert f"script-src 'sha256-{wanted}';" in policy
    assert policy.startswith("default-src 'none'")


def test_phone_and_dark(nasty_html: str, page: _Page) -> None:
    metas = {a.get("name"): a.get("content") for tag, a in page.tags if tag == "meta"}
    assert metas["viewport"] == "width=device-width, initial-scale=1"
    assert metas["color-scheme"] == "light dark"
    assert "@media (prefers-color-scheme: dark)" in nasty_html
    assert "@media print" in nasty_html


def _colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css))


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrasts(colours: dict[str, str], pairs: list[tuple[str, str]]) -> Iterator[float]:
    for a, b in pairs:
        dark, light = sorted((_luminance(colours[a]), _luminance(colours[b])))
        yield (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_contrast_of_text_is_at_least_four_and_a_half(nasty_html: str, scheme: str) -> None:
    roots = re.findall(r":root \{(.*?)\}", nasty_html, re.DOTALL)
    colours = _colours(dict(zip(("light", "dark", "print"), roots, strict=True))[scheme])
    text = [(ink, paper) for ink in ("text", "muted", "link") for paper in ("page", "panel")]
    text += [(f"{kind}-text", f"{kind}-page") for kind in ("ok", "warn", "fail")]
    assert min(_contrasts(colours, text)) >= 4.5
    marks = [(mark, "panel") for mark in ("posterior", "em", "proportional")]
    assert min(_contrasts(colours, marks)) >= 3.0


def test_pictures_and_tables_have_words(page: _Page, nasty_names: tuple[str, ...]) -> None:
    for tag, attributes in page.tags:
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
    described = [a.get("aria-label") for t, a in page.tags if t == "svg" and "role" in a]
    assert (
        len(described) == 2 * len(nasty_names) + 3 + 1 + 2
    )  # forest, rates, groups, scatter, priors
    assert all(described)
    assert page.count("caption") == page.count("table")


def test_the_answer_comes_first_and_intervals_are_in_words(page: _Page, nasty_run: Path) -> None:
    run = RunFolder.load(nasty_run)
    first = run.entities.iloc[0]
    amount = page.text[page.text.index("earned the most: ") :].removeprefix("earned the most: ")
    assert abs(float(amount.split()[0].replace(",", "")) - first["amount_mean"]) <= 1
    sentence = f"campaign {printable(first['name'])} earned the most: "
    assert page.text.index(sentence) < page.text.index("Who earned what")
    assert "94% highest-density interval" in page.text
    assert page.text.index(sentence) < page.text.index("The fit converged.")


def test_errors_against_the_truth(page: _Page, nasty_run: Path) -> None:
    table = pd.read_csv(nasty_run / "attribution.csv", dtype={"name": str}, keep_default_na=False)
    rows = table[table["level"] == "entity"]
    truth = rows["truth_amount"] / rows["truth_amount"].sum()
    for column in ("amount_mean", "em_amount", "proportional_amount"):
        error = 50 * (rows[column] / rows[column].sum() - truth).abs().sum()
        assert f"{error:.2f}%" in page.text
    held = (
        (rows["amount_lower"] <= rows["truth_amount"])
        & (rows["truth_amount"] <= rows["amount_upper"])
    ).sum()
    assert f"{held} of {len(rows)}" in page.text


def test_without_truth_the_page_has_no_score(make_run: MakeRun) -> None:
    page = _Page(render_html(RunFolder.load(make_run(truth=False, groups=()))))
    assert "Against the truth" not in page.text
    assert "By group" not in page.text
    assert {a.get("id") for _, a in page.tags if a.get("id")} >= {"who", "sums", "made"}
    assert "Do the totals add up?" in page.text


def test_what_the_data_cannot_tell_stands_among_the_limits(page: _Page) -> None:
    limits = page.text[page.text.index("Model-based: the split inside each total.") :]
    limits = limits[: limits.index("Data, repairs and findings")]
    assert "20 aggregates are shared by two or more entities" in limits
    assert "The <b>entities</b> A & B look alike." in limits


def test_a_fit_that_did_not_converge_is_unmistakable(make_run: MakeRun) -> None:
    text = render_html(RunFolder.load(make_run(verdict="not_converged")))
    page = _Page(text)
    assert "<title>NOT CONVERGED" in text
    assert "Do not use these numbers: the fit did not converge." in page.text
    assert "earned the most" not in page.text
    assert "not a number, wanted at least 400" in page.text
    tables_of_numbers = 2 + 2 + 2 + 1 + 1 + 1 + 1  # two levels twice, rates, inside, errors, ...
    assert page.text.count("Not converged: do not use.") == tables_of_numbers
    assert any(a.get("role") == "alert" for _, a in page.tags)


def test_a_warning_says_what_to_do(make_run: MakeRun) -> None:
    page = _Page(render_html(RunFolder.load(make_run(verdict="warn"))))
    assert "Use with care" in page.text
    assert "312, wanted at least 400 (worst: sigma_entity)" in page.text
    assert "What to do: Draw more (--tune, --draws)." in page.text
    assert "earned the most" in page.text
    assert "Not converged" not in page.text


def test_reconciliation_and_repairs_are_shown(make_run: MakeRun) -> None:
    repairs = [{"repair": "drop-<zero>", "table": "aggregates", "rows": 2, "total_excluded": 17.0}]
    folder = make_run(repairs=repairs)
    run = RunFolder.load(folder)
    page = _Page(render_html(run))
    total = run.manifest.data.grand_total
    step = re.search(
        r"Total in the input([\d,]+)Excluded by drop-<zero>−17", re.sub(r"\s*\n\s*", "", page.text)
    )
    assert step
    assert step[1] == f"{total + 17:,.0f}"


def test_money_is_written_with_its_currency(make_run: MakeRun) -> None:
    run = RunFolder.load(make_run(family="gamma", currency="EUR", scale=500.0))
    page = _Page(render_html(run))
    assert f"€{run.manifest.data.grand_total:,.0f} in 20 aggregates" in page.text
    assert "Amount (EUR)" in page.text


def test_provenance_is_complete(page: _Page, nasty_run: Path) -> None:
    manifest = RunFolder.load(nasty_run).manifest
    for text in (
        manifest.spec_digest,
        *(record.sha256 for record in manifest.inputs),
        *map(str, manifest.versions.values()),
        "noncentered",
        "groups.type",
        "0.03123",
        "Nov 22, 2026 10:00 UTC",
        "entities.csv: <b>column</b> type",
    ):
        assert text in page.text


def test_equal_runs_give_equal_pages(nasty_run: Path, nasty_html: str) -> None:
    assert render_html(RunFolder.load(nasty_run)) == nasty_html


def test_a_title_with_markup(make_run: MakeRun) -> None:
    text = render_html(RunFolder.load(make_run(title="</title><script>x</script>")))
    assert html.escape("</title><script>x</script>") in text
    assert _Page(text).n_programs == 1


def test_five_thousand_entities_fit_on_a_page(make_run: MakeRun) -> None:
    entity_names = tuple(f"household {i:05d}" for i in range(5000))
    folder = make_run(entity_names, n_aggregates=200, aggregates_per_entity=2, n_draws=8)
    text = render_html(RunFolder.load(folder))
    assert len(text.encode()) < 8e6
    page = _Page(text)
    assert "the 30 largest, and 4,970 more in the table" in page.text
    assert set(entity_names) <= set(page.bdi)
