"""The main job on real data that ships with the package, in a clone and in an installed wheel."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bayes_attrib
from bayes_attrib.inputs import DataSource
from bayes_attrib.spec import load_spec
from bayes_attrib.workflow.plan import FitPlan

_NAME = "coupon_campaigns"


@contextmanager
def demo_plan() -> Iterator[FitPlan]:
    """Yield the plan of the demo: coupon redemptions of 27 campaigns, pooled by campaign type.

    In a wheel, spec and tables lie inside the package; in a clone, in ``models/`` and ``data/``.
    """
    packaged = importlib.resources.files(bayes_attrib) / "packaged"
    with importlib.resources.as_file(packaged) as folder:
        if folder.is_dir():
            yield _plan(folder / f"{_NAME}.toml", folder / _NAME)
            return
    root = Path(bayes_attrib.__file__).parents[1]
    yield _plan(root / "models" / f"{_NAME}.toml", root / "data" / _NAME)


def _plan(spec: Path, data: Path) -> FitPlan:
    return FitPlan(spec=load_spec(spec), source=DataSource(folder=data))
