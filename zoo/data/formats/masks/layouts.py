"""Which format a source of pictures with masks is kept in; answered without opening a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest, DataSource
from zoo.data.formats.detect import Formats, built_in_formats, detect_format

SCENES: Final = "digit_scenes"


def detect_masks(request: DataRequest, *, installed: Formats | None = None) -> DataSource:
    """The format of a source, of zoo's own or of those installed; DataError says what was found and is accepted."""
    formats = installed or built_in_formats("semantic-segmentation")
    return detect_format(request, formats=formats, embedded=(SCENES,), nothing=_nothing)


def _nothing(path: Path) -> str:
    if path.is_file():
        return f"{path} describes no masks that zoo can read"
    return f"{path} holds no pictures with masks that zoo can read"
