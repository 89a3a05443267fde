"""Point estimates: the proportional split, expectation maximisation, posterior modes.

Names from modules that load PyMC or glum are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bayes_attrib.baselines.certificate import Certificate, certify_rates
from bayes_attrib.baselines.em import fit_em
from bayes_attrib.baselines.information_errors import (
    InformationErrors,
    has_information_errors,
    information_errors,
)
from bayes_attrib.baselines.likelihood import poisson_log_likelihood
from bayes_attrib.baselines.point_errors import PointErrors, pearson_dispersion
from bayes_attrib.baselines.point_fit import PointFit
from bayes_attrib.baselines.proportional import fit_proportional

if TYPE_CHECKING:
    from bayes_attrib.baselines.bootstrap import BootstrapErrors, bootstrap_em
    from bayes_attrib.baselines.em_covariates import CovariateFit, fit_em_covariates
    from bayes_attrib.baselines.map_estimate import MapFit, fit_map
    from bayes_attrib.baselines.spec_map import fit_spec_map, fit_unpooled_map

_LATE = {
    "BootstrapErrors": "bootstrap",
    "CovariateFit": "em_covariates",
    "MapFit": "map_estimate",
    "bootstrap_em": "bootstrap",
    "fit_em_covariates": "em_covariates",
    "fit_map": "map_estimate",
    "fit_spec_map": "spec_map",
    "fit_unpooled_map": "spec_map",
}

__all__ = [
    "BootstrapErrors",
    "Certificate",
    "CovariateFit",
    "InformationErrors",
    "MapFit",
    "PointErrors",
    "PointFit",
    "bootstrap_em",
    "certify_rates",
    "fit_em",
    "fit_em_covariates",
    "fit_map",
    "fit_proportional",
    "fit_spec_map",
    "fit_unpooled_map",
    "has_information_errors",
    "information_errors",
    "pearson_dispersion",
    "poisson_log_likelihood",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'bayes_attrib.baselines' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bayes_attrib.baselines.{_LATE[name]}"), name)
