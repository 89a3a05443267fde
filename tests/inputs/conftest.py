from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bayes_attrib.inputs import DataSource, Repair, TablesRead, read_tables
from bayes_attrib.spec import ModelSpec, parse_spec

SPEC = """
schema_version = 1
name = "hcp_brick"

[columns]
aggregate = ["brick_id"]
entity = "hcp_id"
total = "units"
exposure = "visits"
"""
AGGREGATES = "brick_id,units\nB1,12\nB2,7\nB3,0\n"
EXPOSURES = "brick_id,hcp_id,visits\nB1,H1,3\nB1,H2,1\nB2,H2,2\nB2,H3,2.5\nB3,H3,1\n"
ENTITIES = "hcp_id,specialty\nH3,CARDIO\nH2,GP\nH1,GP\n"

Reader = Callable[..., TablesRead]


@pytest.fixture
def spec_of() -> Callable[..., ModelSpec]:
    """Build the spec of the tiny data set, with sections added."""

    def build(*, pooling: bool = False, family: str = "poisson", amount: bool = False) -> ModelSpec:
        text = SPEC + ('amount = "units_true"\n' if amount else "")
        text += f'\n[likelihood]\nfamily = "{family}"\n'
        text += '\n[rates]\npooling = ["specialty"]\n' if pooling else ""
        return parse_spec(text)

    return build


@pytest.fixture
def read(tmp_path: Path, spec_of: Callable[..., ModelSpec]) -> Reader:
    """Write tables as CSV into a folder and read them."""

    def write_and_read(
        *,
        aggregates: str | bytes = AGGREGATES,
        exposures: str | bytes = EXPOSURES,
        entities: str | bytes | None = None,
        repairs: tuple[Repair, ...] = (),
        spec: ModelSpec | None = None,
        **options: object,
    ) -> TablesRead:
        tables = {"aggregates": aggregates, "exposures": exposures, "entities": entities}
        for stem, content in tables.items():
            if content is not None:
                raw = content.encode() if isinstance(content, str) else content
                (tmp_path / f"{stem}.csv").write_bytes(raw)
        return read_tables(spec or spec_of(**options), DataSource(tmp_path), repairs=repairs)

    return write_and_read
