"""What is installed is what was locked, and a wheel carries its demo away from the clone."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest
from packaging.requirements import Requirement


def pinned(root, name):
    text = (root / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.replace("\\\n", " "))
    found = {}
    for entry in filter(None, map(str.strip, entries)):
        requirement, *hashes = entry.split(" --hash=")
        assert hashes, f"{requirement} has no hash"
        parsed = Requirement(requirement)
        if parsed.marker is None or parsed.marker.evaluate():
            (specifier,) = parsed.specifier
            found[parsed.name] = specifier.version
    return found


def declared(root, *extras):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"]]
    for extra in extras:
        texts += project["optional-dependencies"][extra]
    return [r for r in map(Requirement, texts) if r.name != project["name"]]


@pytest.mark.parametrize(
    ("lock", "extras"), [("runtime", ["build"]), ("dev", ["build", "notebooks", "dev"])]
)
def test_lock_satisfies_what_the_project_declares(root, lock, extras):
    versions = pinned(root, lock)
    for requirement in declared(root, *extras):
        assert requirement.name in versions, f"{requirement} is not locked"
        assert requirement.specifier.contains(versions[requirement.name]), str(requirement)


def test_developers_run_what_users_run(root):
    runtime, dev = pinned(root, "runtime"), pinned(root, "dev")
    assert {name: dev.get(name) for name in runtime} == runtime


@pytest.mark.parametrize("lock", ["runtime", "dev"])
def test_lock_records_no_place_of_download(root, lock):
    assert "://" not in (root / "requirements" / f"{lock}.txt").read_text()


def test_wheel_carries_spec_and_data_of_the_demo(root, tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        "from bayes_attrib.demo import demo_plan\nfrom bayes_attrib.inputs import read_tables\n"
        "with demo_plan() as plan:\n"
        "    tables = read_tables(plan.spec, plan.source)\n"
        "    print(plan.source.folder.parent.name, tables.data.grand_total)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.split() == ["packaged", "2102.0"]
