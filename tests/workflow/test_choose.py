"""Choosing a family: who takes part, what is said, and the command; the sampler is replaced."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_attrib import cli, names
from bayes_attrib.errors import InterruptedFitError, SpecError
from bayes_attrib.inference import Diagnostics, PosteriorFit, predictive_checks, total_draws
from bayes_attrib.inference.diagnostics import RHAT, make_check
from bayes_attrib.inputs import AggregateData, TablesRead
from bayes_attrib.model.families import get_family
from bayes_attrib.report.choice import describe_choice
from bayes_attrib.spec import LikelihoodSpec, parse_plain
from bayes_attrib.workflow import choose
from bayes_attrib.workflow.candidates import (
    candidate_spec,
    complete_candidates,
    default_candidates,
    parse_candidates,
    reading_spec,
)

N_CHAINS, N_DRAWS = 2, 150


def spec_of(family, level=None, **sections):
    return parse_plain(
        {
            "schema_version": 1,
            "name": "test",
            "columns": {"aggregate": ["aggregate"], "entity": "entity"},
            "likelihood": {"family": family, "level": level},
            **sections,
        },
        source="test",
    )


def data_of(totals):
    exposure = np.random.default_rng(0).uniform(0.5, 1.5, size=(len(totals), 3))
    return AggregateData.from_dense(exposure, totals)


def labels(likelihoods):
    return [f"{one.family}:{one.level}" if one.level else one.family for one in likelihoods]


COUNTS = ["poisson", "negative_binomial:aggregate", "negative_binomial:pair"]
MONEY = ["gamma:aggregate", "gamma:pair", "lognormal:aggregate"]


@pytest.mark.parametrize(
    ("family", "totals", "expected"),
    [
        ("poisson", [3, 5, 8], COUNTS),
        ("negative_binomial", [300, 500, 800], COUNTS),
        ("poisson", [3, 0, 8], [*COUNTS, *(f"zero_inflated_{name}" for name in COUNTS)]),
        ("poisson", [3000, 5000, 80], [*COUNTS, *MONEY[:2]]),
        ("gamma", [3.5, 5.2, 8.0], MONEY),
        ("lognormal", [3.5, 0.0, 8.0], [f"hurdle_{name}" for name in MONEY]),
    ],
)
def test_usual_candidates_follow_the_kind_of_totals(family, totals, expected):
    assert labels(default_candidates(spec_of(family), data_of(totals))) == expected


def test_words_name_candidates():
    spec = spec_of("hurdle_gamma", None)
    found = parse_candidates(["gamma:pair", "lognormal", "hurdle_lognormal"], spec)
    assert labels(found) == ["gamma:pair", "lognormal:aggregate", "hurdle_lognormal:aggregate"]


def test_covariates_of_zeros_go_where_zeros_have_a_probability():
    likelihood = {"family": "hurdle_gamma", "zero_covariates": "size"}
    spec = parse_plain(
        spec_of("gamma").model_dump(mode="json") | {"likelihood": likelihood}, source="test"
    )
    gamma, lognormal = parse_candidates(["gamma", "hurdle_lognormal"], spec)
    assert gamma.zero_covariates is None
    assert lognormal.zero_covariates == "size"


def test_every_wrong_word_is_named_with_its_remedy():
    with pytest.raises(SpecError, match="3 faults") as error:
        parse_candidates(["gama", "poisson:pair", "lognormal:pair"], spec_of("gamma"))
    text = str(error.value)
    assert "did you mean 'gamma'?" in text
    assert "write --family poisson" in text
    assert "its levels are aggregate, pair_approximation" in text


def test_own_family_takes_part_first_where_it_is_possible():
    data = data_of([3, 5, 8])
    found = complete_candidates(
        parse_candidates(["gamma", "poisson", "gamma"], spec_of("poisson")),
        spec_of("poisson"),
        data,
    )
    assert labels(found) == ["poisson", "gamma:aggregate"]
    zeros = data_of([3.5, 0, 8])
    found = complete_candidates(
        default_candidates(spec_of("gamma"), zeros), spec_of("gamma"), zeros
    )
    assert labels(found) == [f"hurdle_{name}" for name in MONEY]


@pytest.mark.parametrize(
    ("family", "totals", "words", "message"),
    [
        ("gamma", [3.5, 5, 8], ["poisson"], "1 total not a whole number, the first that of b1"),
        ("poisson", [3, 0, 8], ["gamma"], "1 total of zero, the first that of b2"),
        ("poisson", [3, 5, 8], ["poisson"], "a choice needs two candidates; there is poisson"),
    ],
)
def test_candidates_that_totals_rule_out_are_refused(family, totals, words, message):
    spec = spec_of(family)
    with pytest.raises(SpecError, match=message):
        complete_candidates(parse_candidates(words, spec), spec, data_of(totals))


def test_prior_of_a_noise_parameter_stays_with_its_family():
    prior = {"dist": "LogNormal", "mu": 1.0, "sigma": 1.0}
    sigma = {"dist": "HalfNormal", "sigma": 0.5}
    spec = spec_of("gamma", "pair", priors={"phi": prior, "sigma_entity": sigma})
    hurdle, other = (
        LikelihoodSpec(family="hurdle_gamma", level="pair"),
        LikelihoodSpec(family="negative_binomial", level="pair"),
    )
    changed, note = candidate_spec(spec, hurdle)
    assert set(changed.priors) == {"phi", "sigma_entity"}
    assert note is None
    changed, note = candidate_spec(spec, other)
    assert set(changed.priors) == {"sigma_entity"}
    assert note == "negative_binomial:pair: the spec's prior of phi does not apply to it"
    assert changed.rates == spec.rates


def test_money_is_read_with_its_zeros():
    assert reading_spec(spec_of("gamma", "pair")).likelihood.family == "hurdle_gamma"
    assert reading_spec(spec_of("poisson")) == spec_of("poisson")


class FakeFits:
    """Stands for the sampler: draws around the data's own rate, and moment estimates of noise."""

    def __init__(self, rhat=None):
        self.rhat = rhat or {}
        self.fitted = []

    def __call__(self, tables, spec, *, progress=None):  # noqa: ARG002
        data, family = tables.data, get_family(spec.likelihood)
        self.fitted.append(spec)
        rng = np.random.default_rng(1)
        exposed = data.is_exposed
        mu = data.expected_totals(np.full(data.n_entities, data.reference_rate))[exposed]
        noise = family.moment_parameters(data.totals[exposed], mu)
        shape = (N_CHAINS, N_DRAWS)
        rates = data.reference_rate * np.exp(0.03 * rng.normal(size=(*shape, data.n_entities)))
        variables = {"rate": ((names.CHAIN, names.DRAW, names.ENTITY), rates)} | {
            name: ((names.CHAIN, names.DRAW), value * np.exp(0.02 * rng.normal(size=shape)))
            for name, value in noise.items()
        }
        tree = xr.DataTree.from_dict({"posterior": xr.Dataset(variables)})
        posterior = PosteriorFit(tree, "nuts")
        checks, _ = predictive_checks(total_draws(posterior, data, spec, most=300), rng)
        sampler = make_check("max_rhat_rates", self.rhat.get(family.name, 1.0), RHAT)
        n, width = data.n_entities, 0.02 * (1 + len(family.parameters))
        mean = np.full(n, 1.0 / n)
        mean[0] += 0.01 * len(family.parameters)
        mean[1] -= 0.01 * len(family.parameters)
        table = pd.DataFrame(
            {
                "level": [names.ENTITY] * n + ["type"],
                "name": [*data.entity_names, "A"],
                "share_mean": [*mean, 1.0],
                "share_lower": [*(mean - width / 2), 1.0],
                "share_upper": [*(mean + width / 2), 1.0],
            }
        )
        return SimpleNamespace(
            posterior=posterior,
            result=SimpleNamespace(table=table.sample(frac=1.0, random_state=len(self.fitted))),
            diagnostics=Diagnostics((sampler, *checks)),
        )


