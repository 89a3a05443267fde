"""What a run is made from, and how an interrupted run finds it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayes_attrib.errors import RunFolderError
from bayes_attrib.inference.chain_store import write_atomically
from bayes_attrib.inputs import DataSource, Repair
from bayes_attrib.spec import ModelSpec

PLAN_FILE = "unfinished.json"
CHAINS_FOLDER = "chains"


@dataclass(frozen=True)
class FitPlan:
    """A spec, with everything that the command line changed in it, and the tables to fit it to.

    Attributes
    ----------
    spec : ModelSpec
        The model, overrides applied.
    source : DataSource
        Where the tables are.
    repairs : tuple of Repair
        Opt-in repairs of the tables.
    """

    spec: ModelSpec
    source: DataSource
    repairs: tuple[Repair, ...] = ()

    def save(self, run: Path, *, model: str | None = None) -> None:
        """Write the plan into a run folder, for as long as the run is not finished.

        Parameters
        ----------
        run : Path
            An open run folder.
        model : str, optional
            Whose model it is, where it is not the one of the spec.
        """
        files = {name: _absolute(path) for name, path in vars(self.source).items()}
        content: dict[str, Any] = {
            "spec": self.spec.model_dump(mode="json"),
            "source": files,
            "repairs": [str(repair) for repair in self.repairs],
        }
        if model is not None:
            content["model"] = model
        write_atomically(run / PLAN_FILE, json.dumps(content, indent=2).encode())

    @classmethod
    def load(cls, run: Path) -> FitPlan:
        """Read the plan of an interrupted run.

        Raises
        ------
        RunFolderError
            If the folder holds no unfinished run.
        """
        path = run / PLAN_FILE
        if not path.is_file():
            raise RunFolderError(
                f"{run} holds no unfinished run (no {PLAN_FILE}); a finished run needs no "
                "--resume, and a new one starts with: bayes-attrib fit SPEC DATA --out RUN"
            )
        content = json.loads(path.read_text(encoding="utf-8"))
        if "model" in content:
            raise RunFolderError(
                f"the run in {run} was begun with a model of the {content['model']}, which no file "
                "holds; go on from Python: bayes_attrib.fit_to_folder(plan, run, model=model)"
            )
        return cls(
            spec=ModelSpec.model_validate_json(json.dumps(content["spec"])),
            source=DataSource(**{name: _path(value) for name, value in content["source"].items()}),
            repairs=tuple(Repair(value) for value in content["repairs"]),
        )


def chain_plan(
    spec: ModelSpec,
    inputs: Mapping[str, str],
    repairs: tuple[Repair, ...],
    geometry: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what must be equal for two sets of chains to belong to one fit.

    Parameters
    ----------
    spec : ModelSpec
        The model, overrides applied.
    inputs : mapping of str to str
        SHA-256 of each table.
    repairs : tuple of Repair
        Opt-in repairs.
    geometry : mapping
        Parameterisation.

    Returns
    -------
    dict
        Plain JSON types.
    """
    return {
        "spec": spec.digest,
        "data": dict(inputs),
        "repairs": sorted(str(repair) for repair in repairs),
        "geometry": dict(geometry),
    }


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())


def _path(value: str | None) -> Path | None:
    return None if value is None else Path(value)
