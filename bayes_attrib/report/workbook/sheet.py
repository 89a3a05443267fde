"""One sheet, written from top to bottom: texts, then a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from bayes_attrib.report.language import Language
from bayes_attrib.report.workbook.cell_text import cell_text
from bayes_attrib.report.workbook.styles import Styles
from bayes_attrib.report.workbook.table import Column, Placement, letters_of

MAX_ROWS: Final = 1_048_576
"""Rows of a sheet of Office Open XML."""

_NARROWEST, _WIDEST = 11.0, 42.0
_LINE_HEIGHT = 13.5
_SAMPLE = 2000
_LONGEST_WRAPPED = 400


class Sheet:
    """Writes one sheet, row after row; what was written before cannot be changed.

    Parameters
    ----------
    worksheet : xlsxwriter.Worksheet
        An empty sheet.
    styles : Styles
        Cell styles.
    language : Language
        Language of the reader.
    footer : str
        Footer of printed pages, in the codes of Office Open XML.
    """

    def __init__(
        self, worksheet: Worksheet, styles: Styles, language: Language, footer: str
    ) -> None:
        self.row = 0
        self.language = language
        self._sheet, self._styles = worksheet, styles
        self._widths: list[float] = []
        worksheet.hide_gridlines(2)
        worksheet.set_landscape()
        worksheet.set_paper(9)  # A4
        worksheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        worksheet.fit_to_pages(1, 0)
        worksheet.set_footer(footer)

    @property
    def name(self) -> str:
        """Name of the sheet."""
        return str(self._sheet.get_name())

    def set_widths(self, widths: Sequence[float]) -> None:
        """Set the widths of the columns, in characters; notes are laid over all of them."""
        self._widths = list(widths)
        for i, width in enumerate(widths):
            self._sheet.set_column(i, i, width)

    def title(self, text: str) -> None:
        """Write the title of the sheet, which is one line."""
        self._write(0, text, self._styles["title"])
        self._sheet.set_row(self.row, 24)
        self.row += 1

    def section(self, text: str) -> None:
        """Write the title of a part, one empty line before it."""
        self.row += 1
        self._write(0, text, self._styles["section"])
        self.row += 1

    def note(self, text: str, style: str = "note") -> None:
        """Write a paragraph over the width of all columns, as high as it needs."""
        shown = cell_text(text)[0]
        per_line = max(20.0, sum(self._widths) * 0.98)
        lines = sum(max(1, math.ceil(len(line) / per_line)) for line in shown.split("\n"))
        self._sheet.set_row(self.row, min(409.0, _LINE_HEIGHT * lines + 2))
        last = len(self._widths) - 1
        if last > 0:
            self._sheet.merge_range(self.row, 0, self.row, last, "", self._styles[style])
        self._write(0, text, self._styles[style])
        self.row += 1

    def cells(self, cells: Mapping[int, tuple[str, Any]], *, height: float | None = None) -> None:
        """Write single cells of a row.

        Parameters
        ----------
        cells : mapping of int to tuple
            Style and value by column. A text is a text, whatever it holds; a formula is a pair of
            formula and result.
        height : float, optional
            Height of the row in points.
        """
        if height is not None:
            self._sheet.set_row(self.row, height)
        for column, (style, value) in cells.items():
            if isinstance(value, tuple):
                formula, result = value
                self._sheet.write_formula(self.row, column, formula, self._styles[style], result)
            elif isinstance(value, str):
                self._write(column, value, self._styles[style])
            else:
                self._number(column, value, self._styles[style])
        self.row += 1

    def table(self, columns: Sequence[Column], *, total: str = "", freeze: int = 0) -> Placement:
        """Write a table, with filters, a head that stays in view, and a row of totals.

        Parameters
        ----------
        columns : sequence of Column
            Columns of equal length.
        total : str
            Name of the row of totals; empty for a table without one.
        freeze : int
            Columns at the left that stay in view.

        Returns
        -------
        Placement
            Where it stands.
        """
        n_rows = len(columns[0].values)
        room = MAX_ROWS - self.row - 5  # two notes, head, what is not shown, and totals
        shown = min(n_rows, room)
        if shown < n_rows:
            self._say_what_is_missing(shown, n_rows)
        cut = self._body_texts(columns, shown)
        if any(cut.values()):
            self.note(
                self.language.text(
                    "Names of more than 32,767 characters are cut, and end in “…”; the run's "
                    "tables have them whole."
                )
            )
        self._head(columns, shown, freeze)
        placement = self._body(columns, shown, n_rows)
        if total:
            self._totals(columns, placement, total)
        return placement

    def print_on_one_page(self) -> None:
        """Print the sheet on one page."""
        self._sheet.fit_to_pages(1, 1)

    def mark_wrong(self, cells: str, *, value: str = "0") -> None:
        """Let cells stand out where they differ from a value."""
        self._sheet.conditional_format(
            cells, {"type": "cell", "criteria": "!=", "value": value, "format": self._styles.wrong}
        )

    def _say_what_is_missing(self, shown: int, n_rows: int) -> None:
        self.note(
            self.language.text(
                "A sheet holds no more than 1,048,576 rows. The first {shown} of {n} rows are "
                "shown, and the last line adds up the others; cells.parquet in the run folder has "
                "them all.",
                shown=self.language.number(shown),
                n=self.language.number(n_rows),
            ),
            "caution",
        )

    @staticmethod
    def _body_texts(columns: Sequence[Column], shown: int) -> dict[str, bool]:
        """Say of each column of texts whether one of them has to be cut."""
        return {
            column.key: any(cell_text(str(value))[1] for value in column.values[:shown])
            for column in columns
            if column.kind == "text"
        }

    def _head(self, columns: Sequence[Column], shown: int, freeze: int) -> None:
        last = len(columns) - 1
        for i, column in enumerate(columns):
            style = "head" if column.kind in {"text", "check"} else "head_number"
            self._write(i, column.head, self._styles[style])
        self._sheet.set_row(self.row, _LINE_HEIGHT * self._head_lines(columns) + 4)
        self._sheet.repeat_rows(self.row)
        self._sheet.autofilter(self.row, 0, self.row + max(1, shown), last)
        self.row += 1
        self._sheet.freeze_panes(self.row, freeze)

    def _head_lines(self, columns: Sequence[Column]) -> int:
        """Count lines of the head; the filter's button takes three characters."""
        return max(
            _lines(column.head, width - 3.0)
            for column, width in zip(columns, self._widths, strict=False)
        )

    def _body(self, columns: Sequence[Column], shown: int, n_rows: int) -> Placement:
        first, letters = self.row + 1, letters_of(columns)
        styles = [self._styles[column.kind] for column in columns]
        values = [_plain(column.values[:shown]) for column in columns]
        for offset in range(shown):
            for i, column in enumerate(columns):
                self._cell(i, column, values[i][offset], styles[i], letters)
            self.row += 1
        if shown < n_rows:
            self._rest(columns, shown)
        totals = {column.key: column.total() for column in columns if column.is_summed}
        return Placement(self.name, first, max(first, self.row), self.row + 1, letters, totals)

    def _cell(
        self, i: int, column: Column, value: Any, style: Format, letters: Mapping[str, str]
    ) -> None:
        if column.formula is not None:
            here = {key: f"{letter}{self.row + 1}" for key, letter in letters.items()}
            formula = "=" + column.formula.format(**here)
            self._sheet.write_formula(self.row, i, formula, style, value)
        elif column.kind == "text":
            wide = self._widths[i] < len(str(value)) <= _LONGEST_WRAPPED
            self._write(i, str(value), self._styles["wrapped"] if wide else style)
        else:
            self._number(i, value, style)

    def _rest(self, columns: Sequence[Column], shown: int) -> None:
        """Add up the rows that are not shown, so that the totals are those of all."""
        self._write(0, self.language.text("Rows that are not shown"), self._styles["strong"])
        for i, column in enumerate(columns):
            if column.is_summed:
                rest = np.sum(np.asarray(column.values[shown:], dtype=np.float64))
                self._number(i, float(rest), self._styles[column.kind])
        self.row += 1

    def _totals(self, columns: Sequence[Column], at: Placement, name: str) -> None:
        for i, column in enumerate(columns):
            if column.is_summed:
                letter, style = at.letters[column.key], self._styles[f"total_{column.kind}"]
                formula = f"=SUM({letter}{at.first}:{letter}{at.last})"
                self._sheet.write_formula(self.row, i, formula, style, at.totals[column.key])
            else:
                self._write(i, name if i == 0 else "", self._styles["total_text"])
        self.row += 1

    def _number(self, column: int, value: float, style: Format) -> None:
        if math.isfinite(value):
            self._sheet.write_number(self.row, column, value, style)
        else:
            self._sheet.write_blank(self.row, column, None, style)

    def _write(self, column: int, text: str, style: Format) -> None:
        """Write a text as a text, whatever it looks like."""
        shown = cell_text(text)[0]
        if not shown:
            self._sheet.write_blank(self.row, column, None, style)
        elif shown.startswith("<r>") and shown.endswith("</r>"):
            # XlsxWriter takes such a text for markup of its own, unless it is given in pieces.
            plain = self._styles["text"]
            self._sheet.write_rich_string(
                self.row, column, plain, shown[:1], plain, shown[1:], style
            )
        else:
            self._sheet.write_string(self.row, column, shown, style)


