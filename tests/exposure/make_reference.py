"""Write reference.json: adstock and saturation as pymc-marketing computes them.

The tests do not need pymc-marketing; this script does. To make the file again, in an environment
of its own:

    pip install pymc-marketing==1.3.0
    python tests/exposure/make_reference.py
"""

from __future__ import annotations

import itertools
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pymc_marketing.mmm import (
    BinomialAdstock,
    DelayedAdstock,
    GeometricAdstock,
    HillSaturation,
    LogisticSaturation,
    MichaelisMentenSaturation,
    transformers,
)
from pytensor.xtensor import as_xtensor

ADSTOCKS = {
    "geometric": ("geometric_adstock", {}, {"alpha": (0.0, 0.35, 0.8, 1.0)}),
    "binomial": ("binomial_adstock", {}, {"alpha": (0.1, 0.5, 0.9, 1.0)}),
    "delayed": ("delayed_adstock", {}, {"alpha": (0.3, 0.8), "theta": (0.0, 1.0, 2.5)}),
    "weibull_pdf": (
        "weibull_adstock",
        {"type": "PDF"},
        {"lam": (0.7, 3.0, 9.0), "k": (0.5, 1.0, 2.5)},
    ),
    "weibull_cdf": (
        "weibull_adstock",
        {"type": "CDF"},
        {"lam": (0.7, 3.0, 9.0), "k": (0.5, 1.0, 2.5)},
    ),
}
SATURATIONS = {
    "hill": ("hill_function", {"slope": (0.6, 1.0, 2.4), "kappa": (0.3, 4.0)}),
    "logistic": ("logistic_saturation", {"lam": (0.2, 1.0, 5.0)}),
    "inverse_scaled_logistic": ("inverse_scaled_logistic_saturation", {"lam": (0.4, 3.0)}),
    "tanh": ("tanh_saturation", {"b": (0.5, 20.0), "c": (0.2, 3.0)}),
    "tanh_baselined": (
        "tanh_saturation_baselined",
        {"x0": (0.5, 6.0), "gain": (0.4, 2.0), "r": (0.2, 0.8)},
    ),
    "michaelis_menten": ("michaelis_menten", {"alpha": (0.5, 3.0), "lam": (0.3, 7.0)}),
    "root": ("root_saturation", {"alpha": (0.2, 0.5, 1.0)}),
}


def doubles(parameters: dict) -> dict:
    """Parameters as tensors of 64 bits: PyTensor takes a bare 4.0 for a number of fewer bits."""
    return {
        name: as_xtensor(np.array(value, dtype=np.float64)) for name, value in parameters.items()
    }


def grid(parameters: dict) -> list[dict]:
    return [
        dict(zip(parameters, values, strict=True))
        for values in itertools.product(*parameters.values())
    ]


def delivery() -> np.ndarray:
    """Two series with gaps, unequal starts and sizes, shape (2, 14)."""
    rng = np.random.default_rng(20250601)
    drawn = rng.gamma(1.5, 2.0, size=(2, 14)).round(3)
    drawn[rng.random(drawn.shape) < 0.3] = 0.0
    drawn[1, :4] = 0.0
    drawn[0, 9:] = 0.0
    return drawn


def adstock_cases(x: np.ndarray) -> list[dict]:
    cases = []
    for kind, (name, fixed, parameters) in ADSTOCKS.items():
        for values, l_max, normalise in itertools.product(grid(parameters), (5, 20), (False, True)):
            result = getattr(transformers, name)(
                as_xtensor(x, dims=("series", "time")),
                **doubles(values),
                **fixed,
                l_max=l_max,
                normalize=normalise,
                dim="time",
            )
            carried = result.transpose("series", "time").eval()
            case = {"kind": kind, "l_max": l_max, "normalise": normalise, "parameters": values}
            cases.append(case | {"carried": carried.tolist()})
    return cases


def saturation_cases(x: np.ndarray) -> list[dict]:
    return [
        {
            "kind": kind,
            "parameters": values,
            "saturated": getattr(transformers, name)(as_xtensor(x, dims=("x",)), **doubles(values))
            .eval()
            .tolist(),
        }
        for kind, (name, parameters) in SATURATIONS.items()
        for values in grid(parameters)
    ]


def chain_cases(x: np.ndarray) -> list[dict]:
    """Whole chains of two channels, as a model applies them to scaled delivery of a channel."""
    chains = [
        (
            {"kind": "geometric", "l_max": 6, "alpha": 0.45},
            GeometricAdstock(l_max=6),
            {"kind": "hill", "slope": 1.7, "kappa": 0.6, "beta": 1.0},
            HillSaturation(),
        ),
        (
            {"kind": "delayed", "l_max": 5, "alpha": 0.6, "theta": 1.5},
            DelayedAdstock(l_max=5),
            {"kind": "logistic", "lam": 1.9, "beta": 1.0},
            LogisticSaturation(),
        ),
        (
            {"kind": "binomial", "l_max": 7, "alpha": 0.4},
            BinomialAdstock(l_max=7),
            {"kind": "michaelis_menten", "alpha": 2.0, "lam": 0.8},
            MichaelisMentenSaturation(),
        ),
    ]
    cases = []
    for adstock, carry, saturation, saturate in chains:
        of_adstock = {k: v for k, v in adstock.items() if k not in ("kind", "l_max")}
        of_saturation = {k: v for k, v in saturation.items() if k != "kind"}
        scale = float(x.sum(axis=0).max())
        total = as_xtensor(x.sum(axis=0) / scale, dims=("date",))
        carried = carry.function(total, **doubles(of_adstock), dim="date")
        result = saturate.function(carried, **doubles(of_saturation), dim="date").eval()
        cases.append(
            {
                "adstock": adstock,
                "saturation": saturation,
                "scale": scale,
                "total": result.tolist(),
            }
        )
    return cases


def main() -> None:
    x = delivery()
    levels = np.array([0.0, 1e-9, 0.01, 0.3, 1.0, 2.5, 40.0, 1e4])
    reference = {
        "made_with": {name: version(name) for name in ("pymc-marketing", "pytensor", "numpy")},
        "delivery": x.tolist(),
        "levels": levels.tolist(),
        "adstock": adstock_cases(x),
        "saturation": saturation_cases(levels),
        "chain": chain_cases(x),
    }
    text = (
        json.dumps(reference).replace(', {"kind"', ',\n{"kind"').replace(', "chain"', ',\n"chain"')
    )
    Path(__file__).with_name("reference.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
