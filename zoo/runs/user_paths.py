"""Paths as people type them, and the folders of an account, which may have no home."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

from zoo.api.errors import UsageError

VARIABLES: Final = {"cache": "ZOO_CACHE", "state": "ZOO_STATE"}
"""What names a folder of zoo's in place of the platform's own."""


def expand_user(path: str | Path) -> Path:
    """The path with ~ and ~name in full; as it is where nobody knows that home."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  Path.expanduser raises


def user_folder(kind: Literal["cache", "state"]) -> Path:
    """The folder that ZOO_CACHE or ZOO_STATE names, else the platform's own; UsageError for an account without home."""
    named = os.environ.get(VARIABLES[kind], "")
    if named:
        return expand_user(named)
    import platformdirs  # noqa: PLC0415  only where nobody named a folder

    try:
        if kind == "cache":
            return platformdirs.user_cache_path("zoo", appauthor=False)
        return platformdirs.user_state_path("zoo", appauthor=False)
    except RuntimeError as error:
        raise UsageError(
            f"this account has no home, and so no folder for zoo's {kind}", hint=f"set {VARIABLES[kind]} to a folder"
        ) from error
