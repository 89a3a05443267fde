"""What every figure promises, whatever the run, the language and the theme."""

from __future__ import annotations

import inspect
import itertools
import re
import warnings
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import plotted_runs
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry
from matplotlib.text import Text

import bayes_attrib as ba
from bayes_attrib.errors import ComparisonError, RunFolderError, UnknownNameError
from bayes_attrib.report.figures import FIGURES
from bayes_attrib.report.figures import theme as fonts_and_colours
from bayes_attrib.report.figures.theme import THEMES
from bayes_attrib.report.figures.wording import LONGEST, short_names
from bayes_attrib.report.language import Language

ENGLISH, SPANISH = Language("en"), Language("es")
NAMED = [name for name in FIGURES if not name.endswith("predictive")]


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    return plotted_runs.make_source(tmp_path_factory.mktemp("nasty"), n_channels=2)


@pytest.fixture(scope="module")
def sized(tmp_path_factory):
    """Make each run once: ``sized(200)`` has so many entities."""
    made = {}

    def get(n, **changes):
        key = (n, *sorted(changes.items()))
        if key not in made:
            folder = tmp_path_factory.mktemp("sized")
            names = plotted_runs.plain_names(n)
            made[key] = plotted_runs.make_source(folder, names=names, n_draws=20, **changes)
        return made[key]

    return get


