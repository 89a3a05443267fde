"""Completed chains on disk, so that an interrupted fit loses nothing that was whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from bayes_attrib.errors import RunFolderError
from bayes_attrib.inference.posterior_fit import load_tree, save_tree

_PLAN = "plan.json"


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
        return {int(path.stem.removeprefix("chain-")) for path in self.folder.glob("chain-*.nc")}

    def save(self, chain: int, tree: xr.DataTree) -> None:
        """Write one completed chain."""
        final = self.folder / f"chain-{chain}.nc"
        partial = final.with_suffix(".partial")
        save_tree(tree, partial)
        _sync_and_rename(partial, final)

    def load(self, chain: int) -> xr.DataTree:
        """Read one completed chain."""
        return load_tree(self.folder / f"chain-{chain}.nc")

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
