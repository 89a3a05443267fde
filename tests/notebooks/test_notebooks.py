"""Notebooks run, and what is committed is what a run in order leaves behind."""

from __future__ import annotations

import copy
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

ABSOLUTE_PATH = re.compile(
    r"""(?:^|[\s"'(=,:>])(?:~/|[A-Za-z]:\\(?!\\)|/[\w.+-]+/)""", flags=re.MULTILINE
)

by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    """Return the cells that a run counts: code that is not empty."""
    return [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]


def texts(cell):
    """Yield what a cell shows as text: its source and its outputs, but no images."""
    yield cell.source
    for output in cell.get("outputs", []):
        yield output.get("text", "")
        data = output.get("data", {})
        yield from (data[kind] for kind in data if kind.startswith("text/"))


def complaints(cell):
    """Return the errors and the warnings among a cell's outputs."""
    return [
        output.get("evalue") or output.get("text")
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def kinds(cell):
    """Return what kinds of output a cell has."""
    return [(o.output_type, *sorted(o.get("data", {}))) for o in cell.outputs]


def faults(notebook):
    """Return what a notebook should not be committed with."""
    cells = code_cells(notebook)
    found = [text for cell in cells for text in complaints(cell)]
    counts = [cell.execution_count for cell in cells]
    if counts != list(range(1, len(cells) + 1)):
        found.append(f"cells were not executed once each, in order: {counts}")
    for cell in notebook.cells:
        found += [m.group() for text in texts(cell) for m in ABSOLUTE_PATH.finditer(text)]
        if cell.metadata:
            found.append(f"metadata of cell {cell.id}: {dict(cell.metadata)}")
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        found.append("the kernel is not python3")
    if set(notebook.metadata) != {"kernelspec", "language_info"}:
        found.append(f"metadata of the notebook: {sorted(notebook.metadata)}")
    return found


# What is committed


def test_the_first_notebook_is_there():
    assert "01_hcp_brick" in [path.stem for path in NOTEBOOKS]


@by_name
def test_committed_as_executed_and_portable(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert faults(notebook) == []
    assert path.stat().st_size < 1_000_000


def plant_path_in_source(notebook):
    notebook.cells[1].source += '\nopen("/srv/someone/table.csv")'


def plant_path_in_output(notebook):
    code_cells(notebook)[0].outputs.append(
        nbformat.v4.new_output("stream", text="read C:\\Users\\someone")
    )


def plant_home_in_prose(notebook):
    notebook.cells[0].source += " See ~/runs."


def plant_disorder(notebook):
    code_cells(notebook)[2].execution_count += 1


def plant_unexecuted_cell(notebook):
    code_cells(notebook)[-1].execution_count = None


def plant_warning(notebook):
    code_cells(notebook)[0].outputs.append(
        nbformat.v4.new_output("stream", name="stderr", text="FutureWarning: soon")
    )


def plant_error(notebook):
    code_cells(notebook)[0].outputs.append(
        nbformat.v4.new_output("error", ename="ValueError", evalue="no")
    )


def plant_metadata(notebook):
    notebook.cells[0].metadata["collapsed"] = True


def plant_other_kernel(notebook):
    notebook.metadata.kernelspec.name = "mine"


@pytest.mark.parametrize(
    "plant",
    [
        plant_path_in_source,
        plant_path_in_output,
        plant_home_in_prose,
        plant_disorder,
        plant_unexecuted_cell,
        plant_warning,
        plant_error,
        plant_metadata,
        plant_other_kernel,
    ],
)
def test_a_planted_fault_is_found(plant):
    notebook = copy.deepcopy(read(NOTEBOOKS[0]))
    plant(notebook)
    assert len(faults(notebook)) == 1


# What a run makes of it


@pytest.mark.sampling
@by_name
def test_runs_and_its_own_assertions_hold(path, tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))  # nobody's own settings
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    for folder in ("models", "data"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    work = tmp_path / "notebooks"
    work.mkdir()
    committed = read(path)
    fresh = copy.deepcopy(committed)
    for cell in code_cells(fresh):
        cell.outputs, cell.execution_count = [], None

    run_in = {"metadata": {"path": str(work)}}
    NotebookClient(fresh, timeout=300, kernel_name="python3", resources=run_in).execute()

    for new, old in zip(code_cells(fresh), code_cells(committed), strict=True):
        assert complaints(new) == []
        assert kinds(new) == kinds(old), "the committed outputs are not of this source"
    assert list(work.iterdir()) == [], "a notebook leaves nothing behind"


def test_hcp_brick_shows_em_by_hand():
    notebook = read(ROOT / "notebooks" / "01_hcp_brick.ipynb")
    shown = [text for cell in code_cells(notebook) for text in list(texts(cell))[1:]]
    third_iteration = r"^3\s+42\.24\s+25\.88\s+25\.88\s+14\.24$"
    assert any(re.search(third_iteration, text, flags=re.MULTILINE) for text in shown)
