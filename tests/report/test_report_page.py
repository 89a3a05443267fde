"""The whole page: its sections, its words in every language, its size."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from drawn_runs import write_drawn_run
from sized_runs import write_sized_run

from bayes_attrib.report import RunFolder, language, render_html
from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import Language

MakeRun = Callable[..., Path]

DRAWN = ("comparison", "time", "information")
VOID = {"meta", "link", "br", "input"}
GIVEN = {"bdi", "style", "script", "title"}
"""What is shown as it was given, or is not shown."""


class _Words(HTMLParser):
    """Collects the text that our own code wrote: no names, no English from files, no digests."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        for key in ("aria-label", "data-tip"):
            self.text += f" {attributes.get(key) or ''}"
        if tag not in VOID:
            given = tag in GIVEN or attributes.get("class") == "hash"
            self.open.append(given or (tag != "html" and attributes.get("lang") == "en"))
        self.text += " "

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.open):
            self.text += data


class _Marked:
    """A catalogue that puts brackets around every sentence."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, one: str, many: str, n: int) -> str:
        return f"⟦{one if n == 1 else many}⟧"


def _outside(text: str) -> str:
    """Return what stands outside of all brackets."""
    depth, kept = 0, []
    for sign in text:
        depth += {"⟦": 1, "⟧": -1}.get(sign, 0)
        kept.append(sign if depth == 0 and sign != "⟧" else " ")
    assert depth == 0
    return "".join(kept)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("sized") / "run"
    return RunFolder.load(
        write_sized_run(
            folder, n_entities=40, n_aggregates=30, n_channels=3, nasty=True, counts=False
        )
    )


@pytest.fixture(scope="module")
def page(run: RunFolder) -> str:
    return render_html(run)


def test_sections_stand_in_their_order(page: str) -> None:
    ids = re.findall(r'<section id="([a-z]+)"', page)
    assert ids == [
        "who",
        "rollups",
        "shrinkage",
        "comparison",
        "time",
        "inside",
        "information",
        "sums",
        "fit",
        "limits",
        "data",
        "made",
    ]
    assert re.findall(r'href="#([a-z]+)"', page)[1:] == ids  # after the way past the head
    heads = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert heads[0] == 1
    assert heads.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(heads))


def test_what_the_script_reads_is_data(page: str) -> None:
    blocks = re.findall(r'<script type="application/json" id="([a-z-]+)">(.*?)</script>', page)
    found = {name: json.loads(text) for name, text in blocks}
    assert set(found) == {"compare-data", "inside-data", "page-words"}
    assert "<script>document.title='ran'</script>" in found["inside-data"]["names"]
    assert len(re.findall(r"<script(?! type=\"application/json\")", page)) == 1


def test_a_run_that_cannot_be_drawn_again_says_so(make_run: MakeRun) -> None:
    text = render_html(RunFolder.load(make_run()))
    ids = re.findall(r'<section id="([a-z]+)"', text)
    assert not set(DRAWN) & set(ids)
    assert {"who", "shrinkage", "inside", "fit"} <= set(ids)
    assert text.count("The draws of this run cannot be made again from its files") == 1
    assert 'id="compare-data"' not in text


def test_a_run_that_can_be_drawn_does_not_say_so(page: str) -> None:
    assert "cannot be made again" not in page


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"unattributed": {}}, "What no exposure explains is an entity of its own"),
        (
            {"rates": {"drift": {"kind": "random_walk", "period": "week"}}},
            "Rates drift step by step",
        ),
        ({"rates": {"nested": ["brand", "format"]}}, "format"),
        ({"likelihood": {"family": "lognormal", "level": "aggregate"}}, "Lognormal"),
    ],
)
def test_every_kind_of_model_has_a_page(
    tmp_path: Path, sections: dict[str, object], words: str
) -> None:
    run = RunFolder.load(write_drawn_run(tmp_path / "run", **sections))
    text = render_html(run)
    assert words in text
    assert {"comparison", "time", "information"} <= set(re.findall(r'<section id="([a-z]+)"', text))
    data = json.loads(re.search(r'id="compare-data">(.*?)</script>', text)[1])  # type: ignore[index]
    assert data["names"].count("unattributed") == ("unattributed" in sections)
    codes = dict(zip(data["names"], data["channels"], strict=True))
    assert codes.get("unattributed", -1) == -1


def test_equal_runs_give_equal_pages(run: RunFolder, page: str) -> None:
    assert render_html(RunFolder.load(run.path)) == page


def test_no_path_of_a_machine_is_in_the_page(run: RunFolder, page: str) -> None:
    assert str(run.path) not in page
    assert str(Path(run.path).parent) not in page


@pytest.mark.parametrize("verdict", ["drawn", "warn", "not_converged"])
def test_every_sentence_goes_through_the_catalogue(
    run: RunFolder, make_run: MakeRun, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = (
        run
        if verdict == "drawn"
        else RunFolder.load(make_run(("first one", "second one"), verdict=verdict))
    )
    monkeypatch.setattr(language, "_catalogue", lambda _: _Marked())
    text = _outside(_Words(render_html(shown)).text)
    for name in sorted(shown.attribution["name"], key=len, reverse=True):
        text = text.replace(printable(name), " ")
    words = set(re.findall(r"[A-Za-z]{3,}", text))
    given = {"SHA", "Normal", "HalfNormal", "LogNormal", "sigma", "Gamma", "alpha", "beta"}
    given |= {"nuts", "Some", "new", "check"}  # a check that this version does not know
    named = {"channel", "campaign", "type", "drop", "warning", "note", "Nov", "Jan", "UTC"}
    assert words <= given | named


def test_the_page_speaks_spanish(run: RunFolder) -> None:
    text = render_html(run, Language("es"))
    assert '<html lang="es">' in text
    assert json.loads(re.search(r'id="page-words">(.*?)</script>', text)[1])["locale"] == "es"  # type: ignore[index]
    total = Language("es").money(run.manifest.data.grand_total, "EUR", 2)
    assert total in text
    own = _Words(text).text
    for english in (" the ", " earned ", " of the ", " is ", " with ", " and ", "Amount", "draws"):
        assert english not in own, english


def test_a_crowd_fits_into_the_page(tmp_path: Path) -> None:
    run = RunFolder.load(
        write_sized_run(tmp_path / "run", n_entities=5000, n_aggregates=500, n_draws=40)
    )
    text = render_html(run)
    assert len(text.encode()) < 8e6
    assert text.count("<tr") > 5000
    assert '<table class="named sortable amounts long">' in text
    assert "the 30 largest, and 4,970 more in the table" in text
