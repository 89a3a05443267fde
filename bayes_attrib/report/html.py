"""One self-contained page about a run: no network, readable without scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2
import pandas as pd
from markupsafe import Markup

from bayes_attrib import names
from bayes_attrib.errors import RunFolderError
from bayes_attrib.report import labels, narrative, numbers
from bayes_attrib.report.accuracy import MethodError, score_level
from bayes_attrib.report.forest import Forest, layout_forest
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.page.answer import find_answer
from bayes_attrib.report.page.contents import Contents, list_sections
from bayes_attrib.report.page.drawn import draw_sections
from bayes_attrib.report.page.draws import PageDraws
from bayes_attrib.report.page.drilldown import look_inside
from bayes_attrib.report.page.journeys import lay_out_journeys
from bayes_attrib.report.page.parameter_rows import lay_out_parameters
from bayes_attrib.report.page.script_words import script_words
from bayes_attrib.report.page.shrinkage import lay_out_shrinkage
from bayes_attrib.report.page.variance import lay_out_variance
from bayes_attrib.report.parameters import summarise_parameters
from bayes_attrib.report.reconciliation import METHODS, reconcile
from bayes_attrib.report.rolled_text import describe_rolled
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.structure import count_sharing
from bayes_attrib.report.tables import AmountTable, choose_format, tabulate_level

_TEMPLATES: Final = "templates"

_IDENTIFICATION: Final = frozenset({"indistinguishable-entities", "little-information"})
"""Findings about what the data cannot tell; the page repeats them among its limits."""


@dataclass(frozen=True, slots=True)
class LevelSection:
    """Everything that the page shows about one level."""

    level: str
    forest: Forest
    table: AmountTable
    errors: tuple[MethodError, ...]


def render_html(run: RunFolder, language: Language = ENGLISH) -> str:
    """Render the report of a run.

    Parameters
    ----------
    run : RunFolder
        The run; nothing is fitted. Amounts are drawn again from its posterior, where its files
        allow that; else the sections that need them are left out, and the page says so.
    language : Language
        Language of the reader.

    Returns
    -------
    str
        A whole HTML document. Equal runs give equal pages.
    """
    style, script = read_template("report.css"), read_template("report.js")
    return (
        page_environment()
        .get_template("report.html.j2")
        .render(
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            script_hash=_csp_hash(script),
            **_facts(run, language),
        )
    )


def _facts(run: RunFolder, language: Language) -> dict[str, Any]:
    """Everything that the template may name."""
    spec, manifest = run.spec, run.manifest
    amounts = choose_format(run, language=language)
    short = narrative.interval_short(spec.report.interval, language=language)
    words = narrative.interval_words(spec.report.interval, language=language)
    draws = _draws(run)
    drawn = draw_sections(run, draws, amounts)
    entity, *rollups = (
        _section(run, level, amounts, short, drawn.information_by_name)
        for level in (names.ENTITY, *run.levels)
    )
    is_rolled = run.manifest.rolled_forward is not None
    learns = not is_rolled and run.spec.likelihood.informs_rates
    shrinkage = lay_out_shrinkage(run, draws, amounts) if learns else None
    variance = lay_out_variance(run, amounts)
    journeys = lay_out_journeys(run, language)
    contents = Contents(
        rollups=bool(rollups),
        shrinkage=shrinkage is not None,
        comparison=drawn.comparison is not None,
        time=drawn.series is not None,
        information=drawn.information is not None,
        variance=variance is not None,
        journeys=journeys is not None,
        lift_tests=drawn.lift_tests is not None,
        truth=bool(entity.errors),
    )
    return {
        "run": run,
        "spec": spec,
        "manifest": manifest,
        "language": language,
        "title": spec.report.title or labels.title_of(spec.name),
        "verdict": run.diagnostics.verdict,
        "verdict_text": narrative.describe_verdict(run, language=language),
        "rolled": describe_rolled(run, language),
        "answer": find_answer(run, draws, amounts, words),
        "interval_words": words,
        "interval_many": narrative.interval_words(
            spec.report.interval, many=True, language=language
        ),
        "interval_short": short,
        "entity": entity,
        "rollups": rollups,
        "amounts": amounts,
        "drawn": drawn,
        "shrinkage": shrinkage,
        "variance": variance,
        "journeys": journeys,
        "inside": look_inside(run, draws, amounts),
        "sections": list_sections(contents, language),
        "script_words": script_words(language),
        "parameters": lay_out_parameters(
            run, summarise_parameters(run, language=language), language
        ),
        **_words(run, language),
        "facts": _manifest_facts(run, language),
    }


def _words(run: RunFolder, language: Language) -> dict[str, Any]:
    """Sums, and the sentences that depend on what the run contains."""
    spec, manifest = run.spec, run.manifest
    keys = spec.columns.aggregate
    cells = run.read_cells([*keys, names.EXPOSURE, *(column for _, column in METHODS)])
    return {
        "sums": reconcile(run, cells, language=language),
        "sharing": narrative.describe_sharing(count_sharing(cells, keys), language=language),
        "identification": [f for f in run.diagnostics.findings if f.code in _IDENTIFICATION],
        "model": narrative.describe_model(spec, manifest.model_variables, language=language),
        "em": narrative.describe_em(
            manifest.baselines.em, manifest.data.n_entities, language=language
        ),
        "checks": [
            (
                check,
                *labels.describe_check_name(check.name, language=language),
                *narrative.describe_check(check, language=language),
            )
            for check in run.diagnostics.checks
        ],
    }


def _draws(run: RunFolder) -> PageDraws | None:
    """Draw the amounts again; None for a run whose files do not hold what that needs."""
    try:
        return PageDraws.load(run)
    except RunFolderError:
        return None


def _manifest_facts(run: RunFolder, language: Language) -> list[tuple[str, str, Any]]:
    manifest = run.manifest
    groups: tuple[tuple[str, Mapping[str, Any]], ...] = (
        (language.text("setting"), {"method": manifest.method, "seed": manifest.seed}),
        (language.text("setting"), manifest.sampling),
        (language.text("geometry"), manifest.geometry),
        (language.text("version"), manifest.versions),
        (language.text("platform"), manifest.platform),
    )
    return [(what, key, value) for what, values in groups for key, value in _flat(values, language)]


def _flat(
    values: Mapping[str, Any], language: Language, prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested records, such as ``("groups.specialty", "centered")``."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, language, f"{prefix}{key}.")
        else:
            is_float = isinstance(value, float)
            yield prefix + key, numbers.shortest(value, language=language) if is_float else value


def _section(
    run: RunFolder, level: str, amounts: AmountFormat, short: str, information: pd.Series | None
) -> LevelSection:
    rows = run.level(level)
    known = information if level == names.ENTITY else None
    return LevelSection(
        level,
        layout_forest(rows, amounts, short),
        tabulate_level(run, level, amounts, short, information=known),
        score_level(rows, language=amounts.language),
    )


@cache
def page_environment() -> jinja2.Environment:
    """Return the Jinja environment of all pages: autoescaping, with the filters they share."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bayes_attrib.report", _TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}
    environment.filters |= {
        "printable": lambda text: labels.printable(str(text)),
        "significant": numbers.significant,
    }
    environment.globals["plural"] = numbers.plural
    return environment


def read_template(name: str) -> str:
    """Return the text of one of our own template files."""
    file = resources.files("bayes_attrib.report") / _TEMPLATES / name
    return file.read_text(encoding="utf-8")


def _csp_hash(script: str) -> str:
    """Hash by which the page's policy allows its own script, and no other."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
