"""The one door to pymc-marketing: imported late, and missed with a plain sentence."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Final

from bayes_attrib.errors import FitError

PACKAGE: Final = "pymc_marketing"
DISTRIBUTION: Final = "pymc-marketing"
EXTRA: Final = 'pip install "bayes-attrib[mmm]"'


def upstream(module: str = "mmm") -> ModuleType:
    """Import a module of pymc-marketing.

    Parameters
    ----------
    module : str
        Its path below the package.

    Returns
    -------
    module
        The module.

    Raises
    ------
    FitError
        If the package is not installed; the message says how to install it.
    """
    with quiet():
        try:
            return importlib.import_module(f"{PACKAGE}.{module}")
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != PACKAGE:
                raise
            raise FitError(
                f"fitting a mix model needs {DISTRIBUTION}, which is not installed: {EXTRA}"
            ) from error


def upstream_version() -> str:
    """Return the version of pymc-marketing; empty where it is not installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return ""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep pymc-marketing's and PyMC's remarks to themselves: their verdict is not the one used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
