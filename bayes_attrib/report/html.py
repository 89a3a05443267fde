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
from markupsafe import Markup

from bayes_attrib import names
from bayes_attrib.report import labels, narrative, numbers
from bayes_attrib.report.accuracy import MethodError, score_level
from bayes_attrib.report.forest import Forest, layout_forest
from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.parameters import summarise_parameters
from bayes_attrib.report.reconciliation import METHODS, reconcile
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


def render_html(run: RunFolder) -> str:
    """Render the report of a run.

    Parameters
    ----------
    run : RunFolder
        The run; nothing is fitted or sampled.

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
            **_facts(run),
        )
    )


def _facts(run: RunFolder) -> dict[str, Any]:
    """Everything that the template may name."""
    spec, manifest = run.spec, run.manifest
    amounts = choose_format(run)
    keys = spec.columns.aggregate
    cells = run.read_cells([*keys, names.EXPOSURE, *(column for _, column in METHODS)])
    entity, *rollups = (_section(run, level, amounts) for level in (names.ENTITY, *run.levels))
    return {
        "run": run,
        "spec": spec,
        "manifest": manifest,
        "title": spec.report.title or labels.title_of(spec.name),
        "verdict": run.diagnostics.verdict,
        "verdict_text": narrative.describe_verdict(run),
        "answer": narrative.find_answer(run, amounts),
        "interval_words": narrative.interval_words(spec.report.interval),
        "interval_short": narrative.interval_short(spec.report.interval),
        "entity": entity,
        "rollups": rollups,
        "amounts": amounts,
        "sums": reconcile(run, cells),
        "sharing": narrative.describe_sharing(count_sharing(cells, keys)),
        "identification": [f for f in run.diagnostics.findings if f.code in _IDENTIFICATION],
        "model": narrative.describe_model(spec, manifest.model_variables),
        "em": narrative.describe_em(manifest.baselines.em, manifest.data.n_entities),
        "parameters": summarise_parameters(run),
        "facts": [
            (what, key, value)
            for what, values in (
                ("setting", {"method": manifest.method, "seed": manifest.seed}),
                ("setting", manifest.sampling),
                ("geometry", manifest.geometry),
                ("version", manifest.versions),
                ("platform", manifest.platform),
            )
            for key, value in _flat(values)
        ],
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested records, such as ``("groups.specialty", "centered")``."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, numbers.shortest(value) if isinstance(value, float) else value


def _section(run: RunFolder, level: str, amounts: AmountFormat) -> LevelSection:
    rows = run.level(level)
    short = narrative.interval_short(run.spec.report.interval)
    return LevelSection(
        level,
        layout_forest(rows, amounts, short),
        tabulate_level(run, level, amounts),
        score_level(rows),
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
    environment.filters |= {
        "printable": lambda text: labels.printable(str(text)),
        "moment": labels.moment,
        "significant": numbers.significant,
        "percent": numbers.percent,
        "check_name": labels.describe_check_name,
        "check_values": narrative.describe_check,
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