@pytest.fixture
def fake_fits(monkeypatch):
    fits = FakeFits()
    monkeypatch.setattr(choose, "fit_tables", fits)
    return fits


def tables_of(data):
    return TablesRead(data, (), (), ())


def overdispersed(scale=1.0):
    rng = np.random.default_rng(5)
    mu = data_of(np.ones(80)).expected_totals(np.full(3, 20.0 * scale))
    return data_of(rng.poisson(mu * rng.gamma(4.0, 0.25, size=80)))


@pytest.mark.usefixtures("fake_fits")
def test_poisson_on_bursts_is_called_out_with_figures():
    choice = choose.choose_family(tables_of(overdispersed()), spec_of("poisson"))
    assert choice.preferred is not None
    assert choice.preferred.family == "negative_binomial"
    table = choice.table.set_index(["family", "level"])
    assert table["elpd"].is_monotonic_decreasing
    poisson = table.loc["poisson", ""]
    assert poisson["elpd_difference"] > 100
    assert poisson["dispersion_p_value"] < 0.01
    assert poisson["weight"] < 1e-3
    assert table["weight"].sum() == pytest.approx(1.0)
    assert poisson["share_distance"] == pytest.approx(0.01)
    assert poisson["width_ratio"] == pytest.approx(0.5)
    sentences = list(describe_choice(choice))
    assert "the data clearly support negative_binomial" in sentences[0]
    assert "credits 1.0% of the whole" in sentences[1]
    assert "are 2.00 times as wide" in sentences[1]
    (called,) = [s for s in sentences if s.startswith("poisson does not fit")]
    assert "spread of totals is" in called
    assert f"{poisson['elpd_difference']:.1f}" in called


