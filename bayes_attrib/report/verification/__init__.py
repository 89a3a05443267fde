"""Whether a run folder is what it says: everything in it that can be recomputed, recomputed."""

from bayes_attrib.report.verification.outcome import Outcome, Verification

__all__ = ["Outcome", "Verification"]
