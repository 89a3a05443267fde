"""Write components.json: adstocks and saturations as PyMC-Marketing's own classes compute them.

The tests do not need pymc-marketing; this script does. To make the file again, in an environment
of its own:

    pip install pymc-marketing==1.3.0
    python tests/mmm/make_components.py
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytensor.tensor as pt
from pymc_marketing.mmm.components import adstock, saturation
from pytensor.xtensor import as_xtensor

FILE = Path(__file__).with_name("components.json")
VALUES = {
    "alpha": 0.4,
    "theta": 1.5,
    "lam": 1.3,
    "k": 1.7,
    "beta": 2.0,
    "b": 0.8,
    "c": 1.1,
    "x0": 0.9,
    "gain": 0.6,
    "r": 0.35,
    "slope": 1.4,
    "kappa": 0.7,
}
PARAMETERS = {
    "GeometricAdstock": ["alpha"],
    "BinomialAdstock": ["alpha"],
    "DelayedAdstock": ["alpha", "theta"],
    "WeibullPDFAdstock": ["lam", "k"],
    "WeibullCDFAdstock": ["lam", "k"],
    "NoAdstock": [],
    "LogisticSaturation": ["lam", "beta"],
    "InverseScaledLogisticSaturation": ["lam", "beta"],
    "TanhSaturation": ["b", "c"],
    "TanhSaturationBaselined": ["x0", "gain", "r", "beta"],
    "MichaelisMentenSaturation": ["alpha", "lam"],
    "HillSaturation": ["slope", "kappa", "beta"],
    "RootSaturation": ["alpha", "beta"],
    "NoSaturation": ["beta"],
}
L_MAX = 6


def computed(name: str, x: np.ndarray) -> list[float]:
    """Return what a component makes of a series."""
    # Arrays, for PyTensor takes plain numbers for ones of fewer bits.
    given = {p: as_xtensor(pt.constant(np.array(VALUES[p])), dims=()) for p in PARAMETERS[name]}
    series = as_xtensor(pt.constant(x), dims=("date",))
    if hasattr(adstock, name):
        result = getattr(adstock, name)(l_max=L_MAX).function(series, dim="date", **given)
    else:
        result = getattr(saturation, name)().function(series, **given)
    return np.asarray(result.values.eval(mode="FAST_COMPILE")).tolist()


if __name__ == "__main__":
    x = np.linspace(0.1, 3.0, 9)
    content = {
        "versions": {name: version(name) for name in ("pymc-marketing", "pytensor")},
        "delivery": x.tolist(),
        "l_max": L_MAX,
        "values": VALUES,
        "parameters": PARAMETERS,
        "results": {name: computed(name, x) for name in PARAMETERS},
    }
    FILE.write_text(json.dumps(content, indent=1) + "\n")
