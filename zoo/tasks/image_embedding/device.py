"""Reading, showing and comparing for image embedding; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.embedding.compare import described, in_words, matches
from zoo.data.formats.pictures.decode import read_picture, white_level


def read(path: Path, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The inputs of pipeline.onnx: `image` uint8 [height, width, 3]."""
    return {"image": read_picture(path, white=white_level(problem.get("facts", {})))}


def show(answer: Mapping[str, Any], problem: Mapping[str, Any]) -> str:  # noqa: ARG001  every task's
    """One line: size, length and the first numbers."""
    return in_words(answer["embedding"])


def compare(names: Sequence[str], answers: Sequence[Mapping[str, Any]], problem: Mapping[str, Any]) -> str:
    """A line for each pair: how similar, and whether the same."""
    pairs = matches([answer["embedding"] for answer in answers], problem["facts"].get("threshold"))
    return described(names, pairs, problem["facts"])
