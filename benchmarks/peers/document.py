"""docs/speed.md from the results; every figure in it is read from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peers.methods import METHODS
from peers.problem import HYPERPARAMETERS, SIZES
from peers.results import Results
from peers.targets import hyper_per_second, kinder_per_second, target_rows

SAMPLERS = ("naive", "stock", "stan", "nuts")
TEXT = Path(__file__).with_name("speed.md")


def write_document(results: Results, path: Path) -> None:
    """Write the document.

    Parameters
    ----------
    results : Results
        Measurements.
    path : Path
        File to write.
    """
    text = TEXT.read_text(encoding="utf-8")
    parts = {
        "machine": _machine(results),
        "sizes": _sizes(results),
        "densities": _densities(results),
        "agreement": _agreement(results),
        "samplers": _samplers(results),
        "growth": _growth(results),
        "lengths": _lengths(results),
        "errors": _errors(results),
        "points": _points(results),
        "commands": _commands(results),
        "targets": _table(("case", "figure", "target", "measured", "met"), target_rows(results)),
        "failures": _failures(results),
        "runs": _runs(results),
    }
    for name, part in parts.items():
        text = text.replace(f"<!-- {name} -->", part)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "Not measured."
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None, digits: int = 3) -> str:
    """Three digits without an exponent; a dash where there is no figure."""
    if value is None:
        return "–"
    text = f"{value:.{digits}g}"
    return f"{float(text):,.0f}" if abs(value) >= 100 else str(text)


def _of(found: dict[str, Any], *path: str) -> float | None:
    value: Any = found
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return None if value is None else float(value)


def _machine(results: Results) -> str:
    if not results.runs:
        return "Nothing was measured yet."
    last = results.runs[max(results.runs)]
    machine, versions = last["machine"], last["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"Machine: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gb']:.0f} GB, {machine['system']}, Python {machine['python']}; {named}; "
        "Stan through PyStan (`benchmarks/peers/requirements-stan.txt`)."
    )


def _failures(results: Results) -> str:
    rows = [[f"`{key}`", reason.replace("|", "/")] for key, reason in results.failures().items()]
    return f"\nNot measured:\n\n{_table(('method/size/round', 'why'), rows)}" if rows else ""


def _runs(results: Results) -> str:
    """Say which figures were measured together."""
    rows = []
    for run in sorted(results.runs):
        of_run = {k for k, v in results.measurements.items() if v["run"] == run}
        named = sorted({"/".join(key.split("/")[:2]) for key in of_run})
        rows.append([run, number(results.runs[run]["load"], 2), ", ".join(named)])
    return _table(("run started, UTC", "load before", "method/size"), rows)


def _sizes(results: Results) -> str:
    rows = []
    for size, (n_entities, n_aggregates) in SIZES.items():
        edges = results.figure("em", size, lambda f: f["edges"]) or results.figure(
            "nuts", size, lambda f: f["edges"]
        )
        if edges is not None:
            rows.append([size, f"{n_entities:,}", f"{n_aggregates:,}", f"{edges:,.0f}"])
    return _table(("size", "entities", "aggregates", "pairs"), rows)


def _densities(results: Results) -> str:
    rows = [
        [METHODS[name].label, f"{value:.0e}"]
        for found in results.rounds("agreement", "S").values()
        for name, value in found.get("spreads", {}).items()
    ]
    notes = [f.get("note", "") for f in results.rounds("agreement", "S").values()]
    said = "\n\n".join(note for note in notes if note)
    table = _table(("model", "range of differences over 20 points, nats"), rows)
    return f"{table}\n\n{said}" if said else table


def _agreement(results: Results) -> str:
    rows = []
    for size in ("S", "M", "L"):
        for name in SAMPLERS:
            for found in results.warm(name, size)[:1]:
                compared = found.get("compared")
                if compared is None:
                    continue
                scores = [compared["z_hyper"][key] for key in HYPERPARAMETERS]
                rows.append(
                    [
                        size,
                        METHODS[name].label,
                        number(compared["z_rates_rms"], 2),
                        number(compared["z_rates_worst"], 2),
                        number(compared["p_rates"], 2),
                        ", ".join(f"{z:+.1f}" for z in scores),
                        number(compared["least_size"]),
                    ]
                )
    head = ("size", "sampler", "rms z of rates", "largest", "p", "z of intercept and sds", "ESS")
    return _table(head, rows)


def _samplers(results: Results) -> str:
    rows = []
    for size in ("S", "M"):
        for name in SAMPLERS:
            rows += [
                [size, METHODS[name].label, *_sampler_figures(results, name, size, found)]
                for found in results.warm(name, size)[:1]
            ]
    return _table(
        (
            "size",
            "sampler",
            "settings",
            "sampling, s",
            "all, s",
            "first time, s",
            "memory, GB",
            "divergent",
            "least ESS, rates",
            "worst ESS above rates",
            "rates ESS/s, sampling",
            "rates ESS/s, all",
            "worst ESS/s above rates",
            "the same, intercept with mean effect",
        ),
        rows,
    )


def _sampler_figures(results: Results, name: str, size: str, found: dict[str, Any]) -> list[str]:
    def median(*path: str) -> float | None:
        return results.figure(name, size, lambda f: _of(f, *path) or 0.0)

    first_seconds = _of(results.first(name, size) or {}, "seconds", "total")
    built = results.figure("agreement", "S", lambda f: _of(f, "seconds", "stan_build") or 0.0)
    if name == "stan" and first_seconds is not None and built:
        first_seconds += built
    return [
        str(found["settings"]),
        number(median("seconds", "sampling")),
        number(median("seconds", "total")),
        number(first_seconds),
        number(median("peak_gb"), 2),
        number(median("divergences")),
        number(median("ess_rates_min")),
        number(
            results.figure(name, size, lambda f: min(f["ess_hyper"][h] for h in HYPERPARAMETERS))
        ),
        number(results.figure(name, size, lambda f: f["ess_rates_min"] / f["seconds"]["sampling"])),
        number(results.figure(name, size, lambda f: f["ess_rates_min"] / f["seconds"]["total"])),
        number(results.figure(name, size, hyper_per_second)),
        number(results.figure(name, size, kinder_per_second)),
    ]


def _growth(results: Results) -> str:
    names = (*SAMPLERS, "laplace", "laplace_stream", "advi", "pathfinder", "em", "nmf", "map")
    sizes = [size for size in SIZES if any(results.warm(name, size) for name in names)]
    rows = [
        [METHODS[name].label, *(_growth_cell(results, name, size) for size in sizes)]
        for name in names
        if any(results.warm(name, size) for size in sizes)
    ]
    return _table(("method", *sizes), rows)


def _lengths(results: Results) -> str:
    rows = [
        [size, str(found["settings"]), number(_of(found, "divergences"))]
        for size in SIZES
        for found in results.warm("nuts", size)[:1]
    ]
    return _table(("size", "draws", "divergent"), rows)


def _growth_cell(results: Results, name: str, size: str) -> str:
    seconds = results.figure(name, size, lambda f: f["seconds"]["total"])
    if seconds is None:
        return "–"
    peak = results.figure(name, size, lambda f: f["peak_gb"])
    least = results.figure(name, size, lambda f: _of(f, "ess_rates_min") or 0.0)
    size_said = f", ESS {number(least)}" if name in SAMPLERS else ""
    return f"{number(seconds)} s, {number(peak, 2)} GB{size_said}"


def _errors(results: Results) -> str:
    rows = []
    for name in ("laplace", "advi", "pathfinder"):
        for size in ("S", "M", "L"):
            for found in results.warm(name, size)[:1]:
                rows += _error_rows(name, size, found)
    return _table(
        (
            "method",
            "size",
            "rates, RMS error",
            "of it noise",
            "median sd ratio",
            "group shares, worst",
            "intercept and sds, worst",
        ),
        rows,
    )


def _error_rows(name: str, size: str, found: dict[str, Any]) -> list[list[str]]:
    compared = found.get("compared")
    if compared is None:
        return []
    worst = f"{compared['hyper_worst']:.2f} (`{compared['hyper_worst_name']}`)"
    figures = [f"{compared[k]:.3f}" for k in ("rates_rms", "noise", "sd_ratio", "shares_worst")]
    return [[METHODS[name].label, size, *figures, worst]]


def _points(results: Results) -> str:
    rows = []
    for name in ("em", "nmf", "map", "product"):
        for size in SIZES:
            for found in results.warm(name, size):
                others = {k: v for k, v in found["seconds"].items() if k != "total" and v}
                said = ", ".join(f"{key} {v:.3g} s" for key, v in others.items())
                total = number(found["seconds"]["total"])
                steps = number(_of(found, "iterations"))
                rows.append([METHODS[name].label, size, total, said, steps])
    return _table(("what", "size", "seconds", "beside it", "iterations"), rows)


def _commands(results: Results) -> str:
    rows = []
    for name in ("second_fit", "fresh_command", "whole_run"):
        for size in SIZES:
            for found in results.warm(name, size):
                others = {k: v for k, v in found["seconds"].items() if k != "total"}
                said = ", ".join(f"{key} {v:.3g} s" for key, v in others.items())
                total, peak = number(found["seconds"]["total"]), number(_of(found, "peak_gb"), 2)
                rows.append([METHODS[name].label, size, total, said, peak])
    return _table(("what", "size", "seconds", "beside it", "memory, GB"), rows)