def test_money_under_poisson_is_compared_with_gamma(fake_fits):
    choice = choose.choose_family(tables_of(overdispersed(scale=50.0)), spec_of("poisson"))
    assert labels(s.likelihood for s in choice.scores) == [*COUNTS, *MONEY[:2]]
    assert len(fake_fits.fitted) == 5
    sentences = list(describe_choice(choice))
    assert any("densit" in sentence and "mass" in sentence for sentence in sentences)
    table = choice.table.set_index(["family", "level"])["elpd"]
    aggregate = table["gamma", "aggregate"] - table["negative_binomial", "aggregate"]
    assert abs(aggregate) < 3  # the same law, but for rounding to whole numbers
    assert table["gamma", "aggregate"] - table["poisson", ""] > 1000


@pytest.mark.usefixtures("fake_fits")
def test_counting_noise_keeps_poisson():
    rng = np.random.default_rng(2)
    data = data_of(rng.poisson(data_of(np.ones(80)).expected_totals(np.full(3, 20.0))))
    choice = choose.choose_family(tables_of(data), spec_of("negative_binomial", "pair"))
    assert labels([choice.preferred]) == ["poisson"]
    first, second, *_ = describe_choice(choice)
    assert "it has the fewest parameters" in first
    assert "the spec's own family is negative_binomial:pair" in second
    kept = choose.choose_family(tables_of(data), spec_of("poisson"))
    assert "the spec's own family stands" in list(describe_choice(kept))[1]


def test_fit_that_did_not_converge_is_not_preferred(fake_fits):
    fake_fits.rhat = {"negative_binomial": 1.2}
    choice = choose.choose_family(tables_of(overdispersed()), spec_of("poisson"))
    assert labels([choice.preferred]) == ["poisson"]
    assert choice.table.set_index("family").loc["poisson", "weight"] == 1.0
    assert any("did not converge" in sentence for sentence in describe_choice(choice))
    fake_fits.rhat |= {"poisson": 1.2}
    choice = choose.choose_family(tables_of(overdispersed()), spec_of("poisson"))
    assert choice.preferred is None
    assert "no candidate converged" in next(describe_choice(choice))


