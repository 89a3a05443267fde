"""Point estimates: the proportional split and expectation maximisation."""

from bayes_attrib.baselines.certificate import Certificate, certify_rates
from bayes_attrib.baselines.em import fit_em
from bayes_attrib.baselines.likelihood import poisson_log_likelihood
from bayes_attrib.baselines.point_fit import PointFit
from bayes_attrib.baselines.proportional import fit_proportional

__all__ = [
    "Certificate",
    "PointFit",
    "certify_rates",
    "fit_em",
    "fit_proportional",
    "poisson_log_likelihood",
]
