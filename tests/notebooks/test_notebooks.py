"""Notebooks run from top to bottom; their claims are asserted in their own cells."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

PATHS = re.compile(r"(?<![\w.])/(?:home|root|tmp|work|Users|usr|opt)/\w")


def notebooks(root):
    return sorted((root / "notebooks").glob("*.ipynb"))


def outputs(notebook):
    for cell in notebook.cells:
        yield from cell.get("outputs", ())


def test_there_are_notebooks(root):
    numbers = [path.name[:3] for path in notebooks(root)]
    assert numbers == sorted(set(numbers))
    assert {"01_", "02_", "03_", "04_"} <= set(numbers)


def test_committed_notebooks_are_whole_and_clean(root):
    for path in notebooks(root):
        notebook = nbformat.read(path, as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
        assert [o for o in outputs(notebook) if o.output_type == "error"] == []
        assert [o for o in outputs(notebook) if o.get("name") == "stderr"] == []
        assert not PATHS.search(path.read_text(encoding="utf-8"))
        assert path.stat().st_size < 1_000_000


@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore:Proactor event loop:RuntimeWarning")
def test_notebooks_run(root):
    for path in notebooks(root):
        notebook = nbformat.read(path, as_version=4)
        assert sum("assert" in cell.source for cell in notebook.cells) >= 8
        client = NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
        )
        client.execute()
        assert [o.text for o in outputs(notebook) if o.get("name") == "stderr"] == []
