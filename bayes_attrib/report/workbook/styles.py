"""Cell styles of the workbook, each made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format

from bayes_attrib.report.workbook.number_formats import NumberFormats

_HEAD: Final = {
    "bold": True,
    "text_wrap": True,
    "valign": "vcenter",
    "bg_color": "#E7ECF2",
    "bottom": 1,
}
_TOTAL: Final = {"bold": True, "top": 1, "bottom": 6}
_FONT: Final = {"font_name": "Calibri", "font_size": 10, "valign": "top"}

_STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "title": {"bold": True, "font_size": 16},
    "section": {"bold": True, "font_size": 12},
    "text": {},
    "strong": {"bold": True},
    "wrapped": {"text_wrap": True},
    "strong_wrapped": {"text_wrap": True, "bold": True},
    "note": {"text_wrap": True, "font_color": "#444444"},
    "alarm": {"text_wrap": True, "bold": True, "font_color": "#FFFFFF", "bg_color": "#C00000"},
    "caution": {"text_wrap": True, "bold": True, "bg_color": "#FFE699"},
    "head": _HEAD,
    "head_number": {**_HEAD, "align": "right"},
    "head_check": {**_HEAD, "align": "center"},
    "total_text": _TOTAL,
    "total_check": {**_TOTAL, "align": "center"},
    "field": {"border": 1, "text_wrap": True},
    "field_name": {"border": 1, "bold": True, "bg_color": "#E7ECF2"},
    "check": {"align": "center", "bold": True},
}

NUMBER_KINDS: Final = ("amount", "exact", "share", "rate", "exposure", "count")


class Styles:
    """Formats of a workbook by name.

    Parameters
    ----------
    workbook : xlsxwriter.Workbook
        The workbook.
    numbers : NumberFormats
        Number formats; each kind has a style of its name, and one for its total.
    """

    def __init__(self, workbook: Workbook, numbers: NumberFormats) -> None:
        self._formats = {
            name: workbook.add_format({**_FONT, **style}) for name, style in _STYLES.items()
        }
        for kind in NUMBER_KINDS:
            code = {"num_format": getattr(numbers, kind)}
            self._formats[kind] = workbook.add_format({**_FONT, **code})
            self._formats[f"total_{kind}"] = workbook.add_format({**_FONT, **_TOTAL, **code})
        self.wrong = workbook.add_format({"bg_color": "#C00000", "font_color": "#FFFFFF"})
        """How a check that does not hold stands out."""

    def __getitem__(self, name: str) -> Format:
        return self._formats[name]
