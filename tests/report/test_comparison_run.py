"""Comparisons of what is in a run: who is compared with whom, on what, and what is refused."""

import json
import re
import unicodedata

import numpy as np
import pandas as pd
import pytest
from drawn_runs import CREATIVES, OBJECTIVE, rate_draws, write_drawn_run

import bayes_attrib as ba
from bayes_attrib.attribution.comparison import compare_draws
from bayes_attrib.errors import ComparisonError, NotConvergedError, UnknownNameError
from bayes_attrib.report.comparison_tables import (
    as_dict,
    tabulate_names,
    tabulate_pairs,
    write_comparison,
)
from bayes_attrib.report.comparison_text import ComparisonText
from bayes_attrib.report.language import Language

UNITS = (
    "a rate is per unit of grps, and the unit and the saturation of one channel are not those of "
    "another, so the higher rate need not be the better one; compare amounts or shares (--on "
    "amount, --on share), or add --across-channels if their exposures do have one unit"
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Write each kind of run once: channels told by a key, a pooled or a nested column, nowhere."""
    folder = tmp_path_factory.mktemp("runs")
    kinds = {
        "key": {},
        "pooled": {"rates": {"pooling": ["channel", "objective"]}},
        "nested": {"rates": {"nested": ["brand", "format"]}},
        "nowhere": {"keys": ["week"]},
        "unattributed": {"keys": ["week"], "unattributed": {}},
        "pairs": {"rates": {"pooling": ["objective"], "pair_covariates": "position"}},
        "drift": {"rates": {"drift": {"kind": "random_walk", "period": "week"}}},
        "unconverged": {"verdict": "not_converged"},
    }
    written = {}

    def get(kind):
        if kind not in written:
            written[kind] = write_drawn_run(folder / kind, **kinds[kind])
        return written[kind]

    return get


def chosen(compared):
    return {group.channel: set(group.names) for group in compared.groups}


@pytest.mark.parametrize("kind", ["key", "pooled"])
@pytest.mark.parametrize("on", ["rate", "amount", "share"])
def test_without_names_each_channel_is_compared_on_its_own(runs, kind, on):
    compared = ba.compare(runs(kind), on=on)
    assert chosen(compared) == {"Search": set(CREATIVES[:3]), "Social": set(CREATIVES[3:5])}
    assert compared.alone == ("Radio",)
    assert [group.n_available for group in compared.groups] == [3, 2]


def test_top_nested_level_is_the_channel(runs):
    compared = ba.compare(runs("nested"))
    assert chosen(compared) == {"b1": set(CREATIVES[:3]), "b2": set(CREATIVES[3:])}
    formats = ba.compare(runs("nested"), level="format", on="amount")
    assert chosen(formats) == {"b1": {"b1 / x", "b1 / y"}, "b2": {"b2 / x", "b2 / y"}}


def test_run_without_channels_is_one_comparison(runs):
    assert chosen(ba.compare(runs("nowhere"))) == {None: set(CREATIVES)}


def test_across_channels_makes_one_comparison(runs):
    assert chosen(ba.compare(runs("key"), across_channels=True)) == {None: set(CREATIVES)}
    three = ba.compare(runs("key"), across_channels=True, largest=3)
    amounts = ba.RunFolder.load(runs("key")).entities["name"]
    assert chosen(three) == {None: set(amounts[:3])}
    assert three.groups[0].n_available == 6


def test_largest_are_those_of_the_largest_amounts(runs):
    amounts = ba.RunFolder.load(runs("key")).entities["name"]
    of_search = [name for name in amounts if name in CREATIVES[:3]]
    assert chosen(ba.compare(runs("key"), largest=2))["Search"] == set(of_search[:2])
    assert chosen(ba.compare(runs("key"), largest=0))["Search"] == set(of_search)


def test_rates_are_compared_as_drawn_largest_mean_first(runs):
    group = ba.compare(runs("key"), CREATIVES[:3]).groups[0]
    rates = rate_draws()[:3].reshape(3, -1)
    order = np.argsort(-rates.mean(axis=1))
    assert group.names == tuple(CREATIVES[i] for i in order)
    assert group.names[0] == "alpha"
    expected = compare_draws(rates[order])
    np.testing.assert_allclose(group.comparison.prob_greater, expected.prob_greater)
    np.testing.assert_allclose(group.comparison.expected_loss, expected.expected_loss)
    assert group.best_names == ["alpha"]
    table = group.prob_greater
    above = (rates[1] > rates[2]).mean()
    assert table.loc["beta", "gamma"] == pytest.approx(above)
    assert table.loc["gamma", "beta"] == pytest.approx(1 - above)
    assert group.rank_probability.loc["alpha", 1] == pytest.approx(expected.ranking.prob_best[0])


def test_amounts_and_shares_are_the_totals_times_the_shares_of_expectations(runs):
    """By hand, from the cells: Gamma noise at the level of the aggregate adds none to a split."""
    run = ba.RunFolder.load(runs("key"))
    cells = run.read_cells(["CHANNEL", "week", "creative", "exposure", "proportional_amount"])
    rates = dict(zip(CREATIVES, rate_draws().reshape(6, -1), strict=True))
    amounts = dict.fromkeys(CREATIVES, 0.0)
    for _, cell in cells.groupby(["CHANNEL", "week"]):
        expected = [rates[row.creative] * row.exposure for row in cell.itertuples()]
        for name, part in zip(cell["creative"], expected, strict=True):
            amounts[name] = amounts[name] + cell["proportional_amount"].sum() * part / sum(expected)
    names = ("alpha", "delta", "gamma")  # of two channels, which is fine for amounts
    for on, whole in (("amount", 1.0), ("share", run.manifest.data.grand_total)):
        group = ba.compare(run, names, on=on).groups[0]
        drawn = np.array([amounts[name] for name in group.names]) / whole
        np.testing.assert_allclose(group.comparison.summary.mean, drawn.mean(axis=1))
        np.testing.assert_allclose(group.comparison.prob_greater, compare_draws(drawn).prob_greater)


def test_rate_of_a_level_is_the_exposure_weighted_mean(runs):
    compared = ba.compare(runs("nowhere"), level="objective")
    run = ba.RunFolder.load(runs("nowhere"))
    exposure = run.entities.set_index("name")["exposure"].loc[list(CREATIVES)].to_numpy()
    rates, of = rate_draws().reshape(6, -1), np.array(OBJECTIVE)
    for name, mean in zip(
        compared.groups[0].names, compared.groups[0].comparison.summary.mean, strict=True
    ):
        weights = np.where(of == name, exposure, 0.0)
        assert mean == pytest.approx((weights @ rates / weights.sum()).mean())
    notes = list(ComparisonText(compared, Language()).notes())
    assert notes[0] == "A rate by objective is the exposure-weighted mean of its entities' rates."


@pytest.mark.parametrize(
    ("kind", "options", "contrast"),
    [
        ("key", {"names": ["alpha", "delta"]}, "'alpha' is of Search and 'delta' is of Social"),
        ("pooled", {"names": ["beta", "sólo"]}, "'beta' is of Search and 'sólo' is of Radio"),
        ("nested", {"names": ["beta", "sólo"]}, "'beta' is of b1 and 'sólo' is of b2"),
        ("pooled", {"level": "channel"}, "'Search' and 'Social' are two"),
        ("key", {"level": "objective"}, "'sell' spans the channels Radio, Search, Social"),
        (
            "unattributed",
            {"names": ["alpha", "unattributed"]},
            "'alpha' is of no channel and 'unattributed' is of unattributed",
        ),
    ],
)
def test_rates_of_two_channels_are_refused_and_why(runs, kind, options, contrast):
    message = f"rates are compared within one channel, and {contrast}: {UNITS}"
    with pytest.raises(ComparisonError) as error:
        ba.compare(runs(kind), **options)
    assert str(error.value) == message
    for allowed in ({"across_channels": True}, {"on": "amount"}, {"on": "share"}):
        assert len(ba.compare(runs(kind), **options, **allowed).groups) == 1


def test_what_nobody_earned_is_left_out_unless_named(runs):
    assert chosen(ba.compare(runs("unattributed"), on="amount")) == {None: set(CREATIVES)}
    named = ba.compare(runs("unattributed"), ["alpha", "unattributed"], on="share")
    assert chosen(named) == {None: {"alpha", "unattributed"}}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["Alpha", "beta"],
            "there is no creative 'Alpha' in this run; did you mean 'alpha'?",
        ),
        (
            ["alpa", "dellta"],
            (
                "there is no creative 'alpa' in this run; did you mean 'alpha'?; "
                "there is no creative 'dellta' in this run; did you mean 'delta'?"
            ),
        ),
        (
            ["sell", "beta"],
            (
                "there is no creative 'sell' in this run; it is of level objective: add --level "
                "objective"
            ),
        ),
    ],
)
def test_unknown_names_are_told_what_is_like_them(runs, names, message):
    with pytest.raises(UnknownNameError) as error:
        ba.compare(runs("key"), names)
    assert str(error.value) == message


def test_unknown_name_like_no_other_is_told_what_there_is(runs):
    with pytest.raises(UnknownNameError, match=r"'x\\\\x9b' in this run; it has '.*' and 1 more$"):
        ba.compare(runs("key"), ["x\x9b", "beta"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"names": ["alpha", "alpha"]},
            (
                "only 'alpha' is named, and a comparison needs two; name another, or none for the "
                "largest of each channel"
            ),
        ),
        (
            {"largest": 1},
            (
                "there is nothing to compare: no channel has two of level 'entity' among its "
                "largest; name two, or choose another --level or --largest"
            ),
        ),
        ({"largest": -1}, "largest is 0, for all, or more; got -1"),
        ({"prob": 0.3}, "prob lies between 0.5 and 1, both excluded; got 0.3"),
        ({"top_k": 0}, "top_k is at least 1; got 0"),
        ({"rope": -0.1}, "a region of practical equivalence is 0 or more wide; got -0.1"),
        (
            {"on": "roi"},
            "there is no quantity 'roi' to compare on; there is 'rate', 'amount', 'share'",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(runs, options, message):
    with pytest.raises(ComparisonError) as error:
        ba.compare(runs("key"), **options)
    assert str(error.value) == message


def test_unknown_level_is_refused(runs):
    message = "there is no level 'region' in this run; it has 'entity', 'objective'"
    with pytest.raises(UnknownNameError, match=re.escape(message)):
        ba.compare(runs("key"), level="region")
    assert ba.compare(runs("key"), level="creative").level == "entity"


def test_run_that_did_not_converge_is_refused_unless_that_is_waived(runs):
    with pytest.raises(NotConvergedError, match=r"\(check_0, check_1, check_2 and 2 more\), so "):
        ba.compare(runs("unconverged"))
    assert len(ba.compare(runs("unconverged"), allow_unconverged=True).groups) == 2


def test_composed_and_decomposed_letters_are_one_name(runs):
    """Tables are read in the composed form; a terminal may send the other."""
    decomposed = unicodedata.normalize("NFD", "sólo")
    assert decomposed not in CREATIVES
    assert chosen(ba.compare(runs("key"), [decomposed, "sólo", "beta"], on="amount")) == {
        None: {"sólo", "beta"}
    }


@pytest.mark.parametrize(
    ("kind", "note"),
    [
        (
            "pairs",
            (
                "A rate is that of a pair with average position; what these do to the pairs that a "
                "name really had is no part of it."
            ),
        ),
        (
            "drift",
            "Rates drift over week: a rate is the typical one over all periods, not the latest.",
        ),
    ],
)
def test_notes_say_what_a_rate_is(runs, kind, note):
    compared = ba.compare(runs(kind), CREATIVES[:3])
    assert note in list(ComparisonText(compared, Language()).notes())
    of_amounts = ba.compare(runs(kind), CREATIVES[:3], on="amount")
    assert note not in list(ComparisonText(of_amounts, Language()).notes())


def test_sentences_follow_the_conclusions(runs):
    wide = ba.compare(runs("key"), CREATIVES[1:3], rope=1.0)
    sentence = ComparisonText(wide, Language()).pair(wide.groups[0], 0)
    first, second = wide.groups[0].names
    assert sentence.startswith(
        f"{first} and {second} are practically equal: probability > 99.9% that they are within 100%"
    )
    loose = ba.compare(runs("key"), CREATIVES[:3])
    text, group = ComparisonText(loose, Language()), loose.groups[0]
    first = text.pair(group, 0)
    assert re.fullmatch(
        rf"alpha is greater than {group.names[1]}: probability > 99\.9%; ratio [12]\.\d+ "
        r"\(1\.\d+ to \d\.\d+\)\.",
        first,
    )
    last = text.pair(group, 2)
    assert last.startswith(f"{group.names[1]} and {group.names[2]} are not separable by these data")
    assert text.best_set(group) == "alpha is the best of these with probability 95% or more."
    assert text.tally(group) == (
        "3 pairs: 2 put in order, 0 practically equal, 1 not separable by these data. If the model "
        "is right, 0.00 of the 2 put in order are expected to be the other way round."
    )


def test_less_is_told_from_the_side_of_the_larger(tmp_path):
    """The mean of a skewed row is the larger, and nearly every draw of it the smaller."""
    rates = rate_draws()
    rates[0] = 1.0
    rates[0, :, :2] = 400.0
    compared = ba.compare(write_drawn_run(tmp_path / "run", draws=rates), ["alpha", "beta"])
    group = compared.groups[0]
    assert group.names == ("alpha", "beta")
    assert group.comparison.pairs.conclusion[0] == "less"
    sentence = ComparisonText(compared, Language()).pair(group, 0)
    assert sentence.startswith("beta is greater than alpha: probability 98.0%; difference −")


def test_tables_and_json_hold_the_same_numbers(runs, tmp_path):
    compared = ba.compare(runs("key"), on="share", rope_difference=0.01, top_k=2)
    names, pairs = tabulate_names(compared), tabulate_pairs(compared)
    assert names["channel"].tolist() == ["Search"] * 3 + ["Social"] * 2
    assert names["prob_best"].groupby(names["channel"]).sum().tolist() == pytest.approx([1.0, 1.0])
    assert len(pairs) == 4
    assert pairs[["rope", "rope_scale"]].drop_duplicates().to_numpy().tolist() == [
        [0.01, "difference"]
    ]
    content = as_dict(compared)
    assert json.loads(json.dumps(content)) == content
    assert [row["name"] for group in content["groups"] for row in group["names"]] == list(
        names["name"]
    )
    assert content["groups"][0]["pairs"][0]["prob_greater"] == pairs["prob_greater"][0]
    assert content["channels_left_out"] == ["Radio"]
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        files = write_comparison(compared, tmp_path / f"x{suffix}")
        assert [file.name for file in files] == [f"x{suffix}", f"x_pairs{suffix}"]
        for file, table in zip(files, (names, pairs), strict=True):
            pd.testing.assert_frame_equal(read(file), table, check_dtype=False)
    (file,) = write_comparison(compared, tmp_path / "x.json")
    assert json.loads(file.read_text(encoding="utf-8")) == content


def test_undefined_ratio_is_null_in_json(tmp_path):
    rates = rate_draws()
    rates[1, 0, 0] = 1e-320
    run = write_drawn_run(tmp_path / "run", draws=rates)
    (pair,) = as_dict(ba.compare(run, ["alpha", "beta"]))["groups"][0]["pairs"]
    assert pair["ratio_median"] is None
    assert pair["conclusion"] == "greater"
