"""What is measured: each method at the sizes that it can do, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers.problem import make_problem


@dataclass(frozen=True)
class Task:
    """One measurement; ``folder`` keeps what is not a figure."""

    method: str
    size: str
    round: int
    folder: Path

    @property
    def key(self) -> str:
        """Name of the measurement in the results."""
        return f"{self.method}/{self.size}/{self.round}"

    @property
    def moments(self) -> Path:
        """File of means and sds."""
        return self.folder / "moments" / f"{self.key.replace('/', '-')}.npz"

    @property
    def reference(self) -> Path:
        """File of means and sds of the long run at this size; one for each data and model."""
        digest = make_problem(self.size).digest
        return self.folder / "references" / f"{self.size}-{digest}.npz"

    @property
    def scratch(self) -> Path:
        """Folder for files that are exchanged."""
        return self.folder / "scratch"

    @property
    def seed(self) -> int:
        """Seed of the round."""
        return 1 + self.round


@dataclass(frozen=True)
class Method:
    """How a method is measured.

    Attributes
    ----------
    label : str
        Name in tables and figure.
    run : callable
        Does it and returns the figures.
    rounds : mapping of str to int
        Sizes, and how often each is measured; the first time at S with empty caches.
    seconds : mapping of str to float
        What a measurement takes, roughly: it is left out where the budget is below.
    has_problem : bool
        Whether data are in memory from the start, rather than in files.
    """

    label: str
    run: Callable[[Task], dict[str, Any]]
    rounds: Mapping[str, int]
    seconds: Mapping[str, float]
    has_problem: bool = True


def _sampled(name: str) -> Callable[[Task], dict[str, Any]]:
    """Draws with effective sizes, by one of the samplers."""

    def run(task: Task) -> dict[str, Any]:
        from peers import naive, ours, pymc_peer, stan_peer, stock_sparse  # noqa: PLC0415
        from peers.measured import describe  # noqa: PLC0415

        problem = make_problem(task.size)
        if name == "stan":
            python = stan_peer.stan_python(task.folder / "stan")
            drawn = stan_peer.sample(problem, task.seed, python, task.scratch)
        elif name == "nuts":
            drawn = ours.nuts(problem, task.seed)
        else:
            build = {"naive": naive.build, "stock": stock_sparse.build}[name]
            drawn = pymc_peer.sample_peer(problem, build, task.seed)
        found = describe(drawn, problem, task.moments, sizes=True)
        return found | _compared(task, is_sampler=True)

    return run


def _approximated(name: str) -> Callable[[Task], dict[str, Any]]:
    """Independent draws, by one of the approximations."""

    def run(task: Task) -> dict[str, Any]:
        from peers import ours  # noqa: PLC0415
        from peers.measured import describe  # noqa: PLC0415

        problem = make_problem(task.size)
        drawn = getattr(ours, name)(problem, task.seed)
        found = describe(drawn, problem, task.moments, sizes=False)
        return found | _compared(task, is_sampler=False)

    return run


def _compared(task: Task, *, is_sampler: bool) -> dict[str, Any]:
    from peers.accuracy import agreement, errors  # noqa: PLC0415

    if not task.reference.exists():
        return {}
    compare = agreement if is_sampler else errors
    return {"compared": compare(task.moments, task.reference)}


def _reference(task: Task) -> dict[str, Any]:
    """Run NUTS long, unless that was done for the same data and model."""
    from peers import ours  # noqa: PLC0415
    from peers.measured import describe  # noqa: PLC0415

    problem = make_problem(task.size)
    drawn = ours.nuts(problem, 1000 + task.seed, reference=True)
    return describe(drawn, problem, task.reference, sizes=True)


def _agreement(task: Task) -> dict[str, Any]:
    """Hold log densities against each other, and build Stan's program on the way."""
    import time  # noqa: PLC0415

    from peers.agreement import spreads  # noqa: PLC0415
    from peers.stan_peer import StanMissingError, stan_python  # noqa: PLC0415

    start = time.perf_counter()
    try:
        python: Path | None = stan_python(task.folder / "stan")
    except StanMissingError as missing:
        python, note = None, str(missing)
    else:
        note = ""
    found, stan_seconds = spreads(make_problem(task.size), python, task.scratch)
    return {
        "seconds": {"total": time.perf_counter() - start, "stan_build": stan_seconds},
        "spreads": found,
        "note": note,
    }


