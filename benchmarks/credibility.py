"""Shares of campaigns below a mix model's channel, scored against known truth.

Run as ``python benchmarks/credibility.py --data FOLDER`` for pymc-marketing's example, whose files
are in the folder ``data`` of its source distribution (Apache-2.0; nothing of it is shipped here):

    pip download --no-deps --no-binary :all: pymc-marketing==1.3.0
    tar -xf pymc_marketing-1.3.0.tar.gz

and as ``python benchmarks/credibility.py --worlds`` for fresh worlds of the scenario
``user_goodwill``. Needs the extra ``mmm``. Results go to benchmarks/results/credibility.json, the
figure to docs/figures; worlds that are in the results already are not made again, so a run can be
interrupted. ``--write`` prints the tables of docs/credibility.md.

Every choice was made before the file of truth was opened and before a world of the evaluation was
made, on worlds of other seeds; they stand in ``below_channel`` and in docs/credibility.md, and were
committed before the first score:

- exposure: effective reach (``below_channel.reported``), from impressions, cumulative reach
  and overlap, with fatigue 4, memory 7 days and cross fatigue .25; carried over geometrically by
  the mix model's posterior mean, l_max 12, as the mix model does;
- totals: daily, family ``given``, that is they say nothing about rates; ``paired`` with the
  mix model's draws;
- rates: a covariate, log(clicks / reach), whose elasticity is Normal(.2, .2); no groups;
  sd of what is left of log rates HalfNormal(.4);
- interval: 94% highest density; point: mean of the draws of the share.

One comparison was declared with it: the same with family ``gamma``, which reads the totals as
observations.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from below_channel.cases import score_case, score_known_error
from below_channel.commands import fit_mix_models, split_channel
from below_channel.document import print_tables, write_figure
from below_channel.reported import (
    read_credibility,
    read_credibility_truth,
    reported_of_world,
    truth_of_world,
)
from below_channel.worlds import (
    DEVELOPMENT_SEEDS,
    EVALUATION_SEEDS,
    make_world,
    world_options,
)

ROOT = Path(__file__).parents[1]
WORK = ROOT / "runs" / "credibility"
RESULTS = ROOT / "benchmarks" / "results" / "credibility.json"
BATCH = 4
"""Worlds whose mix models are fitted in one process."""

FIGURE = ROOT / "docs" / "figures" / "credibility.png"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, help="folder data of pymc-marketing's sdist")
    parser.add_argument("--worlds", action="store_true", help="the worlds of the evaluation")
    parser.add_argument("--development", action="store_true", help="worlds of development")
    parser.add_argument("--at-most", type=float, default=1e9, help="seconds; then stop in between")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--write", action="store_true", help="print tables, write the figure")
    arguments = parser.parse_args()
    results = json.loads(arguments.results.read_text()) if arguments.results.exists() else {}
    if arguments.data is not None:
        results["credibility"] = credibility(arguments.data)
        _save(results, arguments.results)
    end = time.monotonic() + arguments.at_most
    asked = {"worlds": EVALUATION_SEEDS, "development": DEVELOPMENT_SEEDS}
    for name, seeds in asked.items():
        if not getattr(arguments, name):
            continue
        found = results.setdefault(name, {})
        left = [seed for seed in seeds if str(seed) not in found]
        for batch in (left[i : i + BATCH] for i in range(0, len(left), BATCH)):
            if time.monotonic() > end:
                break
            for seed, scored in worlds(batch):
                found[str(seed)] = scored
                _save(results, arguments.results)
                print(f"{name}: seed {seed} done", file=sys.stderr)
    if arguments.write:
        print_tables(results)
        write_figure(results, FIGURE)


def credibility(folder: Path) -> dict[str, Any]:
    """Fit and split everything first; only then open the truth."""
    reported = read_credibility(folder)
    work = WORK / "credibility"
    fit_mix_models({work: reported}, "notebook")
    split = split_channel(reported, work)
    other = WORK / "credibility_gamma"
    other.mkdir(parents=True, exist_ok=True)
    shutil.copy(work / "mix_model.nc", other / "mix_model.nc")
    observed = split_channel(reported, other, family="gamma")
    truth = read_credibility_truth(folder, reported)
    scored = score_case(reported, split, truth)
    of_gamma = score_case(reported, observed, truth)
    scored["scores"]["totals as observations (gamma)"] = of_gamma["scores"]["posterior"]
    return scored


def worlds(seeds: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Make worlds and fit their mix models; then split and score them one by one."""
    made = {seed: make_world(seed) for seed in seeds}
    reported = {seed: reported_of_world(world) for seed, world in made.items()}
    folders = {seed: WORK / f"world_{seed}" for seed in seeds}
    fit_mix_models({folders[seed]: reported[seed] for seed in seeds}, "world")
    for seed in seeds:
        split = split_channel(reported[seed], folders[seed])
        truth = truth_of_world(made[seed], reported[seed])
        scored = score_case(reported[seed], split, truth)
        known = score_known_error(split, truth, seed)
        yield seed, {"options": world_options(seed), **scored, "known_error": known}


def _save(results: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
