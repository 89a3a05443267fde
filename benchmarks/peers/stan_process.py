"""Stan through PyStan, in a Python of its own; knows nothing but NumPy and PyStan.

Run as ``python stan_process.py IN.npz OUT.npz``: either log densities at given points, or draws.
"""

from __future__ import annotations

import re
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import stan

DATA = ("n_entities", "n_aggregates", "n_groups", "n_edges", "total", "exposure")
ENDS = ("entity_of_edge", "start", "group", "log_scale")
SCALARS = ("intercept", "sigma_specialty", "sigma_entity")
VECTORS = ("effect_specialty", "offset_entity")


def main() -> None:
    source = np.load(sys.argv[1])
    data = {name: source[name].tolist() for name in (*DATA, *ENDS)}
    code = Path(__file__).with_name("attribution.stan").read_text(encoding="utf-8")
    start = time.perf_counter()
    posterior = stan.build(code, data=data, random_seed=int(source["seed"]))
    built = time.perf_counter() - start
    if "point_intercept" in source:
        found: dict[str, Any] = {"log_density": log_densities(posterior, source)}
    else:
        found = draw(posterior, source, start)
    versions = {"pystan": version("pystan"), "httpstan": version("httpstan")}
    np.savez(sys.argv[2], build_seconds=built, **versions, **found)


def log_densities(posterior: Any, source: Any) -> list[float]:
    """Log densities, without the Jacobians of Stan's transformations, at the given points."""
    found = []
    for i in range(len(source["point_intercept"])):
        scalars = {name: float(source[f"point_{name}"][i]) for name in SCALARS}
        vectors = {name: source[f"point_{name}"][i].tolist() for name in VECTORS}
        unconstrained = posterior.unconstrain_pars(scalars | vectors)
        found.append(posterior.log_prob(unconstrained, adjust_transform=False))
    return found


def draw(posterior: Any, source: Any, start: float) -> dict[str, Any]:
    """Draw with Stan's defaults; ``sampling`` is what the chains themselves say they took."""
    n_chains, n_draws = int(source["chains"]), int(source["draws"])
    fit = posterior.sample(num_chains=n_chains, num_samples=n_draws, num_warmup=int(source["tune"]))
    names = (*SCALARS, "rate", "divergent__")
    draws = {name: by_chain(fit[name], n_chains) for name in names}
    seconds = time.perf_counter() - start
    own = [chain_seconds(output.decode()) for output in fit.stan_outputs]
    # The compiler is a child too, so memory is only told where the program was in the cache.
    peak = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return draws | {"seconds": seconds, "chain_seconds": own, "peak": peak / 1024**2}


def by_chain(values: Any, n_chains: int) -> Any:
    """From PyStan's (..., draws of all chains in turn) to (chain, draw, ...)."""
    values = np.squeeze(values, axis=0) if values.shape[0] == 1 else values
    return np.moveaxis(values.reshape(*values.shape[:-1], -1, n_chains), (-1, -2), (0, 1))


def chain_seconds(output: str) -> float:
    """Read what a chain says that it took, tuning included."""
    found = re.search(r"([0-9.]+) seconds \(Total\)", output)
    if found is None:
        raise RuntimeError("a chain of Stan did not say how long it took")
    return float(found[1])


if __name__ == "__main__":
    main()
