"""Every option that a spec can name: what it means for the parameters, and its faults."""

from __future__ import annotations

import pytest

from bayes_attrib.errors import SpecError
from bayes_attrib.spec import parse_spec

HEAD = """
schema_version = 1
name = "hcp_brick"

[columns]
aggregate = ["brick_id", "week"]
entity = "hcp_id"
amount = "known"
"""


def likelihood(**keys):
    return parse_spec(HEAD + "[likelihood]\n" + lines(keys)).likelihood


def rates(text):
    return parse_spec(HEAD + f"[rates]\n{text}\n")


def lines(keys):
    return "".join(f'{key} = "{text}"\n' for key, text in keys.items() if text)


def fault(text):
    with pytest.raises(SpecError) as caught:
        parse_spec(HEAD + text)
    (finding,) = caught.value.findings
    assert finding.remedy
    return finding


@pytest.mark.parametrize(
    ("family", "level", "parameters"),
    [
        ("poisson", None, ()),
        ("negative_binomial", "aggregate", ("alpha",)),
        ("negative_binomial", "pair", ("phi",)),
        ("gamma", "aggregate", ("alpha",)),
        ("gamma", "pair", ("phi",)),
        ("lognormal", "aggregate", ("sigma_total",)),
        ("lognormal", "pair_approximation", ("sigma_total",)),
        ("zero_inflated_poisson", None, ("pi",)),
        ("zero_inflated_negative_binomial", "aggregate", ("alpha", "pi")),
        ("zero_inflated_negative_binomial", "pair", ("phi", "pi")),
        ("hurdle_gamma", "aggregate", ("alpha", "pi")),
        ("hurdle_gamma", "pair", ("phi", "pi")),
        ("hurdle_lognormal", "aggregate", ("sigma_total", "pi")),
        ("hurdle_lognormal", "pair_approximation", ("sigma_total", "pi")),
    ],
)
def test_families_and_levels(family, level, parameters):
    spec = likelihood(family=family, level=level)
    assert spec.level == level
    assert spec.parameters == parameters
    assert spec.counts is (spec.base_family in {"poisson", "negative_binomial"})
    assert spec.excess_zeros is ("pi" in parameters)
    assert spec.zeros_allowed is (spec.counts or spec.excess_zeros)
    if level in {"aggregate", None}:
        assert likelihood(family=family) == spec
    if spec.excess_zeros:
        with_covariates = likelihood(family=family, level=level, zero_covariates="temperature")
        assert with_covariates.parameters == (*parameters, "beta_zero")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"family": "poisson", "level": "pair"}, "has no level"),
        ({"family": "zero_inflated_poisson", "level": "aggregate"}, "has no level"),
        ({"family": "lognormal", "level": "pair"}, "'lognormal' has no level 'pair'"),
        ({"family": "hurdle_lognormal", "level": "pair"}, "has no level 'pair'"),
        ({"family": "gamma", "level": "pair_approximation"}, "has no level 'pair_approximation'"),
        ({"family": "gamma", "level": "cell"}, "'aggregate', 'pair' or 'pair_approximation'"),
        ({"family": "hurdle_poisson"}, "got 'hurdle_poisson'"),
        ({"family": "lognormal", "zero_covariates": "x"}, "no probability of a zero"),
        ({"family": "negative_binomial", "zero_covariates": "x"}, "no probability of a zero"),
        ({"amounts": "latent"}, "'marginal' or 'explicit'"),
        ({"family": "gamma", "amounts": "explicit"}, "sampled explicitly"),
        ({"family": "lognormal", "level": "pair_approximation", "amounts": "explicit"}, "no exact"),
        ({"family": "zero_inflated_poisson", "amounts": "explicit"}, "sampled explicitly"),
    ],
)
def test_likelihoods_outside_the_vocabulary(keys, message):
    finding = fault("[likelihood]\n" + lines(keys))
    assert finding.where.startswith("spec, likelihood")
    assert message in finding.message


def test_amounts_are_integrated_out_unless_the_spec_says_otherwise():
    assert likelihood(family="gamma").amounts == "marginal"
    for keys in ({"family": "gamma", "level": "pair"}, {"family": "poisson"}):
        assert likelihood(**keys, amounts="explicit").amounts == "explicit"


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ('pooling = ["a"]', ("sigma_a", "sigma_entity")),
        ('nested = ["c", "b"]', ("sigma_c", "sigma_b", "sigma_entity")),
        ('pooling = ["a"]\nnested = ["c", "b"]', ("sigma_a", "sigma_c", "sigma_b", "sigma_entity")),
        ('nested = ["a"]\nheteroscedastic = "a"', ("sigma_a", "sigma_entity", "sigma_spread")),
        ('covariates = "log(x) + C(y)"', ("sigma_entity", "beta")),
        ('pair_covariates = "x"', ("sigma_entity", "beta_pair")),
        (
            'aggregate_effects = ["week", "region"]',
            ("sigma_entity", "sigma_week", "sigma_region"),
        ),
        (
            'drift = { kind = "random_walk", period = "week" }',
            ("sigma_entity", "sigma_drift"),
        ),
        (
            'drift = { kind = "hsgp", period = "week", by = "entity" }',
            ("sigma_entity", "sigma_drift", "lengthscale_drift"),
        ),
    ],
)
def test_rates_and_their_parameters(text, parameters):
    assert rates(text).parameters == ("intercept", *parameters)


