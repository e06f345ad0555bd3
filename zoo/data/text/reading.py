"""Texts of characters, words or word pieces as the inputs of pipeline.onnx."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.text.vocabulary import encode, token_ids
from zoo.data.text.wordpiece import encode_wordpieces


def read(path: Path, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """A text file as the inputs of pipeline.onnx; ValueError where it is empty, no UTF-8 or a table."""
    if path.suffix.lower() in (".csv", ".tsv", ".jsonl", ".ndjson"):
        raise ValueError("it is a table; give its texts in quotes, or ask `zoo predict`")
    return read_text(path.read_text(encoding="utf-8-sig"), problem)


def read_text(text: str, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The inputs of pipeline.onnx: `tokens` int64 [1, length] and `lengths` int64 [1]; cut at the longest length."""
    facts = problem["input"]
    if facts["unit"] == "wordpiece":
        ids = {piece: index for index, piece in enumerate(problem["vocabulary"])}
        tokens = encode_wordpieces(text, ids, problem["facts"]["tokenizer"], facts["max_length"])
    else:
        tokens = encode(text.strip(), token_ids(problem["vocabulary"]), facts["unit"])[: facts["max_length"]]
    if not tokens:
        raise ValueError("the text is empty")
    return {"tokens": np.array([tokens], np.int64), "lengths": np.array([len(tokens)], np.int64)}
