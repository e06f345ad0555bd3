"""A file of texts for each class, a text a line: pos.txt and neg.txt, rt-polarity.pos and rt-polarity.neg."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest, Split
from zoo.api.errors import BadSample
from zoo.api.formats import FormatMatch
from zoo.data.formats.folders import hidden, is_about, subfolders
from zoo.data.formats.parts import note_about
from zoo.data.formats.split_names import splits_of_folders
from zoo.data.formats.text.rows import PLAIN, Found, TextNote, TextRow
from zoo.data.formats.text_files import decode_file

SUFFIXES: Final = frozenset({".pos", ".neg", ".neu", ".spam", ".ham", ".positive", ".negative", ".neutral"})
"""Suffixes that are classes."""
WORDS: Final = frozenset(
    {
        *("pos", "neg", "neu", "positive", "negative", "neutral", "spam", "ham", "toxic", "nontoxic"),
        *("subjective", "objective", "plot", "quote"),
    }
)
"""Names of files that are classes; others are texts of their own unless --format says what they are."""
NAME: Final = "text-class-files"
MOST: Final = 50


@dataclass(frozen=True, slots=True)
class ClassFile:
    """The texts of one class."""

    file: Path
    label: str
    split: Split | None = None


def detect_class_files(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A folder of such files, or one with folders of splits that hold them."""
    return FormatMatch(location=path) if path.is_dir() and class_files(path, request) else None


def read_class_files(location: Path, *, request: DataRequest) -> Iterator[Found]:
    """Every line of the files as a text of its class."""
    for entry in class_files(location, request):
        name = entry.file.relative_to(location).as_posix()
        text = decode_file(entry.file, name, request.encoding)
        if isinstance(text, BadSample):
            yield text
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield TextRow(f"{name} line {number}", line.strip(), entry.label, entry.split)
    if about := [file.name for file in sorted(location.iterdir()) if is_about(file)]:
        yield TextNote(note_about(about))


def class_files(folder: Path, request: DataRequest) -> list[ClassFile]:
    """The files of a folder that hold the texts of a class each; empty where a file holds something else."""
    splits = splits_of_folders(subfolders(folder))
    if splits:
        parts = [(split, _labels(folder / name, request)) for name, split in splits.items()]
        whole = all(labels for _, labels in parts) and "train" in splits.values()
        return [ClassFile(file, label, split) for split, labels in parts for file, label in labels.items() if whole]
    return [ClassFile(file, label) for file, label in _labels(folder, request).items()]


def _labels(folder: Path, request: DataRequest) -> dict[Path, str]:
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and not (hidden(file.name) or is_about(file))]
    if not 1 < len(files) <= MOST:
        return {}
    if all(file.suffix.lower() in SUFFIXES for file in files) and len({file.stem for file in files}) == 1:
        return {file: file.suffix[1:] for file in files}
    words = {file: re.split(r"[._ -]", file.stem.lower())[-1] for file in files}
    named = request.format == NAME or (set(words.values()) <= WORDS and len(set(words.values())) == len(files))
    return {file: file.stem for file in files} if named and all(file.suffix.lower() in PLAIN for file in files) else {}
