"""The exception tree, and the findings that exceptions carry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know about a spec or a table.

    Attributes
    ----------
    code : str
        Stable name in kebab-case, such as ``"negative-exposure"``.
    severity : {"error", "warning", "note"}
        Errors stop the work; warnings and notes travel with the run.
    where : str
        File and lines, or the path of a key in a spec.
    message : str
        What is wrong, with the offending values.
    remedy : str
        What the reader can do about it; may be empty for notes.
    """

    code: str
    severity: Severity
    where: str
    message: str
    remedy: str = ""

    def render(self) -> str:
        """Return the finding as text of one or two lines."""
        head = f"{self.severity} [{self.code}] {self.where}: {self.message}"
        return f"{head}\n    remedy: {self.remedy}" if self.remedy else head


class BayesAttribError(Exception):
    """Base of every error that this package raises on purpose."""


class FindingsError(BayesAttribError):
    """An input is wrong; every fault found is listed, not only the first.

    Parameters
    ----------
    headline : str
        One sentence that says which input is at fault.
    findings : iterable of Finding
        The faults, in the order in which a reader would mend them.
    """

    def __init__(self, headline: str, findings: Iterable[Finding]) -> None:
        self.headline = headline
        self.findings = tuple(findings)
        super().__init__("\n".join([headline, *(f.render() for f in self.findings)]))


class SpecError(FindingsError):
    """A spec cannot be read or says something that the vocabulary does not know."""


class DataError(FindingsError):
    """Tables cannot be read, or contradict the model they are meant for."""


class FitError(BayesAttribError):
    """A fit could not be carried out."""


class RunFolderError(BayesAttribError):
    """A run folder is missing, incomplete, in use, or made by something else."""


class RoundingError(BayesAttribError):
    """Amounts cannot be rounded so that they add up: they do not belong to the totals given."""


class UnknownNameError(BayesAttribError):
    """A run was asked for an entity, a group or a column that it does not know."""


class ComparisonError(BayesAttribError):
    """A run was asked to compare what has no common unit, or fewer than two things."""


class NotConvergedError(BayesAttribError):
    """A run did not converge, and was asked for something that only a converged run can tell."""


class InterruptedFitError(BayesAttribError):
    """The user stopped a fit; completed chains are on disk.

    Parameters
    ----------
    completed, wanted : int
        Number of whole chains that were kept, and that were asked for.
    """

    def __init__(self, completed: int, wanted: int) -> None:
        self.completed = completed
        self.wanted = wanted
        super().__init__(f"interrupted: {completed} of {wanted} chains are complete and kept")
