"""Every folder of broken inputs, against the exact message that its reader sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayes_attrib.errors import DataError, FindingsError, SpecError
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.spec import load_spec

BROKEN = Path(__file__).parents[1] / "broken"
FOLDERS = sorted(path.name for path in BROKEN.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", FOLDERS)
def test_message_is_exact(name):
    folder = BROKEN / name
    with pytest.raises(FindingsError) as caught:
        read_tables(load_spec(folder / "spec.toml"), DataSource(folder))
    assert f"{caught.value}\n" == (folder / "expected.txt").read_text(encoding="utf-8")
    assert isinstance(caught.value, SpecError if name.startswith("spec-") else DataError)


@pytest.mark.parametrize("name", FOLDERS)
def test_message_names_no_directory_and_every_error_has_a_remedy(name):
    text = (BROKEN / name / "expected.txt").read_text(encoding="utf-8")
    assert "broken" not in text
    assert text.count("\nerror [") == text.count("\n    remedy: ") > 0


def test_there_are_enough_of_both_kinds():
    specs = [name for name in FOLDERS if name.startswith("spec-")]
    assert len(specs) >= 12
    assert len(FOLDERS) - len(specs) >= 40
