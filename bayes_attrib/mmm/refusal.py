"""How an import refuses a file: one fault with its place and its remedy."""

from __future__ import annotations

from collections.abc import Iterable

from bayes_attrib.errors import DataError, Finding


def fault(code: str, where: str, message: str, remedy: str) -> Finding:
    """Return an error about a file of a mix model.

    Parameters
    ----------
    code : str
        Stable name in kebab-case.
    where : str
        File and variable, or file and rows.
    message : str
        What is wrong, with the offending values.
    remedy : str
        What the reader can do about it.

    Returns
    -------
    Finding
        The error.
    """
    return Finding(code, "error", where, message, remedy)


def refuse(findings: Iterable[Finding]) -> None:
    """Raise a DataError where there are faults.

    Parameters
    ----------
    findings : iterable of Finding
        Faults; nothing happens where there are none.

    Raises
    ------
    DataError
        If there is a fault; all of them are listed.
    """
    listed = list(findings)
    if listed:
        count = "one fault" if len(listed) == 1 else f"{len(listed)} faults"
        raise DataError(f"the mix model cannot be imported, {count}:", listed)


def refusal(code: str, where: str, message: str, remedy: str) -> DataError:
    """Return the exception of a single fault, to be raised.

    Parameters
    ----------
    code, where, message, remedy : str
        As in :func:`fault`.

    Returns
    -------
    DataError
        With one finding.
    """
    found = fault(code, where, message, remedy)
    return DataError("the mix model cannot be imported, one fault:", [found])
