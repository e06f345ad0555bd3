"""Files and words as the inputs of a text task's pipeline, by the very code that its bundles carry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.errors import BadFile
from zoo.api.problem import Problem
from zoo.data.text import reading as text_reading
from zoo.data.text import wordpiece_reading
from zoo.data.text.encoding import is_wordpiece
from zoo.runs.serialization import to_json

if TYPE_CHECKING:
    from zoo.api.task import Arrays


def file_inputs(path: Path, problem: Problem) -> Arrays:
    """tokens int64 [1, length] and lengths int64 [1] of a text file; BadFile when it is empty or no text."""
    read = wordpiece_reading.read if is_wordpiece(problem) else text_reading.read
    try:
        return read(path, to_json(problem))
    except (OSError, ValueError) as error:
        raise BadFile(f"{path} cannot be read as text: {error}", hint="give a UTF-8 text file") from error


def text_inputs(text: str, problem: Problem) -> Arrays:
    """The same of a text given in words; BadFile when it is empty."""
    read = wordpiece_reading.read_text if is_wordpiece(problem) else text_reading.read_text
    try:
        return read(text, to_json(problem))
    except ValueError as error:
        raise BadFile(f"{text!r} cannot be read: {error}") from error
