"""Sounds as test inputs: real ones of every length, several at once, random codes, silence, full scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, Split
from zoo.api.problem import AudioInput, Problem
from zoo.api.task import Case, Purpose
from zoo.data.audio.mu_law import SILENCE
from zoo.data.audio.sources import TONES, recording
from zoo.data.embedded import tones
from zoo.data.formats.splits import place

Codes = npt.NDArray[np.int64]
LENGTHS: Final = (33, 5, 1)
"""None is a multiple of another, except of 1, the shortest possible."""
LONG: Final = 400
"""Longer than the receptive field of a small network."""
ROWS: Final = 7
WINDOW: Final = 256
"""Samples of an evaluation item."""
GOLDEN_ITEMS: Final = 3
LOUDEST: Final = 255


def cases(card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
    """At most `limit` cases, without state."""
    sources: dict[Purpose, Callable[[DataCard | None, Problem], Iterator[Case]]] = {
        Purpose.PIPELINE: _raw,
        Purpose.MODEL: _ready,
        Purpose.EVALUATION: _items,
        Purpose.GOLDEN: _golden,
    }
    return islice(sources[purpose](card, problem), limit)


def _inputs(problem: Problem, codes: npt.NDArray[np.integer], condition: int) -> Mapping[str, Codes]:
    """Codes [rows, length] after silence, the classes in turn from `condition` on."""
    samples = codes.astype(np.int64)
    if not problem.classes:
        return {"samples": samples}
    return {"samples": samples, "condition": (condition + np.arange(len(samples))) % len(problem.classes)}


def _case(problem: Problem, name: str, kind: str, codes: Codes, *, condition: int = 0, gates: bool = True) -> Case:
    return Case(name=name, kind=kind, inputs=_inputs(problem, codes, condition), gates=gates, origin="synthetic")


def _measured(card: DataCard | None) -> tuple[Split, list[int]]:
    """The test split, or validation where there is none, and the indices of its recordings in the order of hashes."""
    if card is None:
        return "test", list(range(tones.COUNTS["test"]))
    split: Split = "test" if card.splits.get("test") else "validation"
    items = card.splits[split]
    return split, sorted(range(len(items)), key=lambda number: place(items[number].name))


def _real(card: DataCard | None, *, rows: int, length: int, start: int = 0) -> Codes:
    """The beginnings of recordings after one sample of silence; int64 [rows, length]."""
    split, indices = _measured(card)
    recordings = [recording(card, split, indices[(start + row) % len(indices)]) for row in range(rows)]
    return np.array([np.resize([SILENCE, *codes[:length].tolist()], length) for codes in recordings], np.int64)


def _raw(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """Real sounds, alone and several at once; neighbouring cases have as many rows, so that a rollout can continue."""
    long, short, least = LENGTHS
    yield _case(problem, f"length {LONG}, 1", "realistic", _real(card, rows=1, length=LONG))
    yield _case(problem, f"length {LONG}, 2", "realistic", _real(card, rows=1, length=LONG, start=1), condition=1)
    yield _case(problem, f"length {long}", "short", _real(card, rows=1, length=long, start=2), condition=2)
    yield _case(problem, f"length {short}", "shorter", _real(card, rows=1, length=short), condition=1)
    several = f"{ROWS} of length"
    yield _case(problem, f"{several} {least}", "shortest", _real(card, rows=ROWS, length=least, start=1), condition=1)
    yield _case(problem, f"{several} {long}", "several", _real(card, rows=ROWS, length=long))


def _ready(card: DataCard | None, problem: Problem) -> Iterator[Case]:  # noqa: ARG001  the same for all data
    """Random codes and a slow wave gate; silence and full scale only inform."""
    long, _, _ = LENGTHS
    random = np.random.default_rng(1)
    for number in (1, 2):
        yield _case(problem, f"uniform {number}", "uniform", random.integers(0, LOUDEST + 1, (1, long)))
    slow = np.round(SILENCE + 60 * np.sin(np.arange(LONG) / 20))[None].astype(np.int64)
    yield _case(problem, "slow wave", "smooth", slow, condition=1)
    yield _case(problem, "silence", "silence", np.full((1, LONG), SILENCE), gates=False)
    yield _case(problem, "full scale", "full scale", np.resize([0, LOUDEST], (1, LONG)), gates=False)


def _items(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """Windows of the evaluation recordings, each going on where the one before ends."""
    split, indices = _measured(card)
    rate = problem.input.sample_rate if card is not None and isinstance(problem.input, AudioInput) else None
    for number in indices:
        codes = recording(card, split, number, rate=rate)
        item = card.splits[split][number] if card is not None else None
        name = item.name if item is not None else f"embedded tones, {split} {number}"
        label = max(item.label, 0) if item is not None else tones.label(number)
        for at in range(0, len(codes) - 1, WINDOW):
            end = min(at + WINDOW, len(codes) - 1)
            yield Case(
                name=f"{name}, sample {at}",
                kind="realistic",
                continues=at > 0,
                inputs=_inputs(problem, codes[None, at:end], label),
                truth=codes[at + 1 : at + WINDOW + 1].astype(np.int64),
                origin=f"{name}, sample {at}",
            )


def _golden(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """Two windows of embedded tones, and up to three of the data's own recordings, or else more windows."""
    first, second, *others = islice(_items(None, problem), 2 + GOLDEN_ITEMS)
    yield from (first, second)
    own = card is not None and card.source.format != TONES
    yield from islice(_items(card, problem), GOLDEN_ITEMS) if own else others