def _point(name: str) -> Callable[[Task], dict[str, Any]]:
    def run(task: Task) -> dict[str, Any]:
        from peers import point_estimates  # noqa: PLC0415

        found: dict[str, Any] = getattr(point_estimates, name)(make_problem(task.size))
        return found

    return run


def _command(name: str) -> Callable[[Task], dict[str, Any]]:
    def run(task: Task) -> dict[str, Any]:
        from peers import commands  # noqa: PLC0415

        found: dict[str, Any] = getattr(commands, name)(task.size, task.seed)
        return found

    return run


def _stream(task: Task) -> dict[str, Any]:
    from peers.laplace_stream import laplace_stream  # noqa: PLC0415

    return laplace_stream(make_problem(task.size), task.seed)


_EVERY = {"toy": 1, "S": 1, "M": 1, "L": 1, "XL": 1}

METHODS: Mapping[str, Method] = {
    "agreement": Method("log densities", _agreement, {"toy": 1, "S": 1}, {"S": 90}),
    "reference": Method(
        "long NUTS", _reference, {"toy": 1, "S": 1, "M": 1, "L": 1}, {"S": 30, "M": 60, "L": 150}
    ),
    "naive": Method(
        "dense, centred (PyMC)", _sampled("naive"), {"toy": 1, "S": 3, "M": 1}, {"S": 20, "M": 110}
    ),
    "stock": Method(
        "stock sparse (PyMC)", _sampled("stock"), {"toy": 1, "S": 3, "M": 1}, {"S": 20, "M": 30}
    ),
    "stan": Method("Stan", _sampled("stan"), {"toy": 1, "S": 3, "M": 1}, {"S": 20, "M": 130}),
    "nuts": Method(
        "bayes_attrib, NUTS",
        _sampled("nuts"),
        {"toy": 1, "S": 3, "M": 1, "L": 1, "L2": 1},
        {"S": 15, "M": 25, "L": 90, "L2": 300},
    ),
    "laplace": Method(
        "bayes_attrib, Laplace",
        _approximated("laplace"),
        {"toy": 1, "S": 3, "M": 1, "L": 1},
        {"S": 8, "M": 15, "L": 40},
    ),
    "advi": Method(
        "bayes_attrib, ADVI",
        _approximated("advi"),
        {"toy": 1, "S": 1, "M": 1},
        {"S": 30, "M": 40},
    ),
    "pathfinder": Method(
        "bayes_attrib, Pathfinder", _approximated("pathfinder"), {"S": 1}, {"S": 60}
    ),
    "laplace_stream": Method("bayes_attrib, Laplace in blocks", _stream, {"XL": 1}, {"XL": 150}),
    "em": Method("bayes_attrib, EM", _point("em"), _EVERY, {"XL": 20}),
    "nmf": Method("scikit-learn, KL-NMF", _point("nmf"), {"toy": 1, "S": 1, "M": 1}, {"M": 20}),
    "map": Method("bayes_attrib, MAP", _point("mode"), _EVERY, {"XL": 60}),
    "product": Method("exposure @ rates", _point("product"), {"toy": 1, "L": 1, "XL": 1}, {}),
    "second_fit": Method(
        "second fit in one process", _command("second_fit"), {"S": 1}, {"S": 30}, has_problem=False
    ),
    "fresh_command": Method(
        "fresh command", _command("fresh_command"), {"S": 1}, {"S": 90}, has_problem=False
    ),
    "whole_run": Method(
        "whole run", _command("whole_run"), {"S": 1, "XL": 1}, {"XL": 300}, has_problem=False
    ),
}
