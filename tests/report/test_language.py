"""Words and numbers in the language of the reader."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from markupsafe import Markup

from bayes_attrib.report import RunFolder
from bayes_attrib.report import language as language_module
from bayes_attrib.report.accuracy import score_level
from bayes_attrib.report.labels import describe_check_name
from bayes_attrib.report.language import ENGLISH, MISSING, Language, message
from bayes_attrib.report.narrative import (
    describe_check,
    describe_em,
    describe_model,
    describe_verdict,
    interval_short,
    interval_words,
)
from bayes_attrib.report.numbers import AmountFormat, compact, interval, shortest
from bayes_attrib.report.parameters import summarise_parameters
from bayes_attrib.report.records import Check, EMRecord
from bayes_attrib.spec import IntervalSpec
from bayes_attrib.spec.likelihood import LEVELS

MakeRun = Callable[..., Path]
SPANISH = Language("es")


@pytest.mark.parametrize(
    ("locale", "number", "percent", "euros"),
    [
        ("en", "12,345.68", "12.5%", "€12,345.68"),
        ("en_GB", "12,345.68", "12.5%", "€12,345.68"),
        ("es", "12.345,68", "12,5\xa0%", "12.345,68\xa0€"),
        ("es_MX", "12,345.68", "12.5%", "EUR\xa012,345.68"),
    ],
)
def test_numbers_have_the_form_of_the_locale(
    locale: str, number: str, percent: str, euros: str
) -> None:
    language = Language(locale)
    assert language.number(12345.678, 2) == number
    assert language.percent(0.125) == percent
    assert language.money(12345.678, "EUR", 2) == euros
    assert ENGLISH.money(-1200.0, "CHF", 0) == "−CHF\xa01,200"


def test_what_is_no_number_is_a_dash_in_every_form() -> None:
    for value in (math.nan, math.inf):
        assert SPANISH.number(value) == MISSING
        assert SPANISH.significant(value) == MISSING
        assert SPANISH.percent(value) == MISSING
        assert SPANISH.money(value, "EUR", 2) == MISSING
        assert shortest(value, language=SPANISH) == MISSING
    assert interval(math.nan, 1.0, 0, language=SPANISH) == MISSING


def test_negative_numbers_have_a_minus_sign_and_zero_has_none() -> None:
    assert SPANISH.number(-1.5, 1) == "−1,5"
    assert SPANISH.number(-0.0004, 2) == "0,00"
    assert SPANISH.significant(-2.3e-13, 2) == "−2,3E−13"


def test_short_numbers() -> None:
    assert [shortest(x, language=SPANISH) for x in (1.01, 1234.5, 400)] == ["1,01", "1.234", "400"]
    assert shortest(2.34e-7) == "2.3E−7"
    assert [compact(x, language=SPANISH) for x in (950, 12500, 1.5e6)] == ["950", "12,5k", "1,5M"]


def test_values_are_filled_in_after_translation() -> None:
    assert ENGLISH.text("{lower} to {upper}", lower="{x}", upper="2") == "{x} to 2"
    assert SPANISH.text("{lower} to {upper}", lower="1", upper="2") == "1 a 2"
    assert SPANISH.text("nobody translates this {x}", x=1) == "nobody translates this 1"
    assert SPANISH.plural(1, "{n} aggregate", "{n} aggregates") == "1 agregado"
    assert SPANISH.plural(2000, "{n} aggregate", "{n} aggregates") == "2.000 agregados"
    assert message("any text") == "any text"


def test_html_escapes_text_and_values_but_no_markup() -> None:
    found = ENGLISH.html("a < b {x} {y}", x="<i>", y=Markup("<b>y</b>"))
    assert found == "a &lt; b &lt;i&gt; <b>y</b>"


def test_names_are_joined_and_times_written() -> None:
    assert SPANISH.join(["a", "b", "c"]) == "a, b y c"
    assert SPANISH.join(["a"]) == "a"
    assert SPANISH.join([]) == ""
    assert SPANISH.moment("2026-11-25T08:33:36+00:00") == "25 nov 2026 08:33 UTC"
    assert SPANISH.moment("yester\x07day") == "yester␇day"


def test_amounts_are_written_in_the_language_of_their_format() -> None:
    money = AmountFormat(2, 0, "EUR", currency=True, share_decimals=1, language=SPANISH)
    units = AmountFormat(1, 0, "boxes", currency=False, share_decimals=1, language=SPANISH)
    assert money.with_currency(1234.5) == money.with_unit(1234.5) == "1.234,50\xa0€"
    assert units.with_unit(1234.5) == "1.234,5 boxes"
    assert units.with_currency(1234.5) == "1.234,5"
    assert money.means([1000.5, 2.25]) == ["1.000,50", "2,25"]
    assert money.bounds(1000.0, 2000.0) == "1.000 a 2.000"


def test_intervals_in_spanish() -> None:
    hdi, eti = IntervalSpec(prob=0.945), IntervalSpec(kind="eti", prob=0.9)
    assert interval_words(hdi, language=SPANISH) == (
        "intervalo de máxima densidad (HDI) del 94,5\xa0%"
    )
    assert interval_words(eti, many=True, language=SPANISH) == (
        "intervalos de colas iguales (ETI) del 90\xa0%"
    )
    assert interval_words(eti, many=True) == "90% equal-tailed intervals"
    assert interval_short(hdi) == "94.5% HDI"


@pytest.mark.parametrize("verdict", ["ok", "warn", "not_converged"])
def test_sentences_about_a_run_are_spanish(
    make_run: MakeRun, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder.load(make_run(verdict=verdict))
    monkeypatch.setattr(language_module._catalogue("es"), "_fallback", None)
    spanish = describe_verdict(run, language=SPANISH)
    english = describe_verdict(run)
    assert spanish.failed == english.failed
    assert len(spanish.remedies) == len(english.remedies)
    for one, other in zip(
        (spanish.headline, spanish.explanation, *spanish.remedies),
        (english.headline, english.explanation, *english.remedies),
        strict=True,
    ):
        assert one != other
    found = summarise_parameters(run, language=SPANISH)
    assert [row.name for row in found] == [row.name for row in summarise_parameters(run)]
    assert all(
        row.meaning.startswith(("log-tasa", "dispersión", "ruido", "tamaño")) for row in found
    )
    methods = [error.method for error in score_level(run.entities, language=SPANISH)]
    assert methods == ["a posteriori", "EM", "proporcional"]


def test_every_family_is_described_in_spanish(nasty_run: Path) -> None:
    spec = RunFolder.load(nasty_run).spec
    for family, levels in LEVELS.items():
        for level in levels or (None,):
            likelihood = spec.likelihood.model_copy(update={"family": family, "level": level})
            changed = spec.model_copy(update={"likelihood": likelihood})
            noise, rates = describe_model(changed, language=SPANISH)
            assert " the " not in noise + rates
            assert "se acerca a las que comparten con ella type" in rates


def test_groups_are_named_in_one_sentence(nasty_run: Path) -> None:
    spec = RunFolder.load(nasty_run).spec
    rates = spec.rates.model_copy(
        update={"pooling": ("type",), "nested": ("channel", "format"), "covariates": "log(x)"}
    )
    changed = spec.model_copy(update={"rates": rates})
    assert (
        "towards those of its type and its format within channel and its covariates, and"
        in (describe_model(changed)[1])
    )
    assert (
        "comparten con ella type y format dentro de channel y covariables, y estas"
        in (describe_model(changed, language=SPANISH)[1])
    )


def test_checks_and_em_in_spanish() -> None:
    assert describe_check_name("max_rhat_shares", language=SPANISH)[0] == "Mayor R-hat de cuotas"
    assert describe_check_name("levels_p_value_<i>", language=SPANISH)[0].startswith(
        "Totales por <i> ("
    )
    check = Check(name="x", value=0.0123, threshold=1.01, comparison="<=", status="ok")
    assert describe_check(check, language=SPANISH) == ("0,0123", "como máximo 1,01")
    em = EMRecord(iterations=1200, relative_gap=3e-9, converged=True, n_zero=2)
    assert describe_em(em, 2000, language=SPANISH) == (
        "EM alcanzó el máximo certificado de la verosimilitud en 1.200 iteraciones (brecha "
        "relativa 3,0E−9); no da nada a 2 de 2.000 entidades."
    )
