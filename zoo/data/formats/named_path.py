"""The file or folder that a request for data names, and the format that it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoo.api.data import DataRequest
from zoo.api.errors import DataError, UsageError
from zoo.data.formats.folders import special_kind


def named_path(request: DataRequest, *, accepted: str) -> Path:
    """The absolute path; where nothing lies there, DataError with a sentence on what would be accepted."""
    path = Path(request.source).expanduser()
    if not path.exists():
        raise DataError(f"there is no data at {path}", hint=accepted)
    if kind := special_kind(path):
        raise DataError(f"{path} is {kind}, not a file or folder", hint="copy what it gives into a file")
    return path.resolve()


def asked_format(request: DataRequest, path: Path, accepted: Sequence[str], files: Sequence[str]) -> str:
    """The format that the request asks for; UsageError where the task has no such format, or the path cannot be it.

    `files` are the formats of a file, the others those of a folder.
    """
    if request.format not in accepted:
        raise UsageError(f"--format {request.format} is none of this task", hint=f"it reads {', '.join(accepted)}")
    if path.is_file() != (request.format in files):
        kind = "file" if request.format in files else "folder"
        raise UsageError(f"--format {request.format} is that of a {kind}, and {path} is none", hint="leave it out")
    return request.format
