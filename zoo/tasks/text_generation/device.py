"""Reading, writing and showing for text generation; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.text.vocabulary import SPECIAL, decode, encode, token_ids

Arrays = dict[str, np.ndarray[Any, Any]]
SETTINGS = {"length": 200, "temperature": 0.8, "seed": 0}
"""Tokens written after the prompt; below 1 the likelier tokens become likelier still, at 0 the likeliest is taken."""


def read(path: Path, problem: Mapping[str, Any]) -> Arrays:
    """A text file as the prompt; ValueError where it is empty, no UTF-8 or a table."""
    if path.suffix.lower() in (".csv", ".tsv", ".jsonl", ".ndjson"):
        raise ValueError("it is a table; give its prompts in quotes, or ask `zoo predict`")
    return read_text(path.read_text(encoding="utf-8-sig"), problem)


def read_text(text: str, problem: Mapping[str, Any]) -> Arrays:
    """The prompt as the input of pipeline.onnx: `tokens` int64 [1, length], a line break before the text."""
    tokens = encode("\n" + text.rstrip("\r\n"), token_ids(problem["vocabulary"]), problem["input"]["unit"])
    return {"tokens": np.array([tokens], np.int64)}


def sample(logits: np.ndarray[Any, Any], *, temperature: float, generator: np.random.Generator) -> int:
    """A token drawn from the softmax of logits / temperature; never a special one."""
    scores = np.array(logits, np.float64)
    scores[: len(SPECIAL)] = -np.inf
    if temperature <= 0:
        return int(scores.argmax())
    weights = np.exp((scores - scores.max()) / temperature)
    return int(generator.choice(len(weights), p=weights / weights.sum()))


def generate(
    run: Callable[[Arrays], Arrays],
    inputs: Arrays,
    feedback: Mapping[str, str],
    problem: Mapping[str, Any],  # noqa: ARG001  every task's
    settings: Mapping[str, float] = SETTINGS,
) -> Arrays:
    """The prompt and what the model writes after it, as `tokens` int64 [1, length], with the last `logits`."""
    generator = np.random.default_rng(int(settings["seed"]))
    tokens = inputs["tokens"][0].tolist()
    answer = run(inputs)
    for _ in range(int(settings["length"])):
        drawn = sample(answer["logits"][0, -1], temperature=settings["temperature"], generator=generator)
        tokens.append(drawn)
        state = {name: answer[output] for name, output in feedback.items()}
        answer = run({"tokens": np.array([[drawn]], np.int64), **state})
    return {"tokens": np.array([tokens], np.int64), "logits": answer["logits"][:, -1:]}


def show(answer: Arrays, problem: Mapping[str, Any]) -> str:
    """The text."""
    return decode(answer["tokens"][0].tolist(), problem["vocabulary"]).strip("\n")
