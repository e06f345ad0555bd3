"""Answers that are as right as PyTorch's own, because near-equal parts may be chosen otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from zoo.api.task import Case, Signature
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.proof.phases import Underway
from zoo_export.reference.oracle import Answer
from zoo_export.reference.proposals import Rows, possible_rows
from zoo_export.subject.module_io import Array, call
from zoo_export.subject.results import Given

Answers = list[dict[str, Array]]
SHAKES = 64
"""Of two scores as good as each other, each is the better one in half of so many; of three pairs, every way in some."""


def otherwise_in_case(under: Underway, place: int) -> Answers:
    """What is as right for one of the raw cases, in double precision."""
    model, pipeline = under.answers[MODEL][place], under.answers[PIPELINE][place]
    assert isinstance(pipeline, Answer), "only an answered case is compared"
    found = [dict(one) for one in pipeline.others]
    if isinstance(model, Answer) and model.rows is not None:
        given = under.trials[MODEL].result().given[place]
        raw = under.inputs.raw[place].inputs
        found += [under.finisher.double(one, raw) for one in _of_the_file(model.rows, given)]
    return found


def otherwise(under: Underway, raw: Mapping[str, Array]) -> Answers | None:
    """What eager PyTorch answers to an evaluation item where near-equal parts are chosen otherwise; None: too much."""
    if not under.off:
        return []
    inputs = _prepared(under, raw)
    rows = possible_rows(under.subject.module, inputs, under.model, off=under.off, double=False)
    if rows is None:
        return None
    [given] = under.worker.answers(MODEL, [Case(name="an item", kind="realistic", inputs=inputs)]).result()
    return [under.finisher.single(one, raw) for one in (*_of_the_file(rows, given), *rows.ways())]


def _of_the_file(rows: Rows, given: Given) -> Answers:
    """What is right where the parts are chosen that the file chose, if it could choose them."""
    found = None if isinstance(given, str) or rows.keys not in given else rows.chosen(given[rows.keys])
    return [] if found is None else [found]


def nearby(under: Underway, raw: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
    """What eager PyTorch answers where its own outputs are off by their noise."""
    outputs = call(under.subject.module, _prepared(under, raw), under.model)
    return (under.finisher.single(one, raw) for one in shaken(outputs, _noise(under)))


def _noise(under: Underway) -> dict[str, float]:
    """Per output of the model, PyTorch's own largest error over the gating cases."""
    noise: dict[str, float] = {}
    for case, answer in zip(under.inputs.model, under.answers[MODEL], strict=True):
        for name, error in answer.noise.items() if case.gates and isinstance(answer, Answer) else ():
            noise[name] = max(noise.get(name, 0.0), error.max or 0.0)
    return noise


def _prepared(under: Underway, raw: Mapping[str, Array]) -> dict[str, Array]:
    """What the model reads of a raw case, as training prepares it."""
    return call(under.prepare, raw, Signature(inputs=under.pipeline.inputs, outputs=under.model.inputs))


def shaken(outputs: Mapping[str, Array], noise: Mapping[str, float]) -> Iterator[dict[str, Array]]:
    """The outputs of a model, each number off by at most the noise of its output.

    Non-maximum suppression keeps the better of two boxes that overlap: of two as good as each other, either.
    """
    random = np.random.default_rng(SHAKES)
    for _ in range(SHAKES):
        yield {
            name: (value + random.uniform(-noise[name], noise[name], value.shape)).astype(value.dtype)
            if name in noise
            else value
            for name, value in outputs.items()
        }
