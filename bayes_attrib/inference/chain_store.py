"""Completed chains on disk, so that an interrupted fit loses nothing that was whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from bayes_attrib.errors import RunFolderError
from bayes_attrib.inference.chains import Chain

_PLAN = "plan.json"
_SEPARATOR = ":"


class ChainStore:
    """A folder with one file per completed chain, and the plan that they belong to.

    A chain's file is written beside its final name, synced and renamed, so a file that exists is
    whole. Chains of another plan (spec, data, seed, sampler settings) are never mixed in.

    Parameters
    ----------
    folder : Path
        Folder of the store; made if it does not exist.
    plan : mapping
        Plain JSON values that identify the computation.

    Raises
    ------
    RunFolderError
        If the folder already holds chains of another plan.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / _PLAN
        if not path.exists():
            write_atomically(path, json.dumps(plan, indent=2, sort_keys=True).encode())
            return
        found = json.loads(path.read_text(encoding="utf-8"))
        wanted = json.loads(json.dumps(plan))
        changed = sorted(k for k in found.keys() | wanted.keys() if found.get(k) != wanted.get(k))
        if changed:
            raise RunFolderError(
                f"{folder} holds chains of another computation; changed since: "
                f"{', '.join(changed)}. Restore these, or fit into a new folder."
            )

    def completed(self) -> set[int]:
        """Return the indices of the chains that are on disk."""
        return {int(path.stem.removeprefix("chain-")) for path in self.folder.glob("chain-*.npz")}

    def save(self, chain: int, made: Chain) -> None:
        """Write one completed chain."""
        final = self._path(chain)
        partial = final.with_suffix(".partial")
        arrays = {
            f"{group}{_SEPARATOR}{name}": array
            for group, content in (("draws", made.draws), ("statistics", made.statistics))
            for name, array in content.items()
        }
        with partial.open("wb") as handle:
            np.savez(handle, allow_pickle=False, **arrays)
        _sync_and_rename(partial, final)

    def load(self, chain: int) -> Chain:
        """Read one completed chain.

        Raises
        ------
        RunFolderError
            If the file was damaged after it had been written.
        """
        path = self._path(chain)
        loaded = Chain({}, {})
        groups = {"draws": loaded.draws, "statistics": loaded.statistics}
        try:
            with np.load(path, allow_pickle=False) as file:
                for key in file.files:
                    group, _, name = key.partition(_SEPARATOR)
                    groups[group][name] = file[key]
        except (ValueError, KeyError, BadZipFile) as fault:
            raise RunFolderError(
                f"{path} is damaged ({fault}); delete it, and the chain is drawn again, the same"
            ) from fault
        return loaded

    def _path(self, chain: int) -> Path:
        return self.folder / f"chain-{chain}.npz"

    def remove(self) -> None:
        """Delete the store, once its chains live elsewhere."""
        shutil.rmtree(self.folder)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it either exists whole or not at all.

    Parameters
    ----------
    path : Path
        Final name; its folder exists.
    content : bytes
        Content of the file.
    """
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    _sync_and_rename(partial, path)


def _sync_and_rename(partial: Path, final: Path) -> None:
    with partial.open("rb+") as handle:
        os.fsync(handle.fileno())
    partial.replace(final)
    if os.name == "posix":  # a name is on disk once its folder is
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
