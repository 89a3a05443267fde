"""The command line: what scripts, schedulers and people type.

Exit status: 0 done, 1 the fit failed, 2 the spec or the data is wrong, 3 the fit did not converge,
130 interrupted. Results go to standard output, progress and complaints to standard error.
"""

from __future__ import annotations

# Commands register themselves.
from bayes_attrib.cli import (  # noqa: F401
    budget,
    choose,
    compare,
    data,
    diff,
    downscale,
    export,
    figures,
    fit,
    import_mmm,
    journeys,
    log,
    mmm,
    predict,
    report,
    roll_forward,
    summary,
    verify,
)
from bayes_attrib.cli.app import app, main

__all__ = ["app", "main"]
