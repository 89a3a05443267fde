"""Make data/hcp_brick and data/mmm_to_mta with the package's own simulators.

Usage: ``python data/make_simulations.py [--out FOLDER]``, then ``python data/make_checksums.py``.
It is what ``bayes-attrib simulate SCENARIO --out FOLDER/SCENARIO --seed 1`` does.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bayes_attrib.simulation import SCENARIOS, simulate, write_tables

SEED = 1


def main() -> None:
    """Make one data folder per scenario, in place of what stands there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).parent,
        help="folder in which the data folders are made (default: the folder of this script)",
    )
    out = parser.parse_args().out
    for scenario in SCENARIOS:
        written = write_tables(simulate(scenario, seed=SEED), out / scenario, overwrite=True)
        print(*(str(path) for path in written.values()), sep="\n")


if __name__ == "__main__":
    main()
