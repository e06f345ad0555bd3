"""Evaluation items on two roads to the model: as the dataset feeds them in training, as the pipeline prepares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from zoo.api.errors import DataError, UsageError
from zoo.api.problem import Problem
from zoo.api.task import Case, Item, Port, Signature
from zoo.bundle.judge.evidence import Prepared
from zoo_export.reference.postprocess import Finisher, in_levels
from zoo_export.subject.module_io import Array, call
from zoo_export.subject.rollout import stateless
from zoo_export.subject.subject import Subject

DATASET = "the dataset"
FED_ITEMS = 3
CLOSE = 1e-5
"""Relative difference of a float that is no picture."""


def fed_items(
    subject: Subject, items: Sequence[Case], *, prepare: nn.Module, finisher: Finisher, noise: Mapping[str, float]
) -> tuple[Prepared, ...]:
    """The first few items that the data hold, each on both roads; empty where the dataset feeds other things."""
    held = [case for case in items if case.item is not None][:FED_ITEMS]
    found = [_compared(subject, case, prepare=prepare, finisher=finisher, noise=noise) for case in held]
    return tuple(one for one in found if one is not None)


def _compared(
    subject: Subject, case: Case, *, prepare: nn.Module, finisher: Finisher, noise: Mapping[str, float]
) -> Prepared | None:
    assert case.item is not None
    model, pipeline = subject.signature, subject.pipeline_signature
    ready = call(prepare, case.inputs, Signature(inputs=pipeline.inputs, outputs=model.inputs))
    fed = _fed(subject, case.item)
    right = {name: value for name, value in ready.items() if name in fed}
    if not right:
        return None
    measured = _measured(fed, right, subject.problem)
    if measured.differing and not measured.far:
        answers = [finisher.single(call(subject.module, one, model), case.inputs) for one in (ready, {**ready, **fed})]
        same = subject.task.answers.agreement(answers[:1], answers[1:], cases=[case], noise=noise).holds
        measured = replace(measured, same_answer=same)
    return replace(measured, name=case.name)


def _fed(subject: Subject, item: Item) -> dict[str, Array]:
    """What the dataset gives the model of this sample alone, by the model's port names; nothing where it cannot."""
    alone = replace(item.card, splits={item.split: (item.sample,)})
    try:
        dataset = subject.task.tensors.dataset(alone, item.split, subject.problem)
    except DataError:  # pairs to verify, say, need more than one
        return {}
    if len(dataset) != 1:
        return {}
    with torch.no_grad():
        batch: Mapping[str, Any] = dataset.ready(dataset.batch([0]))
    names = _names(subject)
    return {
        names[name]: value.detach().cpu().numpy()
        for name, value in batch.items()
        if name in names and isinstance(value, torch.Tensor)
    }


def _names(subject: Subject) -> dict[str, str]:
    """What the task calls the model's inputs to what the model calls them."""
    own: Sequence[Port] = stateless(subject.signature).inputs
    try:
        theirs = subject.task.model_signature(subject.problem).inputs
    except UsageError:  # a detector's ports are its adapter's to say
        theirs = tuple(own)
    return {one.name: other.name for one, other in zip(theirs, own, strict=False)}


def _measured(fed: Mapping[str, Array], right: Mapping[str, Array], problem: Problem) -> Prepared:
    """Pictures in grey levels, floats nearly and whole numbers exactly."""
    pictures = {name: value for name, value in right.items() if value.ndim == 4}
    levels = in_levels({name: fed[name] for name in pictures}, pictures, problem) if pictures else None
    found = levels or Prepared(against=DATASET, elements=0, differing=0, far=0)
    for name, value in right.items():
        if levels is None or name not in pictures:
            far = value.size if fed[name].shape != value.shape else int(np.count_nonzero(~_close(fed[name], value)))
            found = replace(found, elements=found.elements + value.size, far=found.far + far)
    return replace(found, against=DATASET)


def _close(one: Array, other: Array) -> Array:
    if not np.issubdtype(other.dtype, np.floating):
        return np.asarray(one == other)
    return np.asarray(np.abs(one - other) <= CLOSE * max(1.0, float(np.abs(other).max(initial=0.0))))
