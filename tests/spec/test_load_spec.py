"""Loading specs: the good path, defaults, and what is refused."""

from __future__ import annotations

import pydantic
import pytest

from bayes_attrib.errors import SpecError
from bayes_attrib.spec import ModelSpec, load_spec, parse_spec

MINIMAL = """
schema_version = 1
name = "hcp_brick"

[columns]
aggregate = ["brick_id"]
entity = "hcp_id"
"""

FULL = """
schema_version = 1
name = "full"

[columns]
aggregate = ["channel", "week"]
entity    = "campaign"
total     = "contribution"
exposure  = "effective_exposure"
amount    = "truth"

[likelihood]
family = "gamma"
level = "pair"

[rates]
pooling = ["objective", "format"]
geometry = { entity = "centered", groups = "noncentered" }

[priors]
intercept = { dist = "Normal", mu = 0, sigma = 2 }
sigma_objective = { dist = "HalfNormal", sigma = 0.5 }
sigma_entity = { dist = "Gamma", alpha = 2.0, beta = 4 }
phi = { dist = "LogNormal", mu = -1.5, sigma = 1.0 }

[inference]
method = "auto"
seed = 7
draws = 500
tune = 400
chains = 2
target_accept = 0.95

[report]
title = "A title"
interval = { kind = "eti", prob = 0.9 }
currency = "EUR"
"""


def faults(text):
    with pytest.raises(SpecError) as caught:
        parse_spec(text)
    return caught.value.findings


def test_defaults():
    spec = parse_spec(MINIMAL)
    assert spec.columns.aggregate == ("brick_id",)
    assert (spec.columns.total, spec.columns.exposure, spec.columns.amount) == (
        "total",
        "exposure",
        "amount",
    )
    assert (spec.likelihood.family, spec.likelihood.level) == ("poisson", None)
    assert spec.likelihood.counts
    assert spec.rates.pooling == ()
    assert (spec.inference.method, spec.inference.seed) == ("nuts", 1)
    assert (spec.report.interval.kind, spec.report.interval.prob) == ("hdi", 0.94)
    assert spec.parameters == ("intercept", "sigma_entity")


def test_everything_can_be_said():
    spec = parse_spec(FULL)
    assert spec.columns.aggregate == ("channel", "week")
    assert spec.likelihood.parameters == ("phi",)
    assert not spec.likelihood.counts
    assert spec.rates.geometry.entity == "centered"
    assert spec.parameters == (
        "intercept",
        "sigma_objective",
        "sigma_format",
        "sigma_entity",
        "phi",
    )
    assert spec.priors["intercept"].parameters == {"mu": 0.0, "sigma": 2.0}
    assert spec.priors["intercept"].support == "real"
    assert spec.priors["sigma_entity"].parameters == {"alpha": 2.0, "beta": 4.0}
    assert spec.report.currency == "EUR"


def test_one_key_column_can_be_plain_text():
    text = MINIMAL.replace('["brick_id"]', '"brick_id"')
    assert parse_spec(text) == parse_spec(MINIMAL)


def test_file_and_text_give_the_same_spec(tmp_path):
    path = tmp_path / "full.toml"
    path.write_text(FULL, encoding="utf-8")
    assert load_spec(path) == load_spec(str(path)) == parse_spec(FULL)


def test_digest_knows_meaning_and_not_form():
    plain = parse_spec(MINIMAL)
    spelt_out = parse_spec(
        MINIMAL + 'total = "total"\n# a comment\n[likelihood]\nfamily = "poisson"\n'
    )
    assert plain.digest == spelt_out.digest
    assert len(plain.digest) == 64
    other = parse_spec(MINIMAL.replace("hcp_id", "rep_id"))
    assert other.digest != plain.digest


def test_a_spec_round_trips_through_plain_types():
    spec = parse_spec(FULL)
    again = ModelSpec.model_validate_json(spec.model_dump_json())
    assert again == spec
    assert again.digest == spec.digest


def test_a_spec_is_frozen():
    spec = parse_spec(FULL)
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        spec.name = "other"
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        spec.inference.seed = 2


