"""What figures show equals the numbers of the run, computed here in other ways."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotted_runs
import pytest
from matplotlib.collections import LineCollection, PathCollection

import bayes_attrib as ba
from bayes_attrib.attribution import interval_of
from bayes_attrib.inference import sample_prior
from bayes_attrib.report.figures.density import density
from bayes_attrib.report.figures.theme import THEMES

LIGHT = THEMES["light"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    names = plotted_runs.plain_names(12)
    return plotted_runs.make_source(
        tmp_path_factory.mktemp("values"), names=names, n_channels=2, excluded=55.0
    )


@pytest.fixture(scope="module")
def with_baseline(tmp_path_factory):
    names = plotted_runs.plain_names(9)
    folder = tmp_path_factory.mktemp("baseline")
    return plotted_runs.make_source(folder, names=names, unattributed=True, counts=False)


def marks(axes, marker, colour=None):
    """Positions of the marks of one kind, shape (n, 2), from above to below."""
    (line,) = [
        line
        for line in axes.lines
        if line.get_marker() == marker and colour in {None, line.get_color()}
    ]
    found = line.get_xydata()
    return found[np.argsort(found[:, 1], kind="stable")]


def bars(axes, index):
    """Ends of the horizontal bars of one kind, shape (n, 2)."""
    lines = [c for c in axes.collections if isinstance(c, LineCollection)]
    segments = lines[index].get_segments()
    return np.array([segment[:, 0] for segment in segments if len(segment)])


@pytest.mark.parametrize("quantity", ["amount", "share", "rate"])
def test_the_forest_shows_the_table(source, quantity):
    rows = source.run.entities
    divisor = {"amount": 1.0, "share": source.data.grand_total, "rate": rows["exposure"]}[quantity]
    axes = ba.plot_forest(source, quantity=quantity).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == rows["name"].tolist()
    np.testing.assert_array_equal(marks(axes, "o")[:, 0], rows[f"{quantity}_mean"])
    np.testing.assert_array_equal(marks(axes, "o")[:, 1], np.arange(12))
    np.testing.assert_allclose(marks(axes, "X")[:, 0], rows["em_amount"] / divisor)
    np.testing.assert_allclose(marks(axes, "D")[:, 0], rows["proportional_amount"] / divisor)
    np.testing.assert_allclose(marks(axes, "*")[:, 0], rows["truth_amount"] / divisor)
    ends = rows[[f"{quantity}_lower", f"{quantity}_upper"]]
    np.testing.assert_array_equal(bars(axes, 0), ends)
    if quantity != "rate":
        expected = rows[["expected_amount_lower", "expected_amount_upper"]].div(divisor, axis=0)
        np.testing.assert_allclose(bars(axes, 1), expected)
    left, right = axes.get_xlim()
    assert left == 0
    assert right >= ends.to_numpy().max()


def test_the_largest_come_first_and_no_others(source):
    axes = ba.plot_forest(source, top=4).axes[0]
    largest = source.run.entities.nlargest(4, "amount_mean")["name"].tolist()
    assert [t.get_text() for t in axes.get_yticklabels()] == largest


@pytest.mark.parametrize("counts", [True, False])
def test_densities_are_those_of_the_draws(counts):
    rng = np.random.default_rng(1)
    draws = rng.poisson(30.0, 20_000).astype(float) if counts else rng.gamma(4.0, 2.0, 20_000)
    at = np.linspace(0.0, 80.0, 2001)
    found = density(draws, at, counts=counts)
    assert np.trapezoid(found, at) == pytest.approx(1.0, abs=2e-3)
    mean = np.trapezoid(found * at, at)
    assert mean == pytest.approx(draws.mean(), rel=2e-3)
    sd = np.sqrt(np.trapezoid(found * (at - mean) ** 2, at))
    assert sd == pytest.approx(draws.std(), rel=0.03)


def test_a_density_at_zero_is_reflected_and_equal_draws_have_a_peak():
    at = np.linspace(0.0, 10.0, 4001)
    draws = np.random.default_rng(2).exponential(1.0, 40_000)
    found = density(draws, at, counts=False)
    assert np.trapezoid(found, at) == pytest.approx(1.0, abs=2e-3)
    assert found[0] == pytest.approx(1.0, rel=0.1)  # without reflection one half
    peak = density(np.full(50, 3.0), at, counts=True)
    assert at[peak.argmax()] == pytest.approx(3.0, abs=0.01)
    assert np.trapezoid(peak, at) == pytest.approx(1.0, abs=1e-3)


def test_the_ridge_marks_means_and_shades_the_interval(source):
    axes = ba.plot_ridge(source).axes[0]
    rows = source.run.entities
    np.testing.assert_allclose(marks(axes, "o", LIGHT.posterior)[:, 0], rows["amount_mean"])
    shaded = axes.collections[2::3]
    assert len(shaded) == len(rows)
    for region, lower, upper in zip(
        shaded, rows["amount_lower"], rows["amount_upper"], strict=True
    ):
        xs = np.concatenate([path.vertices[:, 0] for path in region.get_paths()])
        step = 0.01 * (axes.get_xlim()[1])
        assert lower - 1e-9 <= xs.min() <= lower + step
        assert min(upper, axes.get_xlim()[1]) - step <= xs.max() <= upper + 1e-9


def test_shrinkage_goes_from_em_to_the_posterior_and_marks_the_group(source):
    axes = ba.plot_shrinkage(source).axes[0]
    names = [t.get_text() for t in axes.get_yticklabels()]
    rows = source.run.entities.set_index("name").loc[names]
    em, posterior = [c for c in axes.collections if isinstance(c, PathCollection)]
    np.testing.assert_allclose(em.get_offsets()[:, 0], rows["em_amount"] / rows["exposure"])
    np.testing.assert_allclose(posterior.get_offsets()[:, 0], rows["rate_mean"])
    sizes = em.get_sizes()
    assert list(np.argsort(sizes)) == list(np.argsort(rows["exposure"].to_numpy()))
    arrows = [text for text in axes.texts if hasattr(text, "arrow_patch")]
    starts = [arrow.xyann[0] for arrow in arrows]
    np.testing.assert_allclose(starts, em.get_offsets()[:, 0])
    # The group alone: r0 times the mean of exp(intercept + effect), from the posterior's own file.
    posterior_draws = source.fit.posterior
    intercept = posterior_draws["intercept"].to_numpy().ravel()
    effect = posterior_draws["effect_channel"].to_numpy().reshape(len(intercept), -1)
    centre = source.data.reference_rate * np.exp(intercept[:, None] + effect).mean(axis=0)
    codes = source.data.groupings["channel"].codes
    by_name = dict(zip(source.data.entity_names, centre[codes], strict=True))
    groups = bars(axes, 0)[:, 0]
    np.testing.assert_allclose(groups, [by_name[name] for name in names])
    assert list(groups) == sorted(groups, reverse=True)


def test_em_with_its_errors_stands_beside_the_posterior(source):
    axes = ba.plot_em_comparison(source).axes[0]
    rows = source.run.entities
    errors = pd.read_csv(source.run.path / "em_errors.csv").set_index("name").loc[rows["name"]]
    np.testing.assert_array_equal(bars(axes, 0), rows[["amount_lower", "amount_upper"]])
    left, right = axes.get_xlim()
    known = errors["em_information_lower"].notna().to_numpy()
    drawn = bars(axes, 1)
    lower, upper = (errors[f"em_information_{end}"].to_numpy()[known] for end in ("lower", "upper"))
    np.testing.assert_allclose(drawn[:, 0], np.maximum(lower, left))
    np.testing.assert_allclose(drawn[:, 1], np.minimum(upper, right))
    triangles = marks(axes, ">")
    assert len(triangles) == np.sum(upper > right) >= 1
    np.testing.assert_allclose(triangles[:, 0], right)
    np.testing.assert_array_equal(marks(axes, "X")[:, 0], rows["em_amount"])


def test_ranks_are_counted_draw_by_draw(with_baseline):
    figure = ba.plot_ranks(with_baseline)
    axes = figure.axes[0]
    names = [t.get_text() for t in axes.get_yticklabels()]
    assert "unattributed" not in names
    found = with_baseline.amounts("entity")
    draws = pd.DataFrame(found.amounts.rows(slice(None)), found.labels["entity"]).loc[names]
    ranks = draws.rank(ascending=False)  # money never ties
    expected = [[(ranks.loc[name] == rank).mean() for rank in range(1, 10)] for name in names]
    np.testing.assert_allclose(axes.images[0].get_array(), expected, atol=1e-12)
    np.testing.assert_allclose(marks(axes, "^")[:, 0] + 1, ranks.mean(axis=1))


def test_comparisons_are_counted_draw_by_draw_within_channels(source):
    axes = ba.plot_comparison(source, quantity="rate").axes[0]
    names = [t.get_text() for t in axes.get_yticklabels()]
    assert [t.get_text() for t in axes.get_xticklabels()] == names
    labels, rates = source.rates()
    draws = dict(zip(labels, rates, strict=True))
    channel = dict(zip(labels, source.data.groupings["channel"].codes, strict=True))
    shown = axes.images[0].get_array()
    for i, row in enumerate(names):
        for j, column in enumerate(names):
            if row == column or channel[row] != channel[column]:
                assert np.ma.is_masked(shown[i, j])
            else:
                assert shown[i, j] == pytest.approx(np.mean(draws[row] > draws[column]))
    assert len({text.get_text() for text in axes.texts} & {"channel 0", "channel 1"}) == 2


def test_charts_over_time_show_means_intervals_and_truth(source):
    figure = ba.plot_over_time(source, top=3)
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes if axes.axison}
    named = source.run.entities["name"].tolist()[:3]
    assert list(panels) == ["All, observed", *named, "9 others"]
    data = source.data
    months = data.aggregate_keys["month"].to_numpy()
    totals = pd.Series(data.totals).groupby(months).sum()
    np.testing.assert_allclose(panels["All, observed"].lines[0].get_ydata(), totals)
    drawn = source.amounts("entity", "month")
    table = drawn.labels.assign(row=range(len(drawn.labels)))
    for name in named:
        own = table[table["entity"] == name].set_index("month")["row"].reindex(totals.index)
        draws = np.array(
            [
                np.zeros(source.n_draws)
                if np.isnan(row)
                else drawn.amounts.rows(slice(int(row), int(row) + 1))[0]
                for row in own
            ]
        )
        mean, truth = panels[name].lines
        np.testing.assert_allclose(mean.get_ydata(), draws.mean(axis=1))
        lower, upper = interval_of(draws, source.run.spec.report.interval)
        band = panels[name].collections[0].get_paths()[0].vertices
        assert band[:, 1].max() == pytest.approx(upper.max())
        assert band[:, 1].min() == pytest.approx(lower.min())
        mine = data.entity_names[data.edge_entity] == name
        known = pd.Series(data.truth[mine]).groupby(months[data.edge_aggregate[mine]]).sum()
        np.testing.assert_allclose(truth.get_ydata(), known.reindex(totals.index, fill_value=0.0))
    others = sum(panels[name].lines[0].get_ydata() for name in [*named, "9 others"])
    np.testing.assert_allclose(others, totals)


def test_stacked_amounts_add_up_to_the_totals(source):
    axes = ba.plot_over_time(source, kind="stacked", top=30).axes[0]
    months = source.data.aggregate_keys["month"].to_numpy()
    totals = pd.Series(source.data.totals).groupby(months).sum()
    tops = [
        max(bar.get_y() + bar.get_height() for bar in bars)
        for bars in zip(*axes.containers, strict=True)
    ]
    np.testing.assert_allclose(tops, totals)
    assert len(axes.containers) == 8  # seven colours, and the others


@pytest.mark.parametrize("which", ["source", "with_baseline"])
def test_the_waterfall_ends_where_the_total_does(which, request):
    made = request.getfixturevalue(which)
    axes = ba.plot_tie_out(made, top=4).axes[0]
    names = [t.get_text() for t in axes.get_yticklabels()]
    steps = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.containers[0]]
    total = made.data.grand_total
    excluded = 55.0 if which == "source" else 0.0
    assert steps[0] == pytest.approx((0.0, total + excluded))
    assert steps[1] == pytest.approx((total, total + excluded))
    assert steps[2] == pytest.approx((0.0, total))
    assert steps[-1] == pytest.approx((0.0, total))
    parts = steps[3:-1]
    assert parts[0][0] == 0.0
    assert [start for start, _ in parts[1:]] == pytest.approx([end for _, end in parts[:-1]])
    assert parts[-1][1] == pytest.approx(total)
    means = made.run.entities.set_index("name")["amount_mean"]
    for name, (start, end) in zip(names[3:-1], parts, strict=True):
        if name in means:
            assert end - start == pytest.approx(means[name])
    assert ("Not attributed to anyone" in names) == (which == "with_baseline")
    written = [text.get_text().replace(",", "").replace("−", "-") for text in axes.texts]
    assert sum(map(float, written[3:-1])) == pytest.approx(float(written[-1]))
    assert float(written[0]) + float(written[1]) == pytest.approx(float(written[2]))


def test_a_waterfall_that_does_not_add_up_says_so(tmp_path):
    made = plotted_runs.make_source(tmp_path, names=plotted_runs.plain_names(3))
    made.run.attribution.loc[0, "amount_mean"] += 10.0
    assert "The parts do NOT add up: they differ from the total by 10." in (
        ba.plot_tie_out(made).get_supxlabel()
    )


def test_posterior_predictive_shows_the_observed_totals(source):
    figure = ba.plot_posterior_predictive(source)
    totals, residuals, spread = figure.axes
    (observed,) = [line for line in totals.lines if line.get_label() == "observed"]
    np.testing.assert_array_equal(observed.get_xdata(), np.sort(source.data.totals))
    np.testing.assert_allclose(observed.get_ydata(), np.arange(1, 25) / 24)
    mu = source.mean.totals()  # Poisson: the variance is the mean
    expected = np.median((source.data.totals[:, None] - mu) / np.sqrt(mu), axis=1)
    points = residuals.lines[-1]
    np.testing.assert_allclose(points.get_ydata(), expected)
    np.testing.assert_allclose(points.get_xdata(), np.median(mu, axis=1))
    counts = [patch.get_data()[0].sum() for patch in spread.patches]
    assert all(0.98 * source.n_draws <= count <= source.n_draws for count in counts)


def test_new_totals_have_the_spread_of_their_family(source):
    """Poisson: the mean squared residual of new totals is 1, +- 4 standard errors (1 in 16,000)."""
    spread = ba.plot_posterior_predictive(source).axes[2]
    heights, edges = spread.patches[0].get_data()[:2]
    middle = np.average((edges[1:] + edges[:-1]) / 2, weights=heights)
    n = len(source.data.totals) * source.n_draws
    assert middle == pytest.approx(1.0, abs=4 * np.sqrt(2.5 / n))


def test_prior_predictive_shows_quantiles_of_prior_and_data(source):
    prior = sample_prior(source.data, source.run.spec, draws=300)
    axes = ba.plot_prior_predictive(prior).axes[0]
    shown = marks(axes, "o")
    (observed,) = [line for line in axes.lines if line.get_marker() == "o"]
    assert len(shown) == 25
    levels = observed.get_xdata()
    np.testing.assert_allclose(observed.get_ydata(), np.quantile(source.data.totals, levels))
    (median,) = [line for line in axes.lines if line.get_marker() == "_"]
    quantiles = np.quantile(prior.totals, levels, axis=0)
    np.testing.assert_allclose(median.get_ydata(), np.median(quantiles, axis=1))
    ends = [segment[:, 1] for segment in axes.collections[0].get_segments()]
    tails = np.quantile(quantiles, [0.03, 0.97], axis=1).T
    np.testing.assert_allclose(ends, tails)
