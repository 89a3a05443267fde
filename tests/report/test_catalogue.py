"""Every sentence of the package is translated, with its values, and nothing else is."""

from __future__ import annotations

import ast
import importlib.util
import string
import sys
from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po

from bayes_attrib.report import RunFolder
from bayes_attrib.report import language as language_module
from bayes_attrib.report.language import LANGUAGES, SOURCE_LANGUAGE, Language
from bayes_attrib.workflow.render import FORMATS

ROOT = Path(__file__).parents[2]
FORMATTER = string.Formatter()
TRANSLATED = [code for code in LANGUAGES if code != SOURCE_LANGUAGE]


@pytest.fixture(scope="module")
def translations() -> Iterator[ModuleType]:
    """The script that extracts sentences and refreshes catalogues."""
    spec = importlib.util.spec_from_file_location(
        "translations", ROOT / "scripts" / "translations.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["translations"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["translations"]


def _catalogue(translations: ModuleType, code: str) -> Catalog:
    with (translations.CATALOGUES / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code)


def _forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


def _fields(text: str) -> set[str]:
    return {field for _, field, _, _ in FORMATTER.parse(text) if field is not None}


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_sentence_is_translated(translations: ModuleType, code: str) -> None:
    known = {message.id: message.string for message in _catalogue(translations, code) if message.id}
    found = translations.package_messages()
    assert len(found) > 100
    lacking = {
        where: sentence
        for sentence, where in found.items()
        if not all(_forms(known.get(sentence, "")))
    }
    assert not lacking, "run `make translations`, then fill in what is empty"


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_translation_is_without_its_sentence(translations: ModuleType, code: str) -> None:
    known = {message.id for message in _catalogue(translations, code) if message.id}
    dead = known - set(translations.package_messages())
    assert not dead, "run `make translations`"


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_name_the_same_values(translations: ModuleType, code: str) -> None:
    for message in _catalogue(translations, code):
        if message.id:
            wanted = [_fields(form) for form in _forms(message.id)]
            assert [_fields(form) for form in _forms(message.string)] == wanted, message.id
            assert not message.fuzzy


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_end_like_their_sentences(translations: ModuleType, code: str) -> None:
    for message in _catalogue(translations, code):
        if not message.id:  # the header
            continue
        for sentence, translated in zip(_forms(message.id), _forms(message.string), strict=True):
            assert translated.strip() == translated
            if sentence[-1:] in ".:?":
                assert translated[-1:] == sentence[-1:], sentence
            if code == "es":
                assert ("¿" in translated) == ("?" in sentence), sentence


@pytest.mark.parametrize("code", TRANSLATED)
def test_catalogues_are_as_the_script_writes_them(translations: ModuleType, code: str) -> None:
    file = translations.CATALOGUES / f"{code}.po"
    written = file.read_text(encoding="utf-8")
    again, missing = translations.refreshed(written, code, translations.package_messages())
    assert again == written
    assert not missing
    assert "POT-Creation-Date" not in written
    assert "#:" not in written
    assert str(ROOT) not in written


def test_new_sentences_come_in_and_dead_ones_go_out(translations: ModuleType) -> None:
    kept, new, dead = "{n} of {all}", ("{n} new", "{n} new ones"), "no code holds this"
    old = f'msgid "{kept}"\nmsgstr "{{n}} de {{all}}"\n\nmsgid "{dead}"\nmsgstr "muerto"\n'
    text, missing = translations.refreshed(old, "es", {kept: "a.py:1", new: "a.py:2"})
    assert missing == [new]
    assert "{n} de {all}" in text
    assert 'msgid_plural "{n} new ones"' in text
    assert dead not in text


def test_sentences_are_found_in_python(translations: ModuleType) -> None:
    source = """
TABLE = {"a": message("marked")}
language.text("outer {x}", x=medium.text("inner"))
text("two " "parts")
language.plural(n, "{n} row", "{n} rows")
numbers.plural(n, "row", "rows")
axes.text(0.1, 0.2, "a mark")
language.html(variable)
"""
    found = [message for _, message in translations.python_messages(source)]
    sentences = ["marked", "outer {x}", "inner", "two parts", ("{n} row", "{n} rows")]
    assert sorted(found, key=str) == sorted(sentences, key=str)


def test_sentences_are_found_in_templates(translations: ModuleType) -> None:
    source = (
        '{% if x %}<p title="{{ language.text("in an attribute") }}">'
        '{{ language.html("a {b}", b=name(language.text("c"))) }}'
        '{{ language.plural(n, "{n} row", "{n} rows") }}</p>{% endif %}'
    )
    found = [message for _, message in translations.template_messages(source)]
    sentences = ["a {b}", "c", "in an attribute", ("{n} row", "{n} rows")]
    assert sorted(found, key=str) == sorted(sentences, key=str)


def _is_glued(text: ast.expr) -> bool:
    parts = [part.value for part in ast.walk(text) if isinstance(part, ast.Constant)]
    return isinstance(text, ast.JoinedStr | ast.BinOp) and any(isinstance(p, str) for p in parts)


def test_no_sentence_is_glued_together(translations: ModuleType) -> None:
    glued = []
    for file in sorted(translations.PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            texts = node.args[1:3] if name == translations.PLURAL else node.args[:1]
            known = name in {*translations.SINGLE, translations.PLURAL}
            if known and any(map(_is_glued, texts)):
                glued.append(f"{file.relative_to(translations.PACKAGE)}:{node.lineno}")
    assert not glued, "a sentence is a literal with {placeholders}, or no catalogue can hold it"


class _Complain(NullTranslations):
    """Stands behind a catalogue and collects what it does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.unknown: set[str] = set()

    def gettext(self, message: str) -> str:
        self.unknown.add(message)
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.unknown.add(msgid1)
        return msgid1 if n == 1 else msgid2


@pytest.mark.parametrize("verdict", ["ok", "not_converged"])
def test_no_report_asks_for_what_the_catalogue_does_not_hold(
    make_run: object, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(make_run)
    run = RunFolder.load(make_run(verdict=verdict, family="negative_binomial"))
    complain = _Complain()
    monkeypatch.setattr(language_module._catalogue("es"), "_fallback", complain)
    for kind in ("html", "brief"):
        FORMATS[kind].render(run, Language("es"))
    assert complain.unknown == set()
    assert Language("es").text("not in any catalogue") == "not in any catalogue"
    assert complain.unknown == {"not in any catalogue"}
