"""Texts that a tokenizer.json cuts as the inputs of pipeline.onnx."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.text.subword.encode import subword_encoder

Tokens = dict[str, np.ndarray[Any, Any]]


def text_reader(problem: Mapping[str, Any]) -> Callable[[str], Tokens]:
    """The function from a text to `tokens` int64 [1, length] and `lengths` int64 [1]; ValueError where it is empty."""
    rules, longest = problem["facts"]["tokenizer"], problem["input"]["max_length"]
    encode, ends = subword_encoder(problem["vocabulary"], rules), len(rules["first"]) + len(rules["last"])

    def inputs(text: str) -> Tokens:
        tokens = encode(text, longest)
        if len(tokens) <= ends:
            raise ValueError("the text is empty")
        return {"tokens": np.array([tokens], np.int64), "lengths": np.array([len(tokens)], np.int64)}

    return inputs


def read_text(text: str, problem: Mapping[str, Any]) -> Tokens:
    """The inputs of pipeline.onnx."""
    return text_reader(problem)(text)


def read(path: Path, problem: Mapping[str, Any]) -> Tokens:
    """A text file as the inputs of pipeline.onnx; ValueError where it is empty, no UTF-8 or a table."""
    if path.suffix.lower() in (".csv", ".tsv", ".jsonl", ".ndjson"):
        raise ValueError("it is a table; give its texts in quotes, or ask `zoo predict`")
    return read_text(path.read_text(encoding="utf-8-sig"), problem)
