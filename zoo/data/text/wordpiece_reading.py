"""Texts of BERT's word pieces as the inputs of pipeline.onnx."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.text.wordpiece import encode


def read(path: Path, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """A text file as the inputs of pipeline.onnx; ValueError where it is empty or no UTF-8."""
    return read_text(path.read_text(encoding="utf-8-sig"), problem)


def read_text(text: str, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The inputs of pipeline.onnx: `tokens` int64 [1, length] and `lengths` int64 [1]; cut at the longest length."""
    rules, longest = problem["facts"]["tokenizer"], problem["input"]["max_length"]
    ids = {piece: index for index, piece in enumerate(problem["vocabulary"])}
    tokens = encode(text, ids, rules, longest)
    if not tokens:
        raise ValueError("the text is empty")
    return {"tokens": np.array([tokens], np.int64), "lengths": np.array([len(tokens)], np.int64)}
