"""Make the simulated data folders with the package's own simulators.

Usage: ``python data/make_simulations.py [--out FOLDER]``, then ``python data/make_checksums.py``.
It is what ``bayes-attrib simulate SCENARIO --out FOLDER/NAME --seed 1`` does, with the options
below as ``--set KEY=VALUE``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bayes_attrib.simulation import simulate, write_tables

SEED: Final = 1
FOLDERS: Final[Mapping[str, tuple[str, Mapping[str, object]]]] = {
    "hcp_brick": ("hcp_brick", {}),
    "hcp_brick_money": (
        "hcp_brick",
        {"family": "gamma", "phi": 120.0, "price": 60.0, "sigma_entity": 0.25, "n_periods": 6},
    ),
    "mmm_to_mta": ("mmm_to_mta", {}),
    "mmm_to_creatives": ("mmm_to_creatives", {}),
    "creative_nested": ("creative_nested", {}),
}
"""Scenario and options of each folder."""


def main() -> None:
    """Make the data folders, in place of what stands there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).parent,
        help="folder in which the data folders are made (default: the folder of this script)",
    )
    out = parser.parse_args().out
    for folder, (scenario, options) in FOLDERS.items():
        tables = simulate(scenario, seed=SEED, options=options)
        written = write_tables(tables, out / folder, overwrite=True)
        print(*(str(path) for path in written.values()), sep="\n")


if __name__ == "__main__":
    main()
