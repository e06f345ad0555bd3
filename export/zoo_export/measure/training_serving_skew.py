"""Training-serving skew: evaluation items as the dataset feeds them to the model, and as the pipeline makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from zoo.api.errors import DataError, UsageError
from zoo.api.problem import Problem
from zoo.api.task import Case, Item
from zoo.bundle.judge.evidence import Prepared
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline, without_state
from zoo_export.measure.preprocess import compare_preprocessed
from zoo_export.subject.results import Outputs
from zoo_export.subject.subject import Subject

DATASET = "the dataset"
COMPARED_ITEMS = 3
CLOSE = 1e-5
"""Relative difference of a float that is no picture."""


def measure_skew(
    subject: Subject, items: Sequence[Case], pipeline: TorchPipeline, *, noise: Mapping[str, float]
) -> tuple[Prepared, ...]:
    """The first few items that the data hold, both ways; empty where the dataset feeds other things."""
    held = [(case, case.item) for case in items if case.item is not None][:COMPARED_ITEMS]
    compared = [_compared(subject, case, item, pipeline, noise=noise) for case, item in held]
    return tuple(prepared for prepared in compared if prepared is not None)


def _compared(
    subject: Subject, case: Case, item: Item, pipeline: TorchPipeline, *, noise: Mapping[str, float]
) -> Prepared | None:
    serving = pipeline.inputs(case.inputs)
    training = _from_dataset(subject, item)
    expected = {name: value for name, value in serving.items() if name in training}
    if not expected:
        return None
    measured = _measured(training, expected, subject.problem)
    if measured.differing and not measured.far:
        answers = [
            pipeline.answer_with_margin(pipeline.outputs(inputs), case.inputs)
            for inputs in (serving, {**serving, **training})
        ]
        same = subject.task.answers.agreement(answers[:1], answers[1:], cases=[case], noise=noise).holds
        measured = replace(measured, same_answer=same)
    return replace(measured, name=case.name)


def _from_dataset(subject: Subject, item: Item) -> dict[str, Array]:
    """What the dataset feeds the model of this sample alone, by the model's port names; nothing where it cannot."""
    alone = replace(item.card, splits={item.split: (item.sample,)})
    try:
        dataset = subject.task.tensors.dataset(alone, item.split, subject.problem)
    except DataError:  # pairs to verify, say, need more than one
        return {}
    if len(dataset) != 1:
        return {}
    with torch.no_grad():
        batch: Mapping[str, Any] = dataset.ready(dataset.batch([0]))
    names = _own_names(subject)
    return {
        names[name]: value.detach().cpu().numpy()
        for name, value in batch.items()
        if name in names and isinstance(value, torch.Tensor)
    }


def _own_names(subject: Subject) -> dict[str, str]:
    """The task's names of the model's inputs to the model's own."""
    own = without_state(subject.signature).inputs
    try:
        ports = subject.task.model_signature(subject.problem).inputs
    except UsageError:  # a detector's ports are its adapter's to say
        ports = own
    return {port.name: own_port.name for port, own_port in zip(ports, own, strict=False)}


def _measured(training: Outputs, expected: Outputs, problem: Problem) -> Prepared:
    """Pictures in grey levels, floats nearly and whole numbers exactly."""
    pictures = {name: value for name, value in expected.items() if value.ndim == 4}
    levels = compare_preprocessed({name: training[name] for name in pictures}, pictures, problem) if pictures else None
    measured = levels or Prepared(against=DATASET, elements=0, differing=0, far=0)
    for name, value in expected.items():
        if levels is None or name not in pictures:
            actual = training[name]
            far = value.size if actual.shape != value.shape else int(np.count_nonzero(~_close(actual, value)))
            measured = replace(measured, elements=measured.elements + value.size, far=measured.far + far)
    return replace(measured, against=DATASET)


def _close(actual: Array, expected: Array) -> Array:
    if not np.issubdtype(expected.dtype, np.floating):
        return np.asarray(actual == expected)
    return np.asarray(np.abs(actual - expected) <= CLOSE * max(1.0, float(np.abs(expected).max(initial=0.0))))
