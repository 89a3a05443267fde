"""The numbers of the page's sections, against computations of another kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from sized_runs import write_sized_run

from bayes_attrib.attribution import interval_of
from bayes_attrib.attribution.pairwise import Equivalence, compare_pairs
from bayes_attrib.errors import RunFolderError
from bayes_attrib.report import RunFolder
from bayes_attrib.report.language import Language
from bayes_attrib.report.page import draws as page_draws
from bayes_attrib.report.page import drilldown
from bayes_attrib.report.page.answer import find_answer, leading_probabilities
from bayes_attrib.report.page.channels import number_channels
from bayes_attrib.report.page.comparison import TOP, compare, probabilities_of_more
from bayes_attrib.report.page.draws import PageDraws
from bayes_attrib.report.page.drilldown import look_inside
from bayes_attrib.report.page.information import information_of, lay_out_information
from bayes_attrib.report.page.packed import pack_draws, unpack_draws
from bayes_attrib.report.page.predictive import check_totals
from bayes_attrib.report.page.prior_interval import central_interval
from bayes_attrib.report.page.scale import Scale, compact, scale_for_rates
from bayes_attrib.report.page.series import amounts_over_time, lay_out_series
from bayes_attrib.report.page.shrinkage import lay_out_shrinkage
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.tables import choose_format
from bayes_attrib.spec import IntervalSpec, PriorSpec
from bayes_attrib.spec.prior import PRIOR_PARAMETERS

ENGLISH = Language()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Forty campaigns in three channels, ten weeks; some names are hostile."""
    folder = tmp_path_factory.mktemp("sized") / "run"
    return RunFolder.load(
        write_sized_run(folder, n_entities=40, n_aggregates=30, n_channels=3, nasty=True)
    )


@pytest.fixture(scope="module")
def draws(run: RunFolder) -> PageDraws:
    return PageDraws.load(run)


def test_the_draws_are_those_of_the_run(run: RunFolder, draws: PageDraws) -> None:
    assert draws.step == 1
    source = RunDraws.load(run)
    wanted = source.amounts("entity")
    order = pd.Index(wanted.labels["entity"]).get_indexer(draws.data.entity_names.astype(str))
    np.testing.assert_array_equal(draws.amounts, wanted.amounts.rows(order))
    np.testing.assert_array_equal(draws.rates, source.rates()[1])


def test_draws_are_thinned_where_there_are_many_cells(
    run: RunFolder, draws: PageDraws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_draws, "MOST_CELL_DRAWS", 1)
    thinned = PageDraws.load(run)
    assert thinned.step == 2
    assert thinned.n_draws == page_draws.FEWEST
    np.testing.assert_array_equal(thinned.rates, draws.rates[:, ::2])
    assert thinned.amounts.sum(axis=0) == pytest.approx(run.manifest.data.grand_total)


def test_files_of_two_runs_are_told_apart(run: RunFolder) -> None:
    other = run.attribution.assign(amount_mean=run.attribution["amount_mean"] * 1.01)
    mixed = RunFolder(run.path, other, run.diagnostics, run.manifest)
    with pytest.raises(RunFolderError, match="40 entities; the files are of different runs"):
        PageDraws.load(mixed)


@pytest.mark.parametrize("most", [20_000, 20])
def test_amounts_over_time_add_up_and_have_the_runs_intervals(
    run: RunFolder, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_draws, "MOST_PERIOD_ROWS", most)
    found = PageDraws.load(run).by_period
    assert found is not None
    assert found.has_all == (most > 1000)
    assert len(found.entities) == (40 if found.has_all else page_draws.N_LARGEST)
    whole = found.draws.amounts.rows(slice(None)).sum(axis=0)
    assert whole == pytest.approx(run.manifest.data.grand_total)
    weeks = RunDraws.load(run).amounts("entity", "week")
    name = run.entities["name"].iloc[0]
    mean, lower, upper = amounts_over_time(run, found, 0)
    for i, week in enumerate(found.periods):
        row = np.flatnonzero((weeks.labels["entity"] == name) & (weeks.labels["week"] == week))
        rows = weeks.amounts.rows(row)
        if not len(rows):
            assert mean[i] == lower[i] == upper[i] == 0
            continue
        assert mean[i] == pytest.approx(rows.mean())
        assert (lower[i], upper[i]) == pytest.approx(
            tuple(float(x[0]) for x in interval_of(rows, run.spec.report.interval))
        )


