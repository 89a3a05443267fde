"""Words and numbers in the language of the reader.

Every sentence that a reader sees goes through :class:`Language`. It is written in English in the
code, which is also its key in the catalogues ``locale/<language>.po``; values are filled in after
translation. Forms of numbers, currencies and dates are those of the Unicode CLDR, by Babel.
"""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, Final

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from markupsafe import Markup, escape

from bayes_attrib.report.characters import printable

SOURCE_LANGUAGE: Final = "en"
LANGUAGES: Final = (SOURCE_LANGUAGE, "es")
MISSING: Final = "–"
"""Stands where there is no number."""

_MOST_EXACT: Final = 1e15
"""In units of the last decimal: below, the shortest and the exact value of a double agree in it."""

# The CLDR keeps a currency that is written in letters apart from its number; Babel does not.
_LETTER_AT_DIGIT: Final = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")


@dataclass(frozen=True)
class Language:
    """A language with its forms of numbers.

    Attributes
    ----------
    locale : str
        Such as ``"en"``, ``"en_GB"`` or ``"es_MX"``.
    """

    locale: str = SOURCE_LANGUAGE

    @property
    def code(self) -> str:
        """Language without territory, for ``<html lang>`` and the catalogue."""
        return self.locale.partition("_")[0]

    def text(self, message: str, /, **values: Any) -> str:
        """Return a sentence in this language, with values filled in.

        Parameters
        ----------
        message : str
            English text with ``{name}`` for each value; its key in the catalogue.
        **values : str or int
            Values by name; numbers are formatted before.
        """
        return self.template(message).format(**values)

    def plural(self, n: int, one: str, many: str, /, **values: Any) -> str:
        """Return a sentence about ``n`` things; ``{n}`` is the number, with separators.

        Parameters
        ----------
        n : int
            How many.
        one, many : str
            English text for one, and for any other number.
        **values : str or int
            Other values by name.
        """
        return self.plural_template(n, one, many).format(n=self.number(n), **values)

    def html(self, message: str, /, **values: Any) -> Markup:
        """Return a sentence as HTML: text and values are escaped, values that are Markup are not.

        Parameters
        ----------
        message : str
            English text with ``{name}`` for each value.
        **values : str or Markup
            Values by name.
        """
        return Markup(escape(self.template(message))).format(**values)  # noqa: S704

    def template(self, message: str) -> str:
        """Return a sentence in this language, its placeholders still to be filled in."""
        return _catalogue(self.code).gettext(message)

    def plural_template(self, n: int, one: str, many: str) -> str:
        """Return the form of a sentence for ``n`` things, its placeholders to be filled in."""
        return _catalogue(self.code).ngettext(one, many, n)

    def number(self, value: float, decimals: int = 0) -> str:
        """Return a number with separators and so many decimals; a dash for NaN."""
        if not math.isfinite(value):
            return MISSING
        value = round(value, decimals) + 0.0  # no negative zero
        if abs(value) * 10.0**decimals < _MOST_EXACT:
            return _separators(self.locale).write(value, decimals)
        return _by_babel(value, decimals, self.locale)

    def significant(self, value: float, digits: int = 3) -> str:
        """Return a number with so many significant digits, whole numbers never shortened."""
        if not math.isfinite(value):
            return MISSING
        if value == round(value):
            return self.number(value)
        decimals = digits - 1 - math.floor(math.log10(abs(value)))
        if decimals > digits + 4:
            pattern = "0." + "0" * (digits - 1) + "E0"
            text = numbers.format_scientific(
                value, format=pattern, locale=self.locale, decimal_quantization=True
            )
            return text.replace("-", "−")
        return self.number(value, max(0, decimals))

    def percent(self, fraction: float, decimals: int = 1) -> str:
        """Return a fraction as a percentage."""
        if not math.isfinite(fraction):
            return MISSING
        pattern = Locale.parse(self.locale).percent_formats[None].pattern
        space = "\u00a0" if "\u00a0" in pattern else ""
        return f"{self.number(100 * fraction, decimals)}{space}%"

    def money(self, value: float, currency: str, decimals: int) -> str:
        """Return an amount with its currency, such as ``€1,200.50`` or ``1200,50 €``."""
        if not math.isfinite(value):
            return MISSING
        pattern = Locale.parse(self.locale).currency_formats["standard"].pattern.split(";")[0]
        pattern = pattern.replace("#,##0.00", _pattern(decimals))
        text = numbers.format_currency(
            round(value, decimals) + 0.0,
            currency,
            format=pattern,
            locale=self.locale,
            currency_digits=False,
            decimal_quantization=False,
        )
        return _LETTER_AT_DIGIT.sub("\u00a0", text).replace("-", "−")

    def moment(self, text: str) -> str:
        """Return an ISO time to the minute in this language; any other text as given."""
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            return printable(text)
        day = dates.format_date(time, format="medium", locale=self.locale)
        return f"{day} {time:%H:%M} {time.tzname() or ''}".strip()

    def join(self, items: list[str] | tuple[str, ...]) -> str:
        """Return names as a list in words: ``a, b and c``."""
        if len(items) < 2:
            return "".join(items)
        return self.text("{first} and {last}", first=", ".join(items[:-1]), last=items[-1])


@dataclass(frozen=True, slots=True)
class _Separators:
    """What a language puts between digits. Babel reads its patterns anew for every number."""

    decimal: str
    group: str
    grouped_from: float

    def write(self, value: float, decimals: int) -> str:
        """Write a number of at most so many decimals."""
        grouping = "," if abs(value) >= self.grouped_from else ""
        whole, _, fraction = f"{abs(value):{grouping}.{decimals}f}".partition(".")
        sign, point = "−" if value < 0 else "", self.decimal if fraction else ""
        return f"{sign}{whole.replace(',', self.group)}{point}{fraction}"


@cache
def _separators(locale: str) -> _Separators:
    """Learn the separators of a language from numbers that Babel writes."""
    group = numbers.get_group_symbol(locale)
    grouped = (n for n in (1_000, 10_000, 100_000) if group in _by_babel(n, 0, locale))
    return _Separators(numbers.get_decimal_symbol(locale), group, next(grouped, math.inf))


def _by_babel(value: float, decimals: int, locale: str) -> str:
    text = numbers.format_decimal(
        value, format=_pattern(decimals), locale=locale, decimal_quantization=False
    )
    return text.replace("-", "−")


def _pattern(decimals: int) -> str:
    return "#,##0" + ("." + "0" * decimals if decimals else "")


ENGLISH: Final = Language()
"""The language of the code, and of reports where no other is asked for."""


def message(text: str) -> str:
    """Mark a text that stands in a table of the code; :meth:`Language.text` translates it later."""
    return text


@cache
def _catalogue(code: str) -> NullTranslations:
    """Read a catalogue; English needs none."""
    if code == SOURCE_LANGUAGE:
        return NullTranslations()
    file = resources.files("bayes_attrib.report") / "locale" / f"{code}.po"
    compiled = io.BytesIO()
    with file.open("rb") as text:
        write_mo(compiled, read_po(text, locale=code))
    compiled.seek(0)
    return Translations(compiled)