def call(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return stop.value.code or 0, captured.out, captured.err


@pytest.fixture
def coupons(root):
    return "choose", root / "models/coupon_campaigns.toml", root / "data/coupon_campaigns"


def test_command_prints_the_table_and_the_sentences(capsys, coupons, fake_fits, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    status, output, _ = call(capsys, *coupons, "--family", "poisson", "--draws", "70")
    assert status == 0
    assert "> negative_binomial pair" in output
    assert "Poisson does not fit" in output
    assert "Rule: families are told apart" in output
    assert [spec.likelihood.family for spec in fake_fits.fitted] == ["negative_binomial", "poisson"]
    assert {spec.inference.draws for spec in fake_fits.fitted} == {70}


@pytest.mark.usefixtures("fake_fits")
@pytest.mark.parametrize(("width", "has_weights"), [(80, False), (100, True)])
def test_families_keep_their_names_in_a_narrow_terminal(
    capsys, coupons, monkeypatch, width, has_weights
):
    monkeypatch.setenv("COLUMNS", str(width))
    _, output, _ = call(capsys, *coupons, "--family", "poisson")
    lines = output.splitlines()
    assert max(map(len, lines)) <= width
    assert any(line.startswith("> negative_binomial") for line in lines)
    assert any(line.startswith("  poisson") for line in lines)
    assert "…" not in output
    (heads,) = [line for line in lines if line.startswith("family")]
    assert ("weight" in heads.split()) is has_weights


@pytest.mark.usefixtures("fake_fits")
def test_command_writes_files_and_json(capsys, coupons, tmp_path):
    words = (*coupons, "--family", "poisson", "--out")
    status, output, errors = call(capsys, *words, tmp_path / "choice.json", "--json")
    assert (status, errors) == (0, "")
    found = json.loads(output)
    assert found == json.loads((tmp_path / "choice.json").read_text())
    assert found["preferred"] == found["own"] == "negative_binomial:pair"
    assert found["candidates"][1]["family"] == "poisson"
    status, output, _ = call(capsys, *words, tmp_path / "choice.csv", "--quiet")
    assert (status, output) == (0, "")
    table = pd.read_csv(tmp_path / "choice.csv")
    assert table["family"].tolist() == ["negative_binomial", "poisson"]
    assert table["preferred"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--family", "poison"], "did you mean 'poisson'?"),
        (["--family", "gamma"], "--family gamma"),
        (["--family", "negative_binomial:pair"], "a choice needs two candidates"),
        (["--out", "choice.txt"], "ends in .json or .csv"),
        (["--out", "nowhere/choice.csv"], "there is no folder nowhere"),
        (["--out", "there.csv"], "add --overwrite"),
        (["--chains", "0"], "inference.chains"),
    ],
)
def test_wrong_words_exit_with_2_and_fit_nothing(
    capsys, coupons, fake_fits, tmp_path, monkeypatch, words, complaint
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "there.csv").write_text("kept")
    status, output, errors = call(capsys, *coupons, *words)
    assert (status, output) == (2, "")
    assert complaint in errors
    assert fake_fits.fitted == []
    assert (tmp_path / "there.csv").read_text() == "kept"


def test_command_exits_with_3_where_nothing_converged(capsys, coupons, fake_fits):
    fake_fits.rhat = {"negative_binomial": 1.2, "poisson": 1.2}
    status, output, _ = call(capsys, *coupons, "--family", "poisson")
    assert status == 3
    assert "No candidate converged" in output


def test_interrupted_command_exits_with_130(capsys, coupons, monkeypatch):
    def interrupted(*_, **__):
        raise InterruptedFitError(0, 4)

    monkeypatch.setattr(choose, "fit_tables", interrupted)
    status, output, errors = call(capsys, *coupons)
    assert (status, output) == (130, "")
    assert "nothing is kept" in errors
