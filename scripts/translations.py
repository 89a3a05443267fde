"""Bring the catalogues of translations up to date with the sentences of the package.

Usage: python scripts/translations.py

Sentences are found without running anything, in Python and in templates: the first argument of
``text``, ``html`` and ``message``, and the two forms of ``plural``. New ones come in without a
translation, those that no code holds any more go out. Equal code gives equal files.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import jinja2
from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import nodes

PACKAGE: Final = Path(__file__).parents[1] / "bayes_attrib"
CATALOGUES: Final = PACKAGE / "report" / "locale"

SINGLE: Final = frozenset({"text", "html", "message"})
PLURAL: Final = "plural"

Message = str | tuple[str, str]

_HEADER: Final = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def python_messages(source: str) -> Iterator[tuple[int, Message]]:
    """Yield the sentences of a Python file, with their lines."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        texts = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
        for message in _sentences(name, texts):
            yield node.lineno, message


def template_messages(source: str) -> Iterator[tuple[int, Message]]:
    """Yield the sentences of a Jinja template, with their lines."""
    for node in jinja2.Environment(autoescape=True).parse(source).find_all(nodes.Call):
        name = node.node.attr if isinstance(node.node, nodes.Getattr) else ""
        name = node.node.name if isinstance(node.node, nodes.Name) else name
        texts = [arg.value if isinstance(arg, nodes.Const) else None for arg in node.args]
        for message in _sentences(name, texts):
            yield node.lineno, message


def _sentences(name: str, texts: list[object]) -> Iterator[Message]:
    if name in SINGLE and texts and isinstance(texts[0], str):
        yield texts[0]
    if name == PLURAL and len(texts) >= 3:
        one, many = texts[1:3]
        # Words beside their number, such as numbers.plural(n, "row"), are no sentences.
        if isinstance(one, str) and isinstance(many, str) and "{n}" in many:
            yield one, many


def package_messages() -> dict[Message, str]:
    """Return the sentences of the package, each with the place where it stands first."""
    found: dict[Message, str] = {}
    readers = {".py": python_messages, ".j2": template_messages}
    for file in sorted(PACKAGE.rglob("*")):
        if file.suffix in readers:
            for line, message in readers[file.suffix](file.read_text(encoding="utf-8")):
                found.setdefault(message, f"{file.relative_to(PACKAGE.parent)}:{line}")
    return found


def refreshed(text: str, language: str, messages: dict[Message, str]) -> tuple[str, list[Message]]:
    """Return a catalogue with the sentences of the package, and those not translated yet."""
    known = read_po(io.StringIO(text), locale=language)
    translated = {message.id: message.string for message in known if message.id}
    catalogue = Catalog(locale=language)
    missing = []
    for key in messages:
        kept = translated.get(key)
        filled = kept if isinstance(kept, str) else "".join(kept or ())
        if not filled:
            missing.append(key)
        catalogue.add(key, kept)
    out = io.BytesIO()
    write_po(out, catalogue, width=100, no_location=True, omit_header=True, sort_output=True)
    return _HEADER.format(language=language) + out.getvalue().decode("utf-8"), missing


def main() -> int:
    """Rewrite all catalogues; return 1 if a sentence has no translation yet."""
    messages, status = package_messages(), 0
    for file in sorted(CATALOGUES.glob("*.po")):
        text, missing = refreshed(file.read_text(encoding="utf-8"), file.stem, messages)
        file.write_text(text, encoding="utf-8")
        for key in missing:
            sys.stderr.write(f"{messages[key]}: not translated: {key!r}\n")
        status |= bool(missing)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
