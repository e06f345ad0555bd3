"""Reading and showing for text classification; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.tasks.vocabulary import encode, numbers

TOP = 5


def read(path: Path, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """A text file as the inputs of pipeline.onnx; ValueError where it is empty or no UTF-8."""
    return read_text(path.read_text(encoding="utf-8-sig"), problem)


def read_text(text: str, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The inputs of pipeline.onnx: `tokens` int64 [1, length] and `lengths` int64 [1]; cut at the longest length."""
    facts = problem["input"]
    tokens = encode(text.strip(), numbers(problem["vocabulary"]), facts["unit"])[: facts["max_length"]]
    if not tokens:
        raise ValueError("the text is empty")
    return {"tokens": np.array([tokens], np.int64), "lengths": np.array([len(tokens)], np.int64)}


def ranked(
    answer: Mapping[str, np.ndarray[Any, Any]], classes: Sequence[str], limit: int = TOP
) -> list[tuple[str, float]]:
    """The likeliest classes with their probabilities, best first."""
    probabilities = answer["probabilities"][0]
    best = np.argsort(-probabilities, kind="stable")[:limit]
    return [(classes[index], float(probabilities[index])) for index in best]


def show(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any], limit: int = TOP) -> str:
    """A line for each of the likeliest classes: probability, bar, name."""
    lines = ranked(answer, problem["classes"], limit)
    return "\n".join(f"{share:7.2%}  {'█' * round(share * 20):<20}  {name}" for name, share in lines)