def test_groups_are_crossed_columns_then_nested_ones():
    spec = rates('nested = ["c", "b"]\npooling = ["a"]').rates
    assert spec.groups == ("a", "c", "b")


def test_a_drift_belongs_to_entities_or_to_a_group():
    drift = 'drift = { kind = "hsgp", period = "week"%s }'
    assert rates(drift % "").rates.drift.by == "entity"
    grouped = rates('nested = ["channel"]\n' + drift % ', by = "channel"').rates
    assert grouped.drift.by == "channel"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('nested = "channel"', "valid tuple"),
        ('nested = ["a", "a"]', "nested names a column twice: a"),
        ('aggregate_effects = ["a", "a"]', "aggregate_effects names a column twice: a"),
        ('pooling = ["a"]\nnested = ["b", "a"]', "'a' appears in more than one of"),
        ('pooling = ["a"]\naggregate_effects = ["a"]', "'a' appears in more than one of"),
        ('nested = ["period"]', "'period' collides with a name"),
        ('aggregate_effects = ["drift"]', "'drift' collides with a name"),
        ('nested = ["channel", "hcp_id"]', "'hcp_id' is the entity itself"),
        ('pooling = ["hcp_id"]', "rates.pooling: 'hcp_id' is the entity itself"),
        ('heteroscedastic = "a"', "heteroscedastic names 'a', which is no grouping column"),
        ('drift = { kind = "hsgp", period = "week", by = "a" }', "drift.by names 'a'"),
        ('drift = { kind = "hsgp", period = "month" }', "'month' is no key column"),
        ('drift = { kind = "ar1", period = "week" }', "'random_walk' or 'hsgp'"),
        ('drift = { kind = "hsgp" }', "required"),
        ('drift = { kind = "hsgp", period = "week", knots = 3 }', "unknown key"),
        ('covariates = ["x"]', "valid string"),
        ('covariates = "eval(x)"', "eval"),
        ('pair_covariates = "x.y"', "x.y"),
        ('pair_covariates = "known + x"', "'known' is the known amount"),
        ('pair_covariates = "C(exposure)"', "C(exposure) takes the exposure for names"),
        ('aggregate_effects = ["total"]', "'total' collides"),
    ],
)
def test_rates_outside_the_vocabulary(text, message):
    assert message in fault(f"[rates]\n{text}\n").message


def test_unattributed_is_off_unless_the_spec_says_otherwise():
    assert parse_spec(HEAD).unattributed is None
    spec = parse_spec(HEAD + "[unattributed]\n")
    assert spec.unattributed.exposure is None
    assert spec.parameters == ("intercept", "sigma_entity", "unattributed_share")
    spec = parse_spec(HEAD + '[unattributed]\nexposure = "population"\n')
    assert spec.unattributed.exposure == "population"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[unattributed]\nexposure = "total"\n', "'total' is the total already"),
        ('[unattributed]\nexposure = "week"\n', "'week' is a key of the aggregates already"),
        ('[unattributed]\nexposure = ""\n', "at least 1 character"),
        ("[unattributed]\nexposure = 1\n", "valid string"),
        (
            '[unattributed]\nexposure = "pop"\n[rates]\naggregate_effects = ["pop"]\n',
            "'pop' is the exposure of what no entity explains",
        ),
        (
            (
                '[unattributed]\nexposure = "pop"\n'
                '[likelihood]\nfamily = "hurdle_gamma"\nzero_covariates = "C(pop)"\n'
            ),
            "C(pop) takes the exposure of what no entity explains for names",
        ),
        (
            '[likelihood]\nfamily = "hurdle_gamma"\nzero_covariates = "log1p(total)"\n',
            "'total' is the total, which is to be explained",
        ),
    ],
)
def test_columns_in_contradicting_roles(text, message):
    assert message in fault(text).message


def test_a_column_may_have_roles_that_agree():
    text = (
        '[rates]\npooling = ["region"]\ncovariates = "C(region)"\naggregate_effects = ["week"]\n'
        'drift = { kind = "random_walk", period = "week" }\npair_covariates = "exposure"\n'
        '[likelihood]\nfamily = "zero_inflated_poisson"\nzero_covariates = "C(week) + pop"\n'
        '[unattributed]\nexposure = "pop"\n'
    )
    assert parse_spec(HEAD + text).rates.drift.period == "week"