def widths_of(columns: Sequence[Column], formats: Mapping[str, int]) -> list[float]:
    """Choose widths that show every number, and names up to a length.

    Parameters
    ----------
    columns : sequence of Column
        Columns of a table.
    formats : mapping of str to int
        Characters that a kind of number needs beside its whole digits and their separators.

    Returns
    -------
    list of float
        Widths in characters.
    """
    return [
        column.width if column.width is not None else _width(column, formats.get(column.kind, 0))
        for column in columns
    ]


def _width(column: Column, extra: int) -> float:
    sample = column.values[:_SAMPLE]
    if column.kind in {"text", "check"}:
        longest = max((len(str(value)) for value in sample), default=0)
        return float(np.clip(max(longest, len(column.head) * 0.7) + 3, _NARROWEST, _WIDEST))
    numbers = np.abs(np.asarray(column.values, dtype=np.float64))
    largest = np.nanmax(numbers[np.isfinite(numbers)], initial=1.0)
    if column.is_summed:
        largest = max(largest, abs(column.total()))
    digits = math.floor(math.log10(max(1.0, largest))) + 1
    words = max((len(word) for word in column.head.split()), default=0)
    return float(np.clip(max(digits * 4 / 3 + extra + 2, words + 4), _NARROWEST, _WIDEST))


def _lines(text: str, width: float) -> int:
    """Count the lines that a text takes, broken at blanks."""
    lines, used = 1, 0.0
    for word in text.split():
        if used and used + 1 + len(word) > width:
            lines, used = lines + 1, 0.0
        used += len(word) + (1 if used else 0)
    return lines


def _plain(values: Any) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)