def test_a_missing_spec_file(tmp_path):
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "nowhere.toml")
    (finding,) = caught.value.findings
    assert (finding.code, finding.where) == ("unreadable-spec", "nowhere.toml")
    assert "No such file" in finding.message
    assert str(tmp_path) not in str(caught.value)


def test_a_spec_that_is_not_utf8(tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes(MINIMAL.replace("hcp_brick", "café").encode("latin-1"))
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert caught.value.findings[0].code == "unreadable-spec"


def test_faults_are_reported_together_with_their_paths():
    text = MINIMAL + '[likelihood]\nfamily = "poison"\n[inference]\nchains = 0\ntunes = 5\n'
    found = [(finding.code, finding.where) for finding in faults(text)]
    assert found == [
        ("invalid-value", "spec, likelihood.family"),
        ("invalid-value", "spec, inference.chains"),
        ("unknown-key", "spec, inference.tunes"),
    ]


def test_an_unknown_key_suggests_the_nearest():
    (finding,) = faults(MINIMAL + "[inference]\ntunes = 5\n")
    assert finding.remedy.startswith("did you mean 'tune'? known keys here: advi, chains")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("[inference]\nseed = -1\n", "greater than or equal to 0"),
        ("[inference]\nseed = true\n", "valid integer"),
        ("[inference]\ndraws = 10.0\n", "valid integer"),
        ("[inference]\ntarget_accept = 1.0\n", "less than 1"),
        ('[report]\ncurrency = "euro"\n', "pattern"),
        ('[report]\ninterval = { kind = "ci", prob = 0.9 }\n', "'hdi' or 'eti'"),
        ('[report]\ninterval = { kind = "hdi", prob = nan }\n', "finite"),
        ('[rates]\npooling = "specialty"\n', "valid tuple"),
        ('[rates]\npooling = ["a", "a"]\n', "twice: a"),
        ('[rates]\npooling = ["aggregate"]\n', "collide"),
        ('[likelihood]\nfamily = "poisson"\nlevel = "aggregate"\n', "has no level"),
        ('[priors]\nphi = { dist = "HalfNormal", sigma = 1.0 }\n', "no parameter"),
        (
            '[priors]\nsigma_entity = { dist = "StudentT", nu = 3, mu = 0, sigma = 1 }\n',
            "gives negative values",
        ),
        ('[priors]\nintercept = { dist = "Normal", mu = 0 }\n', "takes mu, sigma; got mu"),
        ('[priors]\nintercept = { dist = "Normal", mu = "0", sigma = 1 }\n', "valid number"),
        ('[priors]\nintercept = { dist = "Normal", mu = inf, sigma = 1 }\n', "finite"),
        ('[priors]\nintercept = { dist = "Cauchy", beta = 1 }\n', "unknown distribution"),
        ("[priors]\nintercept = { sigma = 1 }\n", "required"),
    ],
)
def test_values_outside_the_vocabulary(section, message):
    (finding,) = faults(MINIMAL + section)
    assert message in finding.message
    assert finding.severity == "error"
    assert finding.remedy


@pytest.mark.parametrize(
    "columns",
    [
        'aggregate = []\nentity = "e"\n',
        'aggregate = [""]\nentity = "e"\n',
        'aggregate = ["a", "a"]\nentity = "e"\n',
        'aggregate = ["a"]\nentity = "a"\n',
        'aggregate = ["a"]\nentity = "total"\n',
        'aggregate = ["a"]\nentity = "e"\namount = "exposure"\n',
        'aggregate = ["a"]\n',
        'aggregate = 3\nentity = "e"\n',
    ],
)
def test_columns_that_cannot_be_told_apart(columns):
    (finding,) = faults(f'schema_version = 1\nname = "n"\n[columns]\n{columns}')
    assert finding.where.startswith("spec, columns")


def test_what_shipped_specs_say_is_in_the_vocabulary(request):
    folder = request.config.rootpath / "models"
    specs = [load_spec(path) for path in sorted(folder.glob("*.toml"))]
    assert [spec.name for spec in specs] == [path.stem for path in sorted(folder.glob("*.toml"))]
    assert specs
