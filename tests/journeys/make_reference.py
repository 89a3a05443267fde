"""Make ``reference.json``: credit of the same journeys by four independent packages.

Run it in an environment of its own, for none of them is a dependency of this project:
``pip install do-attribution==0.0.2 shapley-value==0.0.9 shapley-attribution==2.1.0
channelattribution==2.2.5 matplotlib``, then ``python make_reference.py``.

- do-attribution solves absorbing chains of any order in closed form (``redirect_to_null``).
- shapley-value averages what players add over all coalitions that are written down for it.
- shapley-attribution has the simplified Shapley value of the sum over journeys.
- ChannelAttribution simulates Markov chains, and has first, last and linear touch.
"""

import json
from importlib.metadata import version
from pathlib import Path

import ChannelAttribution
import numpy as np
import pandas as pd
from do_attribution import MarkovAttribution
from shapley_attribution import SimplifiedShapleyAttribution
from shapley_value import ShapleyCombinations

POINTS = ["Display", "Email", "Search", "Social", "Video"]
PACKAGES = ("do-attribution", "shapley-value", "shapley-attribution", "channelattribution")


def draw_paths(seed):
    """Draw distinct paths, each with its conversions and its journeys without one."""
    rng = np.random.default_rng(seed)
    pull = np.array([[4, 1, 2, 2, 1], [1, 2, 3, 1, 1], [1, 1, 2, 1, 1], [2, 1, 3, 3, 1], [1] * 5])
    found = {}
    for _ in range(3000):
        path = [rng.choice(5, p=[0.35, 0.1, 0.15, 0.25, 0.15])]
        while rng.random() < 0.65 and len(path) < 12:
            path.append(rng.choice(5, p=pull[path[-1]] / pull[path[-1]].sum()))
        chance = 0.08 + 0.25 * (path[-1] == 2) + 0.1 * (1 in path)
        converts = rng.random() < chance
        cell = found.setdefault(tuple(int(p) for p in path), [0, 0])
        cell[0 if converts else 1] += 1
    return sorted(found.items())


def markov(paths, order):
    words, conversions, weights = [], [], []
    for path, (yes, no) in paths:
        for flag, count in ((1, yes), (0, no)):
            if count:
                words.append(" > ".join(POINTS[p] for p in path))
                conversions.append(flag)
                weights.append(float(count))
    model = MarkovAttribution(order=order, removal_strategy="redirect_to_null")
    result = model.fit(words, conversions, weights=weights)
    effects = result["removal_effects"]
    return [float(effects[name]) for name in POINTS]


def shapley_of_rates(paths):
    worth = {}
    for mask in range(1, 32):
        inside = [c for path, c in paths if all((mask >> p) & 1 for p in path)]
        yes, journeys = sum(c[0] for c in inside), sum(map(sum, inside))
        members = tuple(sorted(POINTS[p] for p in range(5) if (mask >> p) & 1))
        worth[members] = yes / journeys if journeys else 0.0
    values = ShapleyCombinations(POINTS).calculate_shapley_values(worth)
    return [float(values[name]) for name in POINTS]


def shapley_of_totals(paths):
    journeys, counts = [], []
    for path, (yes, _) in paths:
        journeys += [[POINTS[p] for p in path]] * yes
        counts += [1] * yes
    model = SimplifiedShapleyAttribution(normalize=False)
    scores = model.fit(journeys, np.array(counts)).get_attribution()
    return [float(scores[name]) for name in POINTS]


def simulated(paths, order):
    table = as_table(paths)
    found = ChannelAttribution.markov_model(
        table, "path", "yes", var_null="no", order=order, nsim_start=2e6, nfold=10, conv_par=0.002,
        seed=1, verbose=False, flg_pro=False,
    )  # fmt: skip
    by_name = dict(zip(found["channel_name"], found["total_conversions"], strict=True))
    return [float(by_name[name]) for name in POINTS]


def heuristics(paths):
    found = ChannelAttribution.heuristic_models(as_table(paths), "path", "yes", flg_pro=False)
    found = found.set_index("channel_name").loc[POINTS]
    return {method: found[f"{method}_touch"].tolist() for method in ("first", "last", "linear")}


def as_table(paths):
    rows = [(" > ".join(POINTS[p] for p in path), *counts) for path, counts in paths]
    return pd.DataFrame(rows, columns=["path", "yes", "no"])


def main():
    """Write the file beside this script."""
    paths = draw_paths(3)
    content = {
        "versions": {package: version(package) for package in PACKAGES},
        "touchpoints": POINTS,
        "paths": [[path, *counts] for path, counts in paths],
        "removal_effects": {str(order): markov(paths, order) for order in (1, 2, 3)},
        "shapley_of_rates": shapley_of_rates(paths),
        "shapley_of_totals": shapley_of_totals(paths),
        "simulated_markov": {str(order): simulated(paths, order) for order in (1, 2, 3)},
        "heuristics": heuristics(paths),
    }
    text = json.dumps(content)
    (Path(__file__).parent / "reference.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