def drawn_texts(figure):
    """Draw a figure and return every visible text with its box in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    with warnings.catch_warnings():  # as the figure does: a box is drawn for an unknown character
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        return [
            (text.get_text(), text.get_window_extent(canvas.get_renderer()))
            for text in figure.findobj(Text)
            if text.get_visible() and text.get_text().strip() and is_shown(text)
        ]


def is_shown(text):
    """Whether a text is drawn: those of hidden axes and of ticks outside of them are not."""
    axes = text.axes
    if axes is None:
        return True
    hidden = {*axes.get_xticklabels(minor=True), *axes.get_yticklabels(minor=True)}
    return text not in hidden and (axes.axison or text not in axes.findobj(Text))


def overlapping(texts):
    """Pairs of texts whose boxes share more than a hair, and texts that leave the figure."""
    return [
        (one, other)
        for (one, a), (other, b) in itertools.combinations(texts, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]


def test_overlaps_and_texts_that_are_cut_off_are_found():
    figure = Figure(figsize=(4, 2))
    axes = figure.add_subplot()
    axes.set_xticks([0, 1, 2], labels=["a label that is far too long"] * 3)
    axes.set_title("very long title " * 20)
    texts = drawn_texts(figure)
    assert len(overlapping(texts)) >= 2
    assert any(text.startswith("very long") for text in outside(texts, figure))


def outside(texts, figure):
    width, height = figure.get_size_inches() * figure.dpi
    return [
        text
        for text, box in texts
        if box.x0 < -2 or box.y0 < -2 or box.x1 > width + 2 or box.y1 > height + 2
    ]


@pytest.mark.parametrize(("theme", "language"), [("light", ENGLISH), ("dark", SPANISH)])
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_keeps_its_contract(nasty, name, theme, language):
    settings, open_figures = dict(mpl.rcParams), plt.get_fignums()
    figure = FIGURES[name](nasty, theme=theme, language=language)
    assert type(figure).__mro__[1] is Figure
    assert dict(mpl.rcParams) == settings
    texts = drawn_texts(figure)
    assert dict(mpl.rcParams) == settings
    assert plt.get_fignums() == open_figures
    assert figure.get_suptitle().startswith("Sales of $5 & <b>more</b>: ")
    with_axis = [axes for axes in figure.axes if axes.axison]
    assert any(axes.get_xlabel() for axes in with_axis)
    assert all(len(axes.get_xticklabels()) > 0 for axes in with_axis if axes.get_xlabel())
    named = {label.get_text() for axes in with_axis for label in axes.get_yticklabels()}
    has_names = bool(named & set(short_names(plotted_runs.NASTY)))
    assert has_names or figure.get_supylabel() or any(a.get_ylabel() for a in with_axis)
    assert overlapping(texts) == []
    assert outside(texts, figure) == []
    assert mpl.colors.to_hex(figure.get_facecolor()) == THEMES[theme].page


@pytest.mark.parametrize("name", FIGURES)
def test_figures_share_one_signature(name):
    parameters = inspect.signature(FIGURES[name]).parameters
    assert FIGURES[name].__name__ == f"plot_{name}"
    assert getattr(ba, f"plot_{name}") is FIGURES[name]
    assert next(iter(parameters)) == "source"
    kinds = {p.kind for key, p in parameters.items() if key != "source"}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}
    assert list(parameters)[-3:] == ["language", "theme", "figsize"]
    assert parameters["theme"].default == "light"
    assert ("top" in parameters) == (name in NAMED)


@pytest.mark.parametrize("name", ["forest", "tie_out"])
def test_a_vector_file_escapes_names_and_holds_no_markup_of_theirs(nasty, tmp_path, name):
    for fonts in ("path", "none"):
        file = tmp_path / f"{fonts}.svg"
        with mpl.rc_context({"svg.fonttype": fonts}):
            FIGURES[name](nasty).savefig(file)
        tree = ET.parse(file)  # noqa: S314 - our own file
        assert not [node for node in tree.iter() if node.tag.rpartition("}")[2] == "script"]
        if fonts == "none":
            shown = {"".join(node.itertext()) for node in tree.iter()}
            assert {"<script>alert(1)</script>", "$\\frac{$"} <= shown


def test_settings_of_the_session_do_not_reach_figures(nasty):
    plain = drawn_texts(ba.plot_forest(nasty))
    with mpl.rc_context({"text.usetex": True, "font.size": 30, "axes.facecolor": "red"}):
        figure = ba.plot_forest(nasty)
        changed = drawn_texts(figure)
    assert [text for text, _ in changed] == [text for text, _ in plain]
    assert [box.bounds for _, box in changed] == [box.bounds for _, box in plain]
    assert mpl.colors.to_hex(figure.axes[0].get_facecolor()) == "#ffffff"


@pytest.mark.parametrize("n", [2, 200, 5000])
@pytest.mark.parametrize("name", FIGURES)
def test_labels_keep_apart_whatever_the_number_of_entities(sized, name, n):
    figure = FIGURES[name](sized(n, n_aggregates=500 if n == 200 else 24))
    texts = drawn_texts(figure)
    assert overlapping(texts) == []
    assert outside(texts, figure) == []
    assert any(axes.has_data() for axes in figure.axes)
    if name in NAMED and n > 200:
        assert any("5,000" in text or "4,9" in text for text, _ in texts)


@pytest.mark.parametrize(
    ("name", "n_channels"),
    [("ranks", 1), ("ranks", 10), ("comparison", 1), ("comparison", 10), ("forest", 10)],
)
def test_labels_keep_apart_whatever_the_number_of_channels(sized, name, n_channels):
    source = sized(60, n_channels=n_channels, n_aggregates=60)
    figure = FIGURES[name](source, quantity="rate")
    texts = drawn_texts(figure)
    assert overlapping(texts) == []
    assert any("channel" in text.lower() for text, _ in texts) == (n_channels > 1)


@pytest.mark.parametrize("name", ["tie_out", "ridge", "comparison", "over_time"])
def test_levels_of_a_grouping_have_figures(nasty, name):
    texts = drawn_texts(FIGURES[name](nasty, level="channel"))
    assert {"channel 0", "channel 1"} <= {text for text, _ in texts}
    assert overlapping(texts) == []


@pytest.mark.parametrize("name", FIGURES)
def test_a_single_aggregate_in_a_single_period_has_figures(sized, name):
    source = sized(3, n_aggregates=1, n_periods=1, truth=False, counts=False)
    figure = FIGURES[name](source)
    texts = drawn_texts(figure)
    assert overlapping(texts) == []
    assert outside(texts, figure) == []
    assert "truth" not in {text for text, _ in texts}


@pytest.mark.parametrize("name", ["forest", "ridge", "shrinkage", "em_comparison", "ranks"])
def test_a_small_figure_draws_as_many_rows_as_keep_apart(sized, name):
    texts = drawn_texts(FIGURES[name](sized(200, n_aggregates=500), figsize=(6.0, 4.0), top=100))
    assert overlapping(texts) == []
    rows = [text for text, _ in texts if text.startswith("campaign 0")]
    assert 8 <= len(rows) <= 14
    assert any("200" in text for text, _ in texts)


def test_a_run_that_did_not_converge_says_so_on_its_figures(tmp_path):
    source = plotted_runs.make_source(tmp_path, names=("a", "b"), verdict="not_converged")
    for name in ("forest", "ranks", "over_time", "tie_out"):
        note = FIGURES[name](source).get_supxlabel()
        assert note.startswith("This fit did not converge: its numbers are not for use."), name


def test_numbers_are_in_the_forms_of_the_language(sized):
    source = sized(5, counts=False)
    ticks = {
        code: [label.get_text() for label in figure.axes[0].get_xticklabels()]
        for code, figure in (
            (code, ba.plot_forest(source, language=Language(code), quantity="share"))
            for code in ("en", "es")
        )
    }
    assert all(re.fullmatch(r"[\d.]+%", text) for text in ticks["en"])
    assert all(re.fullmatch(r"[\d,]+\xa0%", text) for text in ticks["es"])
    assert "(EUR)" in ba.plot_forest(source).axes[0].get_xlabel()


def test_long_names_are_cut_in_the_middle_and_stay_apart():
    names = short_names(plotted_runs.NASTY)
    assert len(set(names)) == len(names)
    assert names[:4] == list(plotted_runs.NASTY[:4])
    assert names[6] == "\\u202eright to left override"
    assert names[7] == "bell␇, line␊break"
    assert names[9].startswith("a very long name")
    assert names[9].endswith("end A")
    assert all(len(name) <= LONGEST for name in names)
    assert short_names([f"{'x' * 50}{i}{'y' * 50}" for i in range(2)])[1].endswith(" (2)")


def test_methods_have_the_colours_of_the_page():
    page = Path(ba.__file__).parent / "report" / "templates" / "report.css"
    light, dark = re.findall(
        r"--posterior: (#\w+);\s*--em: (#\w+);\s*--proportional: (#\w+);", page.read_text()
    )[:2]
    for name, colours in (("light", light), ("dark", dark)):
        theme = THEMES[name]
        assert (theme.posterior, theme.em, theme.proportional) == colours


def test_what_is_unknown_is_named_with_what_there_is(nasty, tmp_path):
    for call, message in (
        (lambda: ba.plot_forest(nasty, theme="pink"), "there is no theme 'pink'; there is 'light'"),
        (lambda: ba.plot_forest(nasty, quantity="roi"), "no quantity 'roi' to draw; there is 'amo"),
        (lambda: ba.plot_ridge(nasty, level="region"), "no level 'region' in this run; it has 'en"),
        (lambda: ba.plot_over_time(nasty, kind="pie"), "no kind 'pie' of a figure over time; ther"),
        (lambda: ba.plot_em_comparison(nasty, errors="jackknife"), "errors of EM called 'jackkni"),
        (lambda: ba.plot_em_comparison(nasty, errors="bootstrap"), "has no standard errors of EM "),
    ):
        with pytest.raises(UnknownNameError, match=re.escape(message)):
            call()
    with pytest.raises(RunFolderError, match="is not a folder"):
        ba.plot_forest(tmp_path / "nowhere")
    with pytest.raises(ComparisonError, match="nothing to compare"):
        ba.plot_ranks(plotted_runs.make_source(tmp_path / "one", names=("only",)))


def test_without_a_key_of_time_the_remedy_is_named(nasty, monkeypatch):
    monkeypatch.setattr(type(nasty), "period", property(lambda _: None))
    with pytest.raises(UnknownNameError, match=r"\('store', 'month'\).*report\.period in the spec"):
        ba.plot_over_time(nasty)


def test_errors_of_em_that_a_run_does_not_have_are_explained(tmp_path):
    source = plotted_runs.make_source(tmp_path)
    (tmp_path / "em_errors.csv").unlink()
    with pytest.raises(UnknownNameError, match=r"lacks em_errors\.csv.*fit again"):
        ba.plot_em_comparison(source)


def test_every_colour_of_a_part_is_told_apart_from_the_others():
    for theme in THEMES.values():
        rgb = np.array([mpl.colors.to_rgb(colour) for colour in theme.series])
        distance = np.linalg.norm(rgb[:, None] - rgb, axis=2)
        assert distance[~np.eye(len(rgb), dtype=bool)].min() > 0.15


def test_titles_ask_for_bold_where_there_is_a_bold_cut(monkeypatch):
    """Matplotlib logs a complaint for every font of a list that lacks the weight."""
    fonts = [
        FontEntry(name="Noto Sans", weight="bold"),
        FontEntry(name="Noto Sans Arabic", weight=700),
        FontEntry(name="Noto Sans Symbols2", weight=400),
        FontEntry(name="Somebody's Sans", weight=700),
    ]
    monkeypatch.setattr(fonts_and_colours.font_manager.fontManager, "ttflist", fonts)
    fonts_and_colours._installed.cache_clear()
    try:
        assert fonts_and_colours.title_fonts() == ["DejaVu Sans", "Noto Sans", "Noto Sans Arabic"]
        assert fonts_and_colours._installed() == (
            "Noto Sans",
            "Noto Sans Arabic",
            "Noto Sans Symbols2",
        )
    finally:
        fonts_and_colours._installed.cache_clear()
