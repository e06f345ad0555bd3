"""Where zoo keeps what it can fetch or work out again: downloaded weights and data, remembered checks."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    """The folder that ZOO_CACHE names, else the platform's own place for caches."""
    named = os.environ.get("ZOO_CACHE", "")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path  # noqa: PLC0415  only where nobody named a folder

    return user_cache_path("zoo", appauthor=False)
