"""New totals, allocated by an existing fit, and whether it still serves for them."""

from bayes_attrib.attribution.rolling.drift import DriftReport, Reason, check_drift
from bayes_attrib.attribution.rolling.rolled import Rolled, roll, rolled_constants

__all__ = ["DriftReport", "Reason", "Rolled", "check_drift", "roll", "rolled_constants"]
