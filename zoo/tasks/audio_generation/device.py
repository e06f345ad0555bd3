"""Beginning, writing and showing sounds; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.audio.mu_law import SILENCE, read_wave, to_codes, to_signal, wave_bytes

Arrays = dict[str, np.ndarray[Any, Any]]
Facts = Mapping[str, Any]
SETTINGS = {"seconds": 0.5, "temperature": 0.8, "seed": 0}


def read(path: Path, problem: Facts) -> Arrays:
    """A wav file to go on from; where there are classes, its folder or its name's first part (low-3.wav) is one."""
    (rate, signal), wanted = read_wave(path), problem["input"]["sample_rate"]
    if rate != wanted:
        raise ValueError(f"it has {rate} samples a second: ffmpeg -i OLD.wav -ar {wanted} NEW.wav")
    return beginning(path, signal, problem)


def beginning(path: Path, signal: np.ndarray[Any, Any], problem: Facts) -> Arrays:
    """The same of a signal at the model's rate; the path only names the class."""
    known = problem["classes"] or ["silence"]
    named = [name for name in (path.absolute().parent.name, path.stem.split("-")[0]) if name in known]
    if problem["classes"] and not named:
        raise ValueError(f"put it into a folder called after its class: {', '.join(known)}")
    return read_text([*named, known[0]][0], problem) | {"samples": np.array([[SILENCE, *to_codes(signal)]], np.int64)}


def read_text(text: str, problem: Facts) -> Arrays:
    """`samples` int64 [1, 1]: silence; `condition` int64 [1]: the class of this name, where there are classes."""
    known = list(problem["classes"] or ["silence"])
    if text not in known:
        raise ValueError(f"it is no wav file, and none of {', '.join(known)}")
    inputs = {"samples": np.array([[SILENCE]], np.int64), "condition": np.array([known.index(text)], np.int64)}
    return inputs if problem["classes"] else {"samples": inputs["samples"]}


def generate(
    run: Callable[[Arrays], Arrays], inputs: Arrays, feedback: Facts, problem: Facts, settings: Facts = SETTINGS
) -> Arrays:
    """The beginning and what the model writes after it, as `samples` int64 [1, length], with the last `logits`."""
    random, codes, answer = np.random.default_rng(int(settings["seed"])), inputs["samples"][0].tolist(), run(inputs)
    for _ in range(round(settings["seconds"] * problem["input"]["sample_rate"])):
        noise = random.gumbel(size=256)  # the largest of logits + Gumbel noise is a draw from their softmax
        codes.append(int((answer["logits"][0, -1] + settings["temperature"] * noise).argmax()))
        following = {"samples": np.array([codes[-1:]], np.int64)} | {name: answer[feedback[name]] for name in feedback}
        answer = run(inputs | following)
    return {"samples": np.array([codes], np.int64), "logits": answer["logits"][:, -1:]}


def show(answer: Arrays, problem: Facts) -> str:
    """How long and how loud."""
    signal, rate = to_signal(answer["samples"][0, 1:]), problem["input"]["sample_rate"]
    return f"{len(signal) / rate:.2f} s at {rate} Hz, peak {np.abs(signal).max(initial=0):.2f}"


def keep(answer: Arrays, problem: Facts) -> str:
    """The same, with the sound in a new file here."""
    path = next(path for number in count(1) if not (path := Path(f"sound-{number}.wav")).exists())
    path.write_bytes(wave_bytes(to_signal(answer["samples"][0, 1:]), problem["input"]["sample_rate"]))
    return f"{path}, {show(answer, problem)}"
