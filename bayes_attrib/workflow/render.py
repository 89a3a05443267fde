"""Reports of a finished run, rendered from its files alone: nothing is fitted again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bayes_attrib import names
from bayes_attrib.errors import UnknownNameError
from bayes_attrib.inference.chain_store import write_atomically
from bayes_attrib.report import RunFolder, render_html
from bayes_attrib.report.brief import render_brief_html, render_brief_markdown
from bayes_attrib.report.language import Language

Rendered = Mapping[str, bytes]
"""Contents of files, by their names in the run folder."""


@dataclass(frozen=True)
class Format:
    """A kind of report.

    Attributes
    ----------
    render : callable
        From a run and a language to the contents of files.
    files : tuple of str
        Names of the files that it makes.
    needs_convergence : bool
        Whether it is withheld from a run that did not converge, unless that is waived.
    """

    render: Callable[[RunFolder, Language], Rendered]
    files: tuple[str, ...]
    needs_convergence: bool = False


def _page(run: RunFolder, language: Language) -> Rendered:
    return {names.REPORT_FILE: render_html(run, language).encode()}


def _workbook(run: RunFolder, language: Language) -> Rendered:
    from bayes_attrib.report.workbook import render_workbook  # noqa: PLC0415 - as it is asked for

    return {names.WORKBOOK_FILE: render_workbook(run, language)}


def _brief(run: RunFolder, language: Language) -> Rendered:
    return {
        names.BRIEF_PAGE_FILE: render_brief_html(run, language).encode(),
        names.BRIEF_TEXT_FILE: render_brief_markdown(run, language).encode(),
    }


FORMATS: Final[Mapping[str, Format]] = {
    "html": Format(_page, (names.REPORT_FILE,)),
    "brief": Format(_brief, (names.BRIEF_PAGE_FILE, names.BRIEF_TEXT_FILE)),
    "xlsx": Format(_workbook, (names.WORKBOOK_FILE,), needs_convergence=True),
}
"""What ``bayes-attrib report --format`` knows. To add a report, add a line."""


@dataclass(frozen=True)
class WrittenReports:
    """What was rendered, and what was not.

    Attributes
    ----------
    files : tuple of Path
        Files that were written.
    withheld : tuple of str
        Formats that were not written because the fit did not converge.
    """

    files: tuple[Path, ...]
    withheld: tuple[str, ...] = ()


def write_reports(
    run: Path,
    formats: Iterable[str] = ("html",),
    *,
    locale: str | None = None,
    allow_unconverged: bool = False,
) -> WrittenReports:
    """Render reports of a finished run into its folder.

    Parameters
    ----------
    run : Path
        A finished run folder.
    formats : iterable of str
        Keys of :data:`FORMATS`.
    locale : str, optional
        Language and forms of numbers, such as ``"es"``; that of the spec where it is not given.
    allow_unconverged : bool
        Whether reports for others' books are made from a fit that did not converge.

    Returns
    -------
    WrittenReports
        Files, and formats that were withheld.

    Raises
    ------
    RunFolderError
        If the folder holds no finished run.
    UnknownNameError
        If there is no such format.
    """
    wanted = list(dict.fromkeys(formats))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise UnknownNameError(
            f"there is no report format {', '.join(map(repr, unknown))}; "
            f"there is {', '.join(map(repr, FORMATS))}"
        )
    folder = RunFolder.load(run)
    language = Language(locale or folder.spec.report.locale)
    unusable = folder.diagnostics.verdict == "not_converged" and not allow_unconverged
    withheld = tuple(name for name in wanted if unusable and FORMATS[name].needs_convergence)
    files: list[Path] = []
    for name in wanted:
        if name in withheld:
            continue
        for file, content in FORMATS[name].render(folder, language).items():
            write_atomically(run / file, content)
            files.append(run / file)
    return WrittenReports(tuple(files), withheld)
