"""Progress of long work, told to whoever listens."""

from __future__ import annotations

from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class ProgressListener(Protocol):
    """Receives the number of draws made by all chains."""

    def started(self, total: int) -> None:
        """Sampling starts; ``total`` draws will be made, tuning included."""

    def advanced(self, done: int, divergences: int) -> None:
        """Tell that ``done`` draws are made, so many of them divergent after tuning."""

    def finished(self) -> None:
        """Sampling is over, whether or not it completed."""

    def told(self, message: str) -> None:
        """Hear something in words, between pieces of work."""


class Silent:
    """Listens and says nothing."""

    def started(self, total: int) -> None:
        """Ignore the start."""

    def advanced(self, done: int, divergences: int) -> None:
        """Ignore the progress."""

    def finished(self) -> None:
        """Ignore the end."""

    def told(self, message: str) -> None:
        """Ignore the words."""


class ProgressBar:
    """A bar on a console, gone when the work is done.

    Parameters
    ----------
    console : rich.console.Console
        Where to draw; standard error for a command.
    """

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def started(self, total: int) -> None:
        """Show the bar."""
        self._progress.start()
        self._task = self._progress.add_task("sampling", total=total, note="")

    def advanced(self, done: int, divergences: int) -> None:
        """Move the bar, and mention divergences once there are any."""
        note = f"{divergences} divergent" if divergences else ""
        self._progress.update(self._task, completed=done, note=note)

    def finished(self) -> None:
        """Remove the bar."""
        self._progress.stop()

    def told(self, message: str) -> None:
        """Print the words."""
        self._progress.console.print(message, markup=False, highlight=False, soft_wrap=True)
