"""The file or folder that a request for data names."""

from __future__ import annotations

from pathlib import Path

from zoo.api.data import DataRequest
from zoo.api.errors import DataError
from zoo.data.formats.folders import special_kind
from zoo.runs.user_paths import expand_user


def named_path(request: DataRequest, *, accepted: str) -> Path:
    """The absolute path; where nothing lies there, DataError with a sentence on what would be accepted."""
    recorded = Path(request.location) if request.location else None
    path = recorded if recorded and recorded.exists() else expand_user(request.source)
    if not path.exists():
        raise DataError(f"there is no data at {path}", hint=accepted)
    if kind := special_kind(path):
        raise DataError(f"{path} is {kind}, not a file or folder", hint="copy what it gives into a file")
    return path.resolve()
