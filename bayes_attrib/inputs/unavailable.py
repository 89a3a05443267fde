"""The signal that a step cannot go on because what it needs could not be read."""

from __future__ import annotations

from bayes_attrib.errors import Finding


class UnavailableError(Exception):
    """A file, a table or a column is not to be had; never leaves :mod:`bayes_attrib.inputs`.

    The reader catches it, keeps the findings and goes on with what else can be checked, so that
    one pass reports the faults of all tables together.

    Parameters
    ----------
    *findings : Finding
        The faults that are the cause; none where they have been reported already.
    """

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        super().__init__(*(finding.message for finding in findings))
