"""Which files of a folder or an archive are inputs of a model, by what the model is fed.  Torch-free."""

from __future__ import annotations

from typing import Final

from zoo.api.problem import AudioInput, ImageInput, Input, LatentInput, TableInput, TokenInput
from zoo.data.audio.sources import SOUND_FILES
from zoo.data.formats.folders import PICTURE_FILES, FileKind
from zoo.data.formats.text.rows import TABLES, TEXT_FILES

KINDS: Final[dict[type[Input], FileKind]] = {
    ImageInput: PICTURE_FILES,
    TokenInput: FileKind(
        plural=TEXT_FILES.plural,
        suffixes=TEXT_FILES.suffixes | set(TABLES),
        unread=TEXT_FILES.unread,
        remedy=TEXT_FILES.remedy,
    ),
    AudioInput: SOUND_FILES,
    LatentInput: FileKind(plural="latents", suffixes=frozenset({".npy"}), unread=frozenset(), remedy=""),
    TableInput: FileKind(plural="tables", suffixes=frozenset({".csv", ".tsv"}), unread=frozenset(), remedy=""),
}
VIDEOS: Final = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv", ".mts", ".m2ts"}
)
"""Suffixes of videos, which are read frame by frame."""


def file_kind(input: Input) -> FileKind | None:
    """The kind of a model's files; None where only the task knows it."""
    return next((kind for known, kind in KINDS.items() if isinstance(input, known)), None)