def test_charts_over_time(draws: PageDraws) -> None:
    series = lay_out_series(draws, choose_format(draws.source.run))
    assert series is not None
    assert [bool(line.band) for line in series.lines] == [False, *[True] * 12]
    assert series.n_more == 28
    assert all(len(line.texts) == len(series.periods) for line in series.lines)


def test_the_answer_says_how_settled_the_first_place_is(run: RunFolder, draws: PageDraws) -> None:
    amounts = choose_format(run)
    chances = leading_probabilities(draws.amounts)
    assert chances.sum() == pytest.approx(1)
    winners = [int(np.argmax(column)) for column in draws.amounts.T if _is_single(column)]
    for i in np.argsort(-chances)[:3]:
        assert chances[i] == pytest.approx(winners.count(i) / draws.n_draws, abs=0.05)
    needed = 1 + int(np.flatnonzero(np.cumsum(np.sort(chances)[::-1]) >= 0.94 - 1e-12)[0])
    answer = find_answer(run, draws, amounts, "94% interval")
    assert f"belongs to one of {needed} entities" in answer.settled
    assert answer.rollups == ()  # totals are known per channel: nothing was attributed there


def _is_single(column: np.ndarray) -> bool:
    return int(np.sum(column == column.max())) == 1


def test_a_first_place_that_is_settled(run: RunFolder, draws: PageDraws) -> None:
    amounts = draws.amounts.copy()
    amounts[0] = 1e9
    sure = PageDraws(draws.source, draws.step, amounts, draws.rates, draws.by_period)
    answer = find_answer(run, sure, choose_format(run), "94% interval")
    assert answer.settled == "It is the first in 100% of draws: the first place is settled."


def test_without_draws_the_intervals_decide(run: RunFolder) -> None:
    reach = run.entities["amount_upper"].iloc[1:] >= run.entities["amount_lower"].iloc[0]
    answer = find_answer(run, None, choose_format(run), "94% interval")
    assert answer.settled.startswith(f"The intervals of {int(reach.sum())} others reach into")


def test_probabilities_are_those_of_the_command_compare(draws: PageDraws) -> None:
    rates = draws.rates[:6]
    interval = IntervalSpec(kind="hdi", prob=0.94)
    pairs = compare_pairs(
        rates, np.arange(6), equivalence=Equivalence(), prob=0.94, interval=interval
    )
    chances = probabilities_of_more(rates)
    np.testing.assert_allclose(chances[pairs.first, pairs.second], pairs.prob_greater)
    np.testing.assert_allclose(chances + chances.T, 1)
    ties = probabilities_of_more(np.array([[1.0, 2.0], [1.0, 1.0]]))
    np.testing.assert_array_equal(ties, [[0.5, 0.75], [0.25, 0.5]])


def test_rates_are_compared_within_channels(run: RunFolder, draws: PageDraws) -> None:
    found = compare(run, draws, choose_format(run))
    assert found is not None
    channels = number_channels(draws.data, run.spec)
    assert found.column == channels.column == "channel"
    assert [len(channel.entities) for channel in found.channels] == [TOP] * 3
    assert sum(channel.n_entities for channel in found.channels) == 40
    first = found.channels[0]
    names = [str(n) for n in draws.data.entity_names]
    a, b = (names.index(name) for name in first.entities[:2])
    cell = first.cells[0][1]
    assert cell is not None
    assert cell.percent == round(100 * np.mean(draws.rates[a] > draws.rates[b]))
    assert first.cells[0][0] is None
    assert channels.codes[a] == channels.codes[b]
    assert found.data["n"] == draws.n_draws
    assert len(found.data["names"]) == found.n_choices == 40


