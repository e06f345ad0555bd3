"""What the pipeline's answers reach on evaluation items, beside the run's own metrics on the same items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, cast

import numpy as np

from zoo.api.data import DataCard, Split
from zoo.api.postprocess import PostprocessKind
from zoo.api.task import Agreement, Case, Item
from zoo.bundle.answer_metrics import answer_metrics
from zoo.bundle.judge.evidence import Prepared, Truth
from zoo_export.measure.graph_run import GraphRun
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs
from zoo_export.subject.subject import Subject

MAX_ITEMS: Final = 200
"""The model runs on each item once more, as the dataset gives it."""
AGREEMENT: Final = "the agreement with PyTorch stands in its place"


def measure_truth(
    subject: Subject,
    items: Sequence[Case],
    outputs: Sequence[RuntimeOutputs],
    *,
    agreement: Agreement | None,
    skew: Sequence[Prepared],
    raw_head: bool,
) -> Truth:
    """The metrics of the file's answers to these items, and the run's own; `raw_head`: the answers are the raw head."""
    known = [index for index, case in enumerate(items) if case.truth is not None]
    if not known:
        return _without_truth(subject, items)
    data = _the_data(subject, items, known)
    if data is None or subject.own_metrics is None:
        return _unmatched(len(known), raw_head=raw_head)
    answers = [outputs[index] for index in data.indices]
    failure = next((answer.reason for answer in answers if isinstance(answer, Failed)), "")
    if failure:
        return Truth(items=len(answers), reason=f"an item has no answer: {failure}")
    cases = [items[index] for index in data.indices]
    metrics = "the run's own metrics cannot be measured on these items"
    try:
        own = subject.own_metrics(data.card, data.split)
        metrics = "the task's metrics cannot be measured on the file's answers"  # which may be of any shape
        found = answer_metrics(
            subject.task, cast("Sequence[Outputs]", answers), cases, subject.problem, wanted=(*own, *subject.metrics)
        )
    except Exception as error:  # a third party's dataset or metric
        sentence = f"{type(error).__name__}: {error}".splitlines()[0]
        return Truth(items=len(answers), reason=f"{metrics}: {sentence}")
    if not found.metrics.keys() & own.keys():
        return _unmatched(len(known), raw_head=raw_head)
    return Truth(
        items=len(answers),
        answers=found.metrics,
        own=dict(own),
        undecided=agreement.undecided if agreement is not None else 0,
        rounded=any(item.differing for item in skew),
        resized=_are_resized(subject, cases),
        stand_ins=tuple(name for name in found.stand_ins if name in own),
    )


def _are_resized(subject: Subject, cases: Sequence[Case]) -> bool:
    """Whether the answers are enlarged to pictures that have another size than the model's."""
    steps = subject.task.graphs.postprocess_steps(subject.problem)
    if all(step.kind != PostprocessKind.RESIZE_TO_IMAGE for step in steps):
        return False
    return any(case.inputs["image"].shape[:2] != subject.problem.image.size for case in cases)


def _without_truth(subject: Subject, items: Sequence[Case]) -> Truth:
    if items:
        reason = f"the task {subject.task.name} knows no true answer to an item: {AGREEMENT}"
        return Truth(items=0, reason=reason, needed=False)
    if not subject.trained:
        return Truth(items=0, reason=f"random weights have learnt nothing: {AGREEMENT}", needed=False)
    return Truth(items=0, reason="no evaluation items are at hand")


def _unmatched(items: int, *, raw_head: bool) -> Truth:
    """Items that the dataset does not give one by one, or a task without a metric of the same name for answers."""
    if raw_head:
        reason = f"the answer is the raw head itself, with nothing in between that could be wrong: {AGREEMENT}"
        return Truth(items=items, reason=reason, needed=False)
    reason = "the metrics of answers and those of the run cannot be had of the same items under the same name"
    return Truth(items=items, reason=reason)


class _Data(NamedTuple):
    """The same items as data."""

    card: DataCard
    split: Split
    indices: Sequence[int]
    """Which of the items they are."""


def _the_data(subject: Subject, items: Sequence[Case], known: Sequence[int]) -> _Data | None:
    """A card that holds these items, the first of them; None where the items do not say which samples they are."""
    held = [(index, item) for index in known if (item := items[index].item) is not None][:MAX_ITEMS]
    if held:
        first = held[0][1]
        same = [(index, item) for index, item in held if _together(item, first)]
        samples = tuple(item.sample for _, item in same)
        card = replace(first.card, splits={**first.card.splits, first.split: samples})
        return _Data(card, first.split, [index for index, _ in same])
    whole_card = subject.evaluation or subject.card
    if whole_card is None:
        return None
    split: Split = "test" if whole_card.splits.get("test") else "validation"
    whole = len(whole_card.splits.get(split, ())) == len(known) == len(items)
    whole = whole and not subject.task.tags.generative  # whose items are windows, and no samples
    return _Data(whole_card, split, known) if whole else None


def _together(item: Item, other: Item) -> bool:
    return item.card is other.card and item.split == other.split


def is_raw_head(model: GraphRun, pipeline: GraphRun) -> bool:
    """Whether the answers are the outputs of the model, number for number, in every case that both ran."""
    pairs = [
        (expected.single, answer.single)
        for expected, answer in zip(model.references, pipeline.references, strict=False)
        if not isinstance(expected, Failed) and not isinstance(answer, Failed)
    ]
    return bool(pairs) and all(_equal(outputs, answer) for outputs, answer in pairs)


def _equal(outputs: Outputs, answer: Mapping[str, np.ndarray]) -> bool:
    return all(name in outputs and np.array_equal(outputs[name], value) for name, value in answer.items())
