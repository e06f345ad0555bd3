"""Where zoo keeps what it can fetch or work out again: downloaded weights and data, remembered checks."""

from __future__ import annotations

from pathlib import Path

from zoo.runs.user_paths import user_folder


def cache_root() -> Path:
    """The folder that ZOO_CACHE names, else the platform's own place for caches."""
    return user_folder("cache")