def test_packed_draws_come_back() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson([[3.0], [4000.0], [0.0]], size=(3, 500)).astype(float)
    again = unpack_draws(pack_draws(counts, logarithmic=False), 3)
    np.testing.assert_array_equal(again, counts)
    rates = rng.lognormal(0.0, 3.0, size=(2, 500))
    again = unpack_draws(pack_draws(rates, logarithmic=True), 2)
    np.testing.assert_allclose(again, rates, rtol=2e-4)
    money = rng.gamma(2.0, 1e6, size=(2, 500))
    again = unpack_draws(pack_draws(money, logarithmic=False), 2)
    assert np.abs(again - money).max() <= np.ptp(money, axis=1).max() / 65_535
    constant = unpack_draws(pack_draws(np.full((1, 4), 7.25), logarithmic=False), 1)
    np.testing.assert_array_equal(constant, 7.25)


def test_pooling_is_shown_between_em_and_the_group(run: RunFolder, draws: PageDraws) -> None:
    plot = lay_out_shrinkage(run, draws, choose_format(run))
    assert plot is not None
    assert plot.has_groups
    places, first = plot.rows[0].at, run.entities.iloc[0]
    assert plot.is_linear
    assert places["em"] / places["mean"] == pytest.approx(
        first["em_amount"] / first["exposure"] / first["rate_mean"], rel=2e-3
    )
    fit = draws.source.fit
    place = list(draws.data.entity_names).index(first["name"])
    code = draws.data.groupings["channel"].codes[place]
    group = draws.data.reference_rate * np.exp(
        fit.draws("intercept") + fit.draws("effect_channel")[code]
    )
    assert places["group"] / places["mean"] == pytest.approx(
        group.mean() / first["rate_mean"], rel=2e-3
    )
    assert plot.points.count("h0") == plot.n_points == 40
    bare = lay_out_shrinkage(run, None, choose_format(run))
    assert bare is not None
    assert not bare.has_groups
    assert "group" not in bare.rows[0].at


def test_the_information_of_every_entity(run: RunFolder, draws: PageDraws) -> None:
    information = information_of(run, draws)
    assert information is not None
    fit = draws.source.fit
    effect = fit.draws("effect_channel")[draws.data.groupings["channel"].codes]
    centre = np.log(draws.data.reference_rate) + fit.draws("intercept") + effect
    own = (np.log(draws.rates) - centre) / fit.draws("sigma_entity")
    np.testing.assert_allclose(information, np.clip(1 - own.var(axis=1), 0, 1), atol=1e-9)
    histogram = lay_out_information(information, ENGLISH)
    assert sum(int(bin_.count) for bin_ in histogram.bins) == 40
    assert histogram.n_little == int((information < 0.1).sum())


def test_new_totals_are_held_against_the_old(run: RunFolder, draws: PageDraws) -> None:
    check = check_totals(run, draws, choose_format(run))
    data = draws.data
    # A Poisson total given its expectation, mixed over draws, by another generator. Each end of an
    # interval is a quantile of 400 draws, so a total near one may fall on either side of it.
    rng = np.random.default_rng(99)
    new = rng.poisson(
        (data.exposure @ draws.rates)[..., np.newaxis], (*(data.n_aggregates, 400), 9)
    )
    lower, upper = np.quantile(new.reshape(data.n_aggregates, -1), [0.03, 0.97], axis=1)
    inside = int(((lower <= data.totals) & (data.totals <= upper)).sum())
    assert check.n == data.n_aggregates
    assert abs(check.n_inside - inside) <= 3
    assert check.n_inside == sum(bar.inside for bar in check.bars)
    assert check.over_time is not None
    assert check.over_time.n == 10


