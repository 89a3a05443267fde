"""Figures of a finished run, written to files: nothing is fitted again."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from bayes_attrib import names
from bayes_attrib.errors import BayesAttribError, UnknownNameError
from bayes_attrib.inference.chain_store import write_atomically
from bayes_attrib.report import RunFolder
from bayes_attrib.report.figures import FIGURES
from bayes_attrib.report.figures.theme import theme_of
from bayes_attrib.report.language import Language
from bayes_attrib.report.run_draws import RunDraws

FORMATS: Final[Mapping[str, Mapping[str, Any]]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Formats of files, with what matplotlib would write into them and that differs from day to day."""

_PRIOR_FIGURES: Final = ("prior_predictive",)


@dataclass(frozen=True)
class WrittenFigures:
    """Figures that were written, and those that were not.

    Attributes
    ----------
    files : tuple of Path
        Files, in the order of :data:`bayes_attrib.report.figures.FIGURES`.
    left_out : dict of str to str
        Figures that do not apply to the run, with the reason.
    """

    files: tuple[Path, ...]
    left_out: dict[str, str]


def write_figures(
    run: Path,
    out: Path,
    *,
    only: Iterable[str] = (),
    file_format: str = "png",
    locale: str | None = None,
    theme: str = "light",
    dpi: int = 150,
) -> WrittenFigures:
    """Draw the figures of a run and write each to a file of its name.

    Parameters
    ----------
    run : Path
        A finished run folder, or one of ``fit --prior-only``, which has only a figure of the prior.
    out : Path
        Folder for the files; made where it is missing. Figures of an earlier call are replaced.
    only : iterable of str
        Keys of :data:`bayes_attrib.report.figures.FIGURES`; all that apply where it is empty.
    file_format : {"png", "svg", "pdf"}
        Format of the files. Equal runs give equal files.
    locale : str, optional
        Language and forms of numbers, such as ``"es"``; that of the spec where it is not given.
    theme : {"light", "dark"}
        Colours.
    dpi : int
        Points per inch of a bitmap.

    Returns
    -------
    WrittenFigures
        Files, and why other figures do not apply.

    Raises
    ------
    UnknownNameError
        If there is no such figure, format or theme.
    RunFolderError
        If the folder holds no finished run.
    """
    wanted = _wanted(only, file_format)
    theme_of(theme)
    source, language = _open(run, locale)
    if isinstance(source, Path):
        absent = "the run holds draws from the priors alone (fit --prior-only)"
        left_out = {name: absent for name in wanted if name not in _PRIOR_FIGURES}
    else:
        left_out = {}
    out.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    draws: RunDraws | BayesAttribError | None = None
    for name in [name for name in wanted if name not in left_out]:
        try:
            if isinstance(source, RunFolder) and _needs_draws(name):
                draws = draws or _load_draws(source)
                if isinstance(draws, BayesAttribError):
                    raise draws
                figure = FIGURES[name](draws, language=language, theme=theme)
            else:
                figure = FIGURES[name](source, language=language, theme=theme)
        except BayesAttribError as error:
            left_out[name] = str(error)
            continue
        file = out / f"{name}.{file_format}"
        write_atomically(file, _rendered(figure, file_format, dpi))
        files.append(file)
    return WrittenFigures(tuple(files), left_out)


def _wanted(only: Iterable[str], file_format: str) -> list[str]:
    asked = set(only)
    unknown = sorted(asked - set(FIGURES))
    if unknown:
        raise UnknownNameError(
            f"there is no figure {', '.join(map(repr, unknown))}; "
            f"there is {', '.join(map(repr, FIGURES))}"
        )
    if file_format not in FORMATS:
        raise UnknownNameError(
            f"there is no format {file_format!r} of figures; "
            f"there is {', '.join(map(repr, FORMATS))}"
        )
    return [name for name in FIGURES if not asked or name in asked]


def _open(run: Path, locale: str | None) -> tuple[RunFolder | Path, Language]:
    if (run / names.PRIOR_TABLE_FILE).is_file():
        return run, Language(locale or "en")
    folder = RunFolder.load(run)
    return folder, Language(locale or folder.spec.report.locale)


def _needs_draws(name: str) -> bool:
    """Whether a figure is made from draws, which are then read once for all figures."""
    return name not in {"forest", "tie_out", "em_comparison"}


def _load_draws(run: RunFolder) -> RunDraws | BayesAttribError:
    try:
        return RunDraws.load(run)
    except BayesAttribError as error:
        return error


def _rendered(figure: Figure, file_format: str, dpi: int) -> bytes:
    content = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "bayes-attrib", "svg.fonttype": "path"}):
        figure.savefig(content, format=file_format, dpi=dpi, metadata=dict(FORMATS[file_format]))
    return content.getvalue()
