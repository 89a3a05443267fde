"""What docs/exposure.md shows is what the code computes."""

from __future__ import annotations

import dataclasses
import re
import tomllib

import pandas as pd
import pytest

from bayes_attrib.exposure import (
    ADSTOCKS,
    SATURATIONS,
    HillSaturation,
    build_exposures,
    carry_over,
    parse_transforms,
)
from bayes_attrib.spec import parse_spec


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs/exposure.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def example(page):
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    scope = {}
    exec(code, scope)  # noqa: S102, our own page
    return scope


def table_after(page, heading):
    """Cells of the first table below a heading, without its head."""
    rows = page.split(f"## {heading}\n")[1].split("\n|---")[1].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def exposures(example, semantics, delivery=None):
    return build_exposures(
        example["delivery"] if delivery is None else delivery,
        {"TV": example["tv"]},
        columns=example["DeliveryColumns"]("campaign", "channel", "week", "grps"),
        periods=[1, 2, 3, 4, 5, 6],
        semantics=semantics,
    )


def test_the_worked_example(page, example):
    weights = example["tv"].adstock.weights()
    carried = {
        "Brand": carry_over([100.0, 0, 40, 0, 0, 0], weights),
        "Sale": carry_over([0.0, 100, 0, 0, 0, 0], weights),
    }
    found = {
        semantics: exposures(example, semantics).set_index(["week", "campaign"])["exposure"]
        for semantics in ("own_curve", "channel_curve")
    }
    wanted = []
    for week in range(1, 6):
        row = [str(week), *(f"{carried[name][week - 1]:g}" for name in carried)]
        for series in found.values():
            row += [
                f"{series[week, name]:.3f}" if (week, name) in series.index else ""
                for name in carried
            ]
        wanted.append(row)
    assert table_after(page, "An example") == wanted
    assert all(series.index.get_level_values("week").max() == 5 for series in found.values())
    assert example["exposures"]["exposure"].tolist() == found["channel_curve"].tolist()


def test_the_figures_in_the_text(page, example):
    curve = HillSaturation(100.0, 2.0).of
    assert f"f(150) = {curve(150.0):.3f}".replace("= 0.", "= .") in page
    assert f"2 f(25) = {2 * curve(25.0):.3f}".replace("= 0.", "= .") in page
    halves = pd.concat(
        [
            example["delivery"].query("campaign == 'Sale'"),
            *(
                example["delivery"]
                .query("campaign == 'Brand'")
                .assign(campaign=name, grps=lambda table: table["grps"] / 2)
                for name in ("first", "second")
            ),
        ]
    )
    own = exposures(example, "own_curve", halves).query("week == 2 and campaign != 'Sale'")
    assert own["exposure"].sum() == pytest.approx(2 * curve(25.0), rel=1e-12)
    shared = exposures(example, "channel_curve", halves).query("week == 2")
    assert shared["exposure"].round(3).tolist() == pytest.approx([0.462, 0.115, 0.115])


@pytest.mark.parametrize(
    ("heading", "registry"), [("Adstock", ADSTOCKS), ("Saturation", SATURATIONS)]
)
def test_every_kind_is_listed_with_its_class_and_parameters(page, heading, registry):
    rows = table_after(page, heading)
    listed = {row[0].strip("`"): (row[1].strip("`"), row[2]) for row in rows}
    assert list(listed) == list(registry)
    for kind, cls in registry.items():
        names = [f.name for f in dataclasses.fields(cls) if f.name != "normalise"]
        assert listed[kind][0] == cls.__name__
        assert sorted(re.findall(r"\w+", listed[kind][1])) == sorted(names)


def test_the_toml_example_is_read(page):
    spec, text = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    loaded = parse_spec(f'schema_version = 1\nname = "page"\n{spec}')
    assert loaded.exposure.transforms["TV", "north"].scale == 800
    found = parse_transforms(tomllib.loads(text))
    assert list(found) == ["TV", ("TV", "north")]
    assert found["TV", "north"].adstock == dataclasses.replace(found["TV"].adstock, decay=0.6)
    assert (found["TV"].scale, found["TV", "north"].scale) == (120_000, 80_000)


def test_the_example_of_learned_transforms_is_read(root):
    page = (root / "docs/learned_transforms.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    head = 'schema_version = 1\nname = "page"\n[columns]\naggregate = ["channel", "week"]\n'
    spec = parse_spec(f'{head}entity = "campaign"\n{text}')
    labels = [parameter.label for parameter in spec.exposure.learned.parameters]
    assert labels == ["TV / decay", "TV / half_saturation"]
