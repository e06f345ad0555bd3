"""What a file of texts is by its beginning: lines of labels and texts, or JSON records; suffixes do not say it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zoo.data.formats.folders import special_kind
from zoo.data.formats.text_files import decode_head

HEAD: Final = 65_536
FEWEST: Final = 4
"""Lines of which nothing can be told."""
MARKS: Final = "\t;|"
"""What separates the cells of lines; commas stand in every text."""
FASTTEXT: Final = re.compile(r"__label__(\S+)\s+(.*)")
LINES: Final = (".txt", ".tab", ".data", "")
"""Suffixes of files that may hold a label and a text a line."""
OTHER_RECORDS: Final = ('"images"', '"annotations"', '"segmentation"', '"bbox"', '"shapes"')
"""Fields of annotated pictures."""


def _head(file: Path, encoding: str) -> str:
    if not file.is_file() or special_kind(file):
        return ""
    with file.open("rb") as opened:
        return decode_head(opened.read(HEAD), encoding)


def holds_labelled_lines(file: Path, encoding: str = "") -> bool:
    """Whether each line is a label and a text: with one and the same mark once between them, or as fastText has it."""
    if file.suffix.lower() not in LINES:
        return False
    head = _head(file, encoding)
    lines = [line for line in head.split("\n") if line.strip()]
    lines = lines[:-1] if file.stat().st_size > HEAD else lines  # the last may be cut
    if len(lines) < FEWEST:
        return False
    if all(FASTTEXT.match(line) for line in lines):
        return True
    return any(all(line.count(mark) == lines[0].count(mark) > 0 for line in lines) for mark in MARKS)


def holds_records(file: Path, encoding: str = "") -> bool:
    """Whether a .json file holds objects, one after the other or in a list, which are not of annotated pictures."""
    if file.suffix.lower() != ".json":
        return False
    head = _head(file, encoding)
    opens = re.match(r"\s*(\[\s*)?\{|\s*\{\s*\"\w+\"\s*:\s*\[\s*\{", head)
    return opens is not None and not any(field in head for field in OTHER_RECORDS)


def without_fasttext_marks(text: str) -> str:
    """`__label__spam win now` as a label, a tab and the text; other texts as they are."""
    lines = text.split("\n")
    if not all(FASTTEXT.match(line) for line in lines if line.strip()):
        return text
    return "\n".join(FASTTEXT.sub(r"\1\t\2", line) for line in lines)


def all_hold(files: Sequence[Path], encoding: str = "") -> bool:
    """Whether there are files, and every one holds labelled lines."""
    return bool(files) and all(holds_labelled_lines(file, encoding) for file in files)
