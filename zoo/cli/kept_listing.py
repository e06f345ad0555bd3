"""The rows of `zoo list`, kept in zoo's cache: with thousands of models, to ask every plugin takes most of the time.

An entry names the files that the rows came from: those of every module that was imported for them, and of their
folders.  It counts only while each has the size and the time of change that it had, while the same distributions are
installed, and under the same ZOO_ variables.  Where a plugin is broken nothing is kept.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from zoo.api.errors import UsageError
from zoo.registry.distributions import record_folders
from zoo.registry.listing import ListedModel, ListedWeights, Listing
from zoo.runs.cache import cache_root
from zoo.runs.kept_files import is_keeping, read_entry, write_entry

VARIABLES: Final = ("ZOO_LOAD_PLUGINS", "ZOO_DISABLE_PLUGINS", "ZOO_PREFER")
MAX_FILES: Final = 2_000
"""Rows that come from more files than this are not kept: looking at them would take longer than asking."""


def current_listing() -> Listing:
    """Every model on offer, from the cache where nothing has changed since."""
    key = _key()
    content = read_entry(key) if key else None
    kept = _fresh(json.loads(content)) if content else None
    if kept is not None:
        return kept
    from zoo.registry.catalog import Catalog  # noqa: PLC0415  kept rows need no plugins
    from zoo.registry.catalog_listing import make_listing  # noqa: PLC0415

    before = frozenset(sys.modules)
    listing = make_listing(Catalog.discover())
    files = _files(before)
    if key and not listing.notes and len(files) <= MAX_FILES:
        write_entry(key, json.dumps({"files": files, "models": listing.models}, separators=(",", ":")).encode())
    return listing


def _key() -> str:
    """What must be the same for rows to count; empty where nobody can tell, or nothing is kept."""
    folders = record_folders() if is_keeping() and _has_folder() else None
    if folders is None:
        return ""
    installed = [(folder, os.stat(folder).st_mtime_ns) for folder in sorted(folders.values())]  # noqa: PTH116  fast
    variables = [os.environ.get(name) for name in VARIABLES]
    return f"list 1 {sys.version} {sys.prefix} {sys.path} {variables} {installed}"


def _has_folder() -> bool:
    """Whether there is a folder of caches: an account without one gets none for a list."""
    try:
        return cache_root().parent.is_dir()
    except UsageError:
        return False


def _files(before: frozenset[str]) -> dict[str, list[int]]:
    """The files that the rows came from, each with its size and time of change."""
    states = {path: _state(path) for path in sorted(_sources(before))}
    return {path: state for path, state in states.items() if state is not None}


def _sources(before: frozenset[str]) -> set[str]:
    """The files of zoo's and the plugins' modules and of those imported with them, and of their packages' folders."""
    from zoo.registry.discovery import installed_candidates  # noqa: PLC0415  kept rows need no plugins

    asked = {"zoo", *(candidate.module.partition(".")[0] for candidate in installed_candidates())}
    files: set[str] = set()
    for name, module in list(sys.modules.items()):
        file, top = getattr(module, "__file__", None), name.partition(".")[0]
        if not file or top in sys.stdlib_module_names or (name in before and top not in asked):
            continue
        files.add(file)
        if getattr(module, "__package__", ""):
            files.update(_beside(Path(file).parent))
    return files


def _beside(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        yield from (entry.path for entry in entries if entry.is_file())


def _fresh(kept: dict[str, Any]) -> Listing | None:
    """The rows of an entry; None where one of their files has changed."""
    if any(_state(path) != state for path, state in kept["files"].items()):
        return None
    models = [
        ListedModel._make([*row[:-1], [ListedWeights(*weights) for weights in row[-1]]]) for row in kept["models"]
    ]
    return Listing(models=models, notes=())


def _state(path: str) -> list[int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  a Path for each of a hundred files takes long
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