def test_inside_an_aggregate_are_its_cells(run: RunFolder, draws: PageDraws) -> None:
    inside = look_inside(run, draws, choose_format(run))
    cells = run.read_cells(["channel", "week", "campaign", "amount_mean", "share_upper"])
    block = inside.data["aggregate"]
    assert inside.n_left == 0
    assert block["start"][-1] == len(cells)
    i = block["labels"].index(inside.title)
    span = slice(block["start"][i], block["start"][i + 1])
    own = cells[(cells["channel"] + " · " + cells["week"]) == inside.title]
    own = own.sort_values("amount_mean", ascending=False)
    assert block["amount_mean"][span] == pytest.approx(own["amount_mean"].tolist(), rel=1e-3)
    assert block["share_upper"][span] == pytest.approx(own["share_upper"].tolist(), rel=1e-3)
    names = [inside.data["names"][code] for code in block["entity"][span]]
    assert set(names) == set(own["campaign"])
    assert inside.has_periods
    weeks = inside.data["period"]
    for week in range(len(weeks["labels"])):
        part = slice(weeks["start"][week], weeks["start"][week + 1])
        assert sum(weeks["amount_mean"][part]) == pytest.approx(weeks["totals"][week], rel=2e-3)
        assert sum(weeks["share_mean"][part]) == pytest.approx(1, rel=2e-3)


def test_beyond_the_budget_cells_stay_in_their_file(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drilldown, "MOST_CELLS", 30)
    inside = look_inside(run, None, choose_format(run))
    assert inside.n_left > 0
    assert inside.n_aggregates + inside.n_left == run.manifest.data.n_aggregates
    assert len(inside.data["aggregate"]["entity"]) <= 30
    assert inside.title in inside.data["aggregate"]["labels"]
    assert not inside.has_periods


@pytest.mark.parametrize("dist", PRIOR_PARAMETERS)
def test_the_interval_of_a_prior_holds_what_it_says(dist: str) -> None:
    """10,000 draws by PyMC; a false alarm has a chance below 1e-6 for each distribution."""
    given = {"mu": 0.3, "sigma": 1.4, "nu": 5.0, "alpha": 2.5, "beta": 1.7, "lam": 0.6}
    parameters = {name: given[name] for name in PRIOR_PARAMETERS[dist]}
    lower, upper = central_interval(PriorSpec(dist=dist, **parameters), 0.8)
    law = getattr(pm, dist).dist(**parameters)
    drawn = pm.draw(law, draws=10_000, random_seed=4)
    assert np.mean(drawn < lower) == pytest.approx(0.1, abs=0.015)
    assert np.mean(drawn > upper) == pytest.approx(0.1, abs=0.015)


@pytest.mark.parametrize(
    ("values", "linear"), [([1.0, 2.0, 3.0, 7.0], True), ([0.0, 0.01, 0.02, 0.03, 9.0], False)]
)
def test_axes_bend_only_where_values_are_far_apart(values: list[float], linear: bool) -> None:
    scale = scale_for_rates(values)
    assert scale.is_linear == linear
    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= 100
    ticks = scale.ticks(ENGLISH)
    assert 3 <= len(ticks) <= 8
    gaps = np.diff([tick.position for tick in ticks])
    assert gaps.min() >= 10


@pytest.mark.parametrize("high", [1e-5, 0.3, 7.0, 123.0, 9.9e8])
@pytest.mark.parametrize("unit", [None, 0.004])
def test_labels_of_an_axis_keep_their_distance(high: float, unit: float | None) -> None:
    ticks = Scale(0.0, high, None if unit is None else unit * high).ticks(Language("es"))
    assert len({tick.label for tick in ticks}) == len(ticks) >= 3
    assert np.diff([tick.position for tick in ticks]).min() >= 10


def test_short_numbers_in_two_languages() -> None:
    assert compact(ENGLISH, 12_500) == "12.5K"
    assert compact(ENGLISH, 0.25) == "0.25"
    assert compact(ENGLISH, 9_500) == "9,500"
    assert compact(Language("es"), 12_000) == "12 mil".replace(" ", "\u00a0")


def test_a_run_of_two_entities_and_one_aggregate(tmp_path: Path) -> None:
    run = RunFolder.load(write_sized_run(tmp_path / "run", n_entities=2, n_aggregates=1))
    draws = PageDraws.load(run)
    assert draws.by_period is None
    assert lay_out_series(draws, choose_format(run)) is None
    found = compare(run, draws, choose_format(run))
    assert found is not None
    assert found.column is None
    assert len(found.channels[0].cells) == 2
    assert len(check_totals(run, draws, choose_format(run)).bars) == 1
