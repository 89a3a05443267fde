"""What is noted about iterative solutions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Residuals:
    """Worst relative residual of all iterative solutions so far, and how many steps they took."""

    worst: float = 0.0
    products: int = 0
