"""The application that commands belong to, and its exit status."""

from __future__ import annotations

import json
import sys
from typing import Any

import typer

from bayes_attrib.errors import (
    BayesAttribError,
    ComparisonError,
    FindingsError,
    RunFolderError,
    UnknownNameError,
)

EXIT_FAILED, EXIT_INPUT, EXIT_NOT_CONVERGED, EXIT_INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    name="bayes-attrib",
    help="Bayesian attribution inside known totals: who earned what, and how sure are we?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object on one line of standard output."""
    print(json.dumps(content, ensure_ascii=False))


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its status.

    Parameters
    ----------
    arguments : list of str, optional
        Words of the command line; those of the process where they are not given.
    """
    try:
        app(arguments, standalone_mode=True)
    except (ComparisonError, FindingsError, RunFolderError, UnknownNameError) as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_INPUT)
    except BayesAttribError as error:
        print(f"the fit failed: {error}", file=sys.stderr)
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
