"""Where the summary is shown, a page or Markdown: sentences and names, made safe for it."""

from __future__ import annotations

import re
import string
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup, escape

from bayes_attrib.report.characters import printable, terminal_label
from bayes_attrib.report.language import Language

_FORMATTER: Final = string.Formatter()

# What has a meaning inside a line of Markdown, of the kind that GitHub and its kin read.
_SPECIAL: Final = re.compile(r"[\\`*_\[\]<>|~&$#@]|(?<=www)\.|:(?=//)", re.IGNORECASE)
_LINE_BREAKS: Final = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029"})


class MarkdownText(str):
    """Text that is Markdown already and is not to be escaped again."""

    __slots__ = ()


@dataclass(frozen=True)
class Medium(ABC):
    """Writes sentences; all text that it returns is safe to put into its medium.

    Attributes
    ----------
    language : Language
        Language of the reader.
    """

    language: Language

    def text(self, message: str, /, **values: str) -> str:
        """Return a sentence with its values; those that this medium wrote are not escaped again.

        Parameters
        ----------
        message : str
            English text with ``{name}`` for each value; its key in the catalogue.
        **values : str
            Values by name.
        """
        return self._fill(self.language.template(message), values)

    def plural(self, n: int, one: str, many: str, /, **values: str) -> str:
        """Return a sentence about ``n`` things; ``{n}`` is the number, with separators."""
        template = self.language.plural_template(n, one, many)
        return self._fill(template, {"n": self.language.number(n), **values})

    @abstractmethod
    def plain(self, text: str) -> str:
        """Return text that was made elsewhere, as it is to be read."""

    @abstractmethod
    def name(self, name: str) -> str:
        """Return a name of the user's, kept apart from the sentence around it."""

    @abstractmethod
    def strong(self, text: str) -> str:
        """Return text that stands out."""

    @abstractmethod
    def code(self, text: str) -> str:
        """Return a command or the name of a file, as it is typed; it holds no backticks."""

    def names(self, names: Iterable[str]) -> str:
        """Return names in a row, with commas between them."""
        return self.joined(", ", [self.name(name) for name in names])

    def sentences(self, *parts: str) -> str:
        """Return sentences one after the other; empty ones are left out."""
        return self.joined(" ", [part for part in parts if part])

    @abstractmethod
    def joined(self, between: str, parts: list[str]) -> str:
        """Return texts of this medium with something between them that needs no escaping."""

    @abstractmethod
    def _fill(self, template: str, values: dict[str, str]) -> str: ...


class HtmlMedium(Medium):
    """A page."""

    def plain(self, text: str) -> Markup:
        """Return text with what is markup to HTML escaped."""
        return escape(printable(text))

    def name(self, name: str) -> Markup:
        """Return a name whose direction of writing stays its own."""
        return Markup("<bdi>{}</bdi>").format(printable(name))

    def strong(self, text: str) -> Markup:
        """Return text in bold."""
        return Markup("<b>{}</b>").format(text)

    def code(self, text: str) -> Markup:
        """Return text in a fixed-width font."""
        return Markup("<code>{}</code>").format(text)

    def _fill(self, template: str, values: dict[str, str]) -> Markup:
        return escape(template).format(**values)

    def joined(self, between: str, parts: list[str]) -> Markup:
        """Return texts with something between them; what is not HTML is escaped."""
        return Markup(between).join(parts)  # noqa: S704 - our own text


class MarkdownMedium(Medium):
    """Markdown, to paste into slides and documents."""

    def plain(self, text: str) -> MarkdownText:
        """Return text with what is markup to Markdown or to HTML escaped."""
        return _escaped(text)

    def name(self, name: str) -> MarkdownText:
        """Return a name; marks that turn the direction of a line are shown, not obeyed."""
        return _escaped(terminal_label(name))

    def strong(self, text: str) -> MarkdownText:
        """Return text in bold."""
        return MarkdownText(f"**{_safe(text)}**")

    def code(self, text: str) -> MarkdownText:
        """Return text between backticks."""
        return MarkdownText(f"`{text}`")

    def _fill(self, template: str, values: dict[str, Any]) -> MarkdownText:
        parts = (
            _escaped(literal) + (_safe(values[field]) if field is not None else "")
            for literal, field, _, _ in _FORMATTER.parse(template)
        )
        return MarkdownText("".join(parts))

    def joined(self, between: str, parts: list[str]) -> MarkdownText:
        """Return texts with something between them; what is not Markdown is escaped."""
        return MarkdownText(between.join(_safe(part) for part in parts))


def _safe(text: str) -> MarkdownText:
    return text if isinstance(text, MarkdownText) else _escaped(text)


def _escaped(text: str) -> MarkdownText:
    shown = printable(text).translate(_LINE_BREAKS)
    return MarkdownText(_SPECIAL.sub(lambda found: f"\\{found[0]}", shown))
