"""A bundle measured on data: the answers of its pipeline.onnx, counted by its task in numpy; torch-free."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.data import DataCard, DataRequest, Split
from zoo.api.errors import UsageError
from zoo.api.parts import Task
from zoo.api.task import Case, Progress, Purpose
from zoo.bundle.answer_metrics import answer_metrics
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.manifest import Manifest
from zoo.bundle.runtime.predict import bundle_pipeline
from zoo.registry.catalog import Catalog
from zoo.runs.evaluation_result import (
    Evaluation,
    check_classes,
    check_save_folder,
    choose_split,
    recorded,
    save_measured,
)

if TYPE_CHECKING:
    from zoo.api.task import Arrays


def evaluate_bundle(
    path: Path,
    catalog: Catalog,
    *,
    data: str | None = None,
    data_root: Path | None = None,
    encoding: str = "",
    split: Split | None = None,
    save: Path | None = None,
    overwrite: bool = False,
    checking: Progress,
    measuring: Progress,
) -> Evaluation:
    """The metrics that the bundle's task has for answers, over one split; `save` is a new folder for metrics.json.

    `data` defaults to the task's embedded data, where these are what the model was trained on.  UsageError for a
    task that measures no single answers, as where made pictures are measured as a whole.
    """
    check_save_folder(save, overwrite=overwrite)
    bundle = Bundle.open(path)
    manifest = bundle.manifest
    task, source = catalog.make_task(manifest.task), data or _embedded(manifest, catalog)
    request = DataRequest(source=source, root=data_root, encoding=encoding)
    card = task.data.check(task.data.detect(request), progress=checking)
    if data is None:
        _check_data(manifest, card)
    data_problem = task.problem(card, manifest.problem.input)
    check_classes(manifest.model, manifest.problem.classes, source=source, found=data_problem.classes)
    chosen, notes = choose_split(card, split, own=_is_own(manifest, card))
    start = time.monotonic()
    metrics, items = _measure(bundle, task, card, chosen, measuring)
    if not metrics:
        raise UsageError(
            f"the task {task.name} has no metrics for the answers of a bundle",
            hint=f"measure what it was exported from: zoo eval {manifest.lineage.target or 'RUN'}",
        )
    result = Evaluation(
        model=manifest.model,
        task=task.name,
        data=source,
        split=chosen,
        items=items,
        metrics=recorded(metrics),
        seconds=round(time.monotonic() - start, 3),
        notes=("the answers of pipeline.onnx were measured", *card.notes, *notes),
    )
    return result if save is None else save_measured(result, lambda _: (), save, overwrite=overwrite)


def _embedded(manifest: Manifest, catalog: Catalog) -> str:
    source = catalog.task(manifest.task).spec.default_data
    if not source:
        raise UsageError(f"the task {manifest.task} has no embedded data", hint="name yours with --data")
    return source


def _is_own(manifest: Manifest, card: DataCard) -> bool:
    return not manifest.lineage.data or card.has_fingerprint(manifest.lineage.data)


def _check_data(manifest: Manifest, card: DataCard) -> None:
    """UsageError where the embedded data are not those of the training, which a bundle knows by their hash alone."""
    if not _is_own(manifest, card):
        raise UsageError(
            f"{manifest.model} was not trained on the embedded {card.source.request.source}, and a bundle does not say "
            "where its data are",
            hint="name them with --data",
        )


def _measure(
    bundle: Bundle, task: Task, card: DataCard, split: Split, progress: Progress
) -> tuple[dict[str, float], int]:
    """The task's metrics over a split, and how many items it has."""
    problem, signature = bundle.manifest.problem, bundle.manifest.pipeline_signature
    state = signature.initial_state()
    total = len(card.splits[split])
    measured = replace(card, splits={**card.splits, "test": card.splits[split]})
    limit = sys.maxsize if task.tags.generative else total  # one text or recording gives many cases
    cases: list[Case] = []
    answers: list[Arrays] = []
    with bundle_pipeline(bundle) as answer:
        for case in task.answers.cases(measured, problem, Purpose.EVALUATION, limit=limit):
            before = answers[-1] if case.continues and answers else None
            carried = {name: before[output] for name, output in signature.feedback.items()} if before else state
            answers.append(answer({**case.inputs, **carried}))
            cases.append(replace(case, inputs={}))  # thousands of pictures would not fit into memory
            progress(len(cases), max(total, len(cases)))
    return answer_metrics(task, answers, cases, problem, wanted=bundle.manifest.metrics).metrics, len(cases)
