"""The workbook as a file: sheets in their order, the same bytes for the same run."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

import numpy as np
from xlsxwriter import Workbook

from bayes_attrib.report import labels
from bayes_attrib.report.language import Language
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.workbook.cell_text import sheet_name
from bayes_attrib.report.workbook.ledger import decimals_of
from bayes_attrib.report.workbook.number_formats import NumberFormats
from bayes_attrib.report.workbook.sheet import Sheet, widths_of
from bayes_attrib.report.workbook.styles import Styles
from bayes_attrib.report.workbook.table import Column

_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

_EPOCH: Final = datetime(1980, 1, 1, tzinfo=UTC)
_STAMP: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Book:
    """A workbook that is being written.

    Attributes
    ----------
    run : RunFolder
        The run that it reports.
    language : Language
        Language of the reader.
    decimals : int
        Decimals of booked amounts.
    """

    run: RunFolder
    language: Language
    decimals: int
    _file: io.BytesIO
    _workbook: Workbook
    _styles: Styles
    _numbers: NumberFormats

    @classmethod
    def open(cls, run: RunFolder, language: Language) -> Self:
        """Start a workbook about a run."""
        file, decimals = io.BytesIO(), decimals_of(run)
        workbook = Workbook(file, _OPTIONS)
        rates = run.entities["rate_mean"].to_numpy(dtype=np.float64)
        numbers = NumberFormats.choose(language, run.spec.report.currency, decimals, rates)
        book = cls(run, language, decimals, file, workbook, Styles(workbook, numbers), numbers)
        book._set_properties()
        return book

    @property
    def title(self) -> str:
        """Title of the run."""
        return self.run.spec.report.title or labels.title_of(self.run.spec.name)

    @property
    def unit(self) -> str:
        """Currency, or name of the column of totals."""
        return self.run.spec.report.currency or self.run.spec.columns.total

    def sheet(self, name: str) -> Sheet:
        """Add a sheet after the others; its name is made fit for one."""
        taken = [sheet.get_name() for sheet in self._workbook.worksheets()]
        text, digest = self.language.text, self.run.manifest.spec_digest
        left = text("{name}, digest {digest}", name=self.run.spec.name, digest=digest[:16])
        right = text("page {page} of {pages}", page="@P", pages="@N").replace("@", "&")
        footer = f"&L&8{left.replace('&', '&&')}&C&8&A&R&8{right}"
        worksheet = self._workbook.add_worksheet(sheet_name(name, taken))
        return Sheet(worksheet, self._styles, self.language, footer)

    def widths(self, columns: Sequence[Column]) -> list[float]:
        """Choose the widths of the columns of a table."""
        extra = {
            kind: len(re.sub(r'[#0,\\"\[\]$]', "", getattr(self._numbers, kind))) + decimals
            for kind, decimals in {
                kind: getattr(self._numbers, kind).count("0") - 1
                for kind in ("amount", "exact", "share", "rate", "exposure", "count")
            }.items()
        }
        return widths_of(columns, extra)

    def close(self) -> bytes:
        """Finish the workbook and return its bytes, which hold no time but the run's."""
        self._workbook.close()
        return _without_times(self._file)

    def _set_properties(self) -> None:
        manifest, text = self.run.manifest, self.language.text
        self._workbook.set_properties(
            {
                "title": labels.printable(self.title),
                "subject": text("Attribution of totals, with tie-out"),
                "category": text("Finance report"),
                "comments": text(
                    "Made from the run {name} of {end}; spec digest {digest}; seed {seed}.",
                    name=manifest.name,
                    end=labels.moment(manifest.ended),
                    digest=manifest.spec_digest,
                    seed=manifest.seed,
                ),
                "created": _moment(manifest.ended),
            }
        )


def _moment(text: str) -> datetime:
    """Return when the run ended, by universal time; an epoch where that is unknown."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return _EPOCH
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _without_times(file: io.BytesIO) -> bytes:
    """Pack again: times and permissions of temporary files are no part of a report."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(file) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for found in source.infolist():
            entry = zipfile.ZipInfo(found.filename, _STAMP)
            entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, found.file_size
            with source.open(found) as whole, target.open(entry, "w") as part:
                shutil.copyfileobj(whole, part, 1 << 20)
    return packed.getvalue()
