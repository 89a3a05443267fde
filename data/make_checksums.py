"""Make data/SHA256SUMS, which ``sha256sum --check SHA256SUMS`` in data/ verifies."""

from __future__ import annotations

import hashlib
from pathlib import Path

DATA = Path(__file__).parent
SUFFIXES = (".csv", ".parquet")


def checksums(folder: Path) -> str:
    """Return one line per data file beneath a folder, sorted by path."""
    files = sorted(path for path in folder.glob("*/*") if path.suffix in SUFFIXES)
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in files
    )


if __name__ == "__main__":
    (DATA / "SHA256SUMS").write_text(checksums(DATA), encoding="utf-8")
    print("data/SHA256SUMS")
