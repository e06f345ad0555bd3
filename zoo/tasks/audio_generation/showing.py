"""Answers of models of sounds made readable: a wav file with its picture, or what would come next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.api.problem import Json, Problem
from zoo.api.task import Case, Shown
from zoo.data.audio.mu_law import to_signal, wave_bytes
from zoo.data.audio.spectrogram import loudest, sound_picture
from zoo.runs.serialization import to_json
from zoo.tasks.audio_generation import device

if TYPE_CHECKING:
    from zoo.api.task import Arrays

MIN_SAMPLES = 64
"""A sound of fewer samples has no meaningful frequency."""


def show(case: Case, answer: Arrays, problem: Problem, *, limit: int) -> Shown:
    """The sound that was written; of a single run of the graph, the likeliest next samples."""
    return _sound(case, answer, problem) if "samples" in answer else _next(case, answer, limit)


def _sound(case: Case, answer: Arrays, problem: Problem) -> Shown:
    named = to_json(problem)
    rate: int = named["input"]["sample_rate"]
    signal = to_signal(answer["samples"][0, 1:])
    files = {".wav": wave_bytes(signal, rate)}
    prompt_length = case.inputs["samples"].shape[1] - 1
    text = device.show(dict(answer), named)
    record: dict[str, Json] = {"samples": len(signal), "sample_rate": rate, "given": prompt_length}
    if "condition" in case.inputs:
        record["class"] = problem.classes[int(case.inputs["condition"][0])]
    if len(signal) < MIN_SAMPLES:
        return Shown(text=text, record=record, files=files)
    record["loudest_hertz"] = round(loudest(signal, rate), 1)
    return Shown(
        text=f"{text}, loudest at {loudest(signal, rate):.0f} Hz",
        record=record,
        picture=sound_picture(signal, rate),
        files=files,
    )


def _next(case: Case, answer: Arrays, limit: int) -> Shown:
    scores = answer["logits"][0, -1].astype(np.float64)
    weights = np.exp(scores - scores.max())
    shares = weights / weights.sum()
    best = np.argsort(-shares, kind="stable")[:limit].tolist()
    values = to_signal(np.array(best)).tolist()
    following: list[Json] = [
        {"code": code, "signal": round(value, 4), "probability": float(shares[code])}
        for code, value in zip(best, values, strict=True)
    ]
    line = "  ".join(f"{value:+.3f} {shares[code]:.1%}" for code, value in zip(best, values, strict=True))
    length = case.inputs["samples"].shape[1]
    return Shown(text=f"after {length} samples → {line}", record={"length": length, "next": following})
