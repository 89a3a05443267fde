"""Compiled code that is used again: by later fits of a process, and by later processes."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pymc as pm

from bayes_attrib.inference.density.compile import compile_density
from bayes_attrib.inference.density.compiled import Density, Layout
from bayes_attrib.inference.density.machine_code import MachineCode
from bayes_attrib.inference.density.structure import structure_digest

CACHE_VARIABLE: Final = "BAYES_ATTRIB_CACHE"
"""Environment variable with the folder of compiled code; ``off`` keeps none."""

MOST_FILES = 64
"""The files that were used last are kept; each takes about a megabyte."""

MOST_IN_MEMORY = 16

_MAGIC = b"bayes-attrib code 1\n"
_KINDS = ("density", "expand", "start")
_compiled: OrderedDict[str, Density] = OrderedDict()


def compiled_density(
    model: pm.Model, stored: Sequence[str], described: Mapping[str, Any]
) -> Density:
    """Return a model's compiled density: of this process, from the cache on disk, or made anew.

    Parameters
    ----------
    model : pymc.Model
        A model of this package.
    stored : sequence of str
        Names of the variables that draws store.
    described : mapping
        What the model was built from (:func:`bayes_attrib.model.build.describe_structure`).

    Returns
    -------
    Density
        The same code, to the byte, wherever it comes from.
    """
    digest = structure_digest(model, stored, described)
    density = _compiled.pop(digest, None) or _read(digest)
    if density is None:
        density = compile_density(model, stored)
        _write(digest, density)
    _compiled[digest] = density
    while len(_compiled) > MOST_IN_MEMORY:
        _compiled.popitem(last=False)
    return density


def cache_folder() -> Path | None:
    """Return the folder of compiled code; None if there is to be none.

    Code is run, so only folders that belong to the user and that nobody else may write to count.
    """
    wanted = os.environ.get(CACHE_VARIABLE)
    if wanted is not None and wanted.lower() in {"", "off"}:
        return None
    folder = Path(wanted) if wanted else _standard_folder() / "bayes-attrib" / "code"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = folder.stat()
    except (OSError, RuntimeError):  # a home that cannot be written to, or none
        return None
    if os.name == "posix" and (status.st_uid != os.getuid() or status.st_mode & 0o022):
        return None
    return folder


def _standard_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _read(digest: str) -> Density | None:
    """Load code from disk; None if there is none, or if the file is damaged."""
    folder = cache_folder()
    path = None if folder is None else folder / digest
    if path is None or not path.is_file():
        return None
    try:
        content = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    checksum, body = content[len(_MAGIC) : len(_MAGIC) + 32], content[len(_MAGIC) + 32 :]
    if not content.startswith(_MAGIC) or hashlib.sha256(body).digest() != checksum:
        return None
    header, _, codes = body.partition(b"\n")
    plain = json.loads(header)
    begin, loaded = 0, {}
    for kind, length in zip(_KINDS, plain["lengths"], strict=True):
        loaded[kind] = MachineCode.load(codes[begin : begin + length])
        begin += length
    return Density(Layout.from_dict(plain["layout"]), **loaded)


def _write(digest: str, density: Density) -> None:
    """Keep code on disk, where that is possible; a file exists whole or not at all."""
    folder = cache_folder()
    parts = [getattr(density, kind).dump() for kind in _KINDS]
    if folder is None or any(part is None for part in parts):
        return
    header = {"layout": density.layout.as_dict(), "lengths": [len(part) for part in parts]}
    body = json.dumps(header).encode() + b"\n" + b"".join(parts)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix="partial-", delete=False) as partial:
            partial.write(_MAGIC + hashlib.sha256(body).digest() + body)
        Path(partial.name).replace(folder / digest)
        _forget_old(folder)
    except OSError:  # a full disk, or another process that tidies up: the code is made again
        return


def _forget_old(folder: Path) -> None:
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[MOST_FILES:]:
        path.unlink(missing_ok=True)