EVERYTHING = (
    '[likelihood]\nfamily = "hurdle_gamma"\nzero_covariates = "x"\n'
    '[rates]\npooling = ["a"]\nheteroscedastic = "a"\ncovariates = "x"\npair_covariates = "x"\n'
    'aggregate_effects = ["week"]\ndrift = { kind = "hsgp", period = "week" }\n[unattributed]\n'
)


def test_parameters_come_in_the_order_of_the_model():
    assert parse_spec(HEAD + EVERYTHING).parameters == (
        "intercept",
        "sigma_a",
        "sigma_entity",
        "sigma_spread",
        "beta",
        "beta_pair",
        "sigma_week",
        "sigma_drift",
        "lengthscale_drift",
        "alpha",
        "pi",
        "beta_zero",
        "unattributed_share",
    )


@pytest.mark.parametrize("parameter", ["intercept", "beta", "beta_pair", "beta_zero"])
@pytest.mark.parametrize("prior", ["Normal", "HalfNormal"])
def test_a_prior_on_the_real_line_may_be_one_sided(parameter, prior):
    arguments = "mu = 0, sigma = 1" if prior == "Normal" else "sigma = 1"
    text = f'[priors]\n{parameter} = {{ dist = "{prior}", {arguments} }}\n'
    assert parse_spec(HEAD + EVERYTHING + text).priors[parameter].dist == prior


@pytest.mark.parametrize(
    "parameter",
    [
        "sigma_a",
        "sigma_entity",
        "sigma_spread",
        "sigma_week",
        "sigma_drift",
        "lengthscale_drift",
        "alpha",
    ],
)
def test_a_prior_of_a_positive_parameter_is_positive(parameter):
    text = EVERYTHING + f"[priors]\n{parameter} = "
    sound = parse_spec(HEAD + text + '{ dist = "InverseGamma", alpha = 3, beta = 2 }\n')
    assert sound.priors[parameter].support == "positive"
    finding = fault(text + '{ dist = "StudentT", nu = 3, mu = 0, sigma = 1 }\n')
    assert f"StudentT gives negative values, and {parameter} is positive" in finding.message


@pytest.mark.parametrize("parameter", ["pi", "unattributed_share"])
def test_a_prior_of_a_probability_is_between_0_and_1(parameter):
    text = EVERYTHING + f"[priors]\n{parameter} = "
    sound = parse_spec(HEAD + text + '{ dist = "Beta", alpha = 1, beta = 9 }\n')
    assert sound.priors[parameter].support == "unit"
    for prior, gives in (
        ("HalfNormal", "values above 1"),
        ("Normal", "negative values"),
        ("LogNormal", "values above 1"),
    ):
        arguments = "sigma = 1" if prior == "HalfNormal" else "mu = 0, sigma = 1"
        finding = fault(text + f'{{ dist = "{prior}", {arguments} }}\n')
        assert f"{prior} gives {gives}, and {parameter} is between 0 and 1" in finding.message
        assert finding.remedy == "use Beta"


@pytest.mark.parametrize(
    "parameter",
    ["pi", "beta", "beta_zero", "sigma_total", "sigma_drift", "unattributed_share", "phi"],
)
def test_a_prior_of_a_parameter_that_the_options_do_not_bring(parameter):
    finding = fault(f'[priors]\n{parameter} = {{ dist = "Beta", alpha = 1, beta = 9 }}\n')
    assert f"this model has no parameter {parameter!r}" in finding.message


def test_options_change_the_digest_and_round_trip():
    digests = {
        parse_spec(HEAD + text).digest
        for text in (
            "",
            "[unattributed]\n",
            '[rates]\nnested = ["a"]\n',
            '[rates]\npooling = ["a"]\n',
            '[rates]\naggregate_effects = ["a"]\n',
            '[rates]\ncovariates = "x"\n',
            '[rates]\npair_covariates = "x"\n',
            '[likelihood]\namounts = "explicit"\n',
            EVERYTHING,
        )
    }
    assert len(digests) == 9
    spec = parse_spec(HEAD + EVERYTHING)
    assert type(spec).model_validate_json(spec.model_dump_json()) == spec


def test_lift_tests_have_a_period_and_a_second_fit():
    assert parse_spec(HEAD).lift_tests.refit is True
    found = parse_spec(HEAD + '[lift_tests]\nperiod = "week"\nrefit = false\n').lift_tests
    assert (found.period, found.refit) == ("week", False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[lift_tests]\nperiod = "month"\n', "lift_tests.period: 'month' is no key column"),
        ('[lift_tests]\nrefit = "no"\n', "valid boolean"),
        ("[lift_tests]\nfit = true\n", "unknown key 'lift_tests.fit'"),
    ],
)
def test_faults_of_lift_tests(text, message):
    assert message in fault(text).message
