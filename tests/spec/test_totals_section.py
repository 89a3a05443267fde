"""The section [totals]: defaults, its part in the digest, and what it cannot be combined with."""

from __future__ import annotations

import pytest

from bayes_attrib.errors import SpecError
from bayes_attrib.spec import TotalsSpec, parse_spec

HEAD = """
schema_version = 1
name = "totals"

[columns]
aggregate = ["channel", "week"]
entity = "campaign"

[likelihood]
family = "{family}"
{more}
"""


def parsed(text="", family="gamma", more=""):
    return parse_spec(HEAD.format(family=family, more=more) + text)


def test_nothing_is_assumed_without_the_section():
    spec = parsed()
    assert spec.totals is None
    assert spec.total_uncertainty == "plugin"
    assert parsed("[totals]\n").totals == TotalsSpec(uncertainty="plugin", draws=50)
    assert parsed("[totals]\n").total_uncertainty == "plugin"


def test_every_treatment_is_another_computation():
    sections = [
        "",
        "[totals]\n",
        '[totals]\nuncertainty = "paired"\n',
        '[totals]\nuncertainty = "cut"\n',
        '[totals]\nuncertainty = "cut"\ndraws = 100\n',
    ]
    assert len({parsed(section).digest for section in sections}) == len(sections)


@pytest.mark.parametrize("family", ["gamma", "lognormal", "hurdle_gamma", "given"])
@pytest.mark.parametrize("treatment", ["paired", "cut"])
def test_families_of_amounts_take_draws_of_totals(family, treatment):
    spec = parsed(f'[totals]\nuncertainty = "{treatment}"\n', family)
    assert spec.total_uncertainty == treatment


@pytest.mark.parametrize(
    ("family", "more", "message"),
    [
        ("poisson", "", "family 'poisson' splits counts"),
        ("zero_inflated_negative_binomial", "", "splits counts"),
        ("gamma", 'level = "pair"\namounts = "explicit"', "samples the amounts of the totals"),
    ],
)
@pytest.mark.parametrize("treatment", ["paired", "cut"])
def test_what_draws_of_totals_cannot_be_combined_with(family, more, message, treatment):
    with pytest.raises(SpecError, match=message) as caught:
        parsed(f'[totals]\nuncertainty = "{treatment}"\n', family, more)
    (finding,) = caught.value.findings
    assert finding.remedy
    assert parsed('[totals]\nuncertainty = "plugin"\n', family, more).totals is not None


@pytest.mark.parametrize("line", ['uncertainty = "full"', "draws = 9", "draws = 1001", "d = 5"])
def test_values_are_closed(line):
    with pytest.raises(SpecError):
        parsed(f"[totals]\n{line}\n")
