"""Answers from a trained model in PyTorch: preparing, model and finishing, as pipeline.onnx does them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from zoo.api.errors import BadFile
from zoo.models.adapter import adapted
from zoo.models.answers import Answer, Answerer, answers, bundle_answerer, resolve_inputs
from zoo.models.device import choose_device
from zoo.models.load import Trained, load_trained
from zoo.models.pipeline import torch_pipeline
from zoo.models.target import BundleTarget, TargetRequest, resolve_target
from zoo.registry.catalog import Catalog


def predict(
    target: str | Path,
    inputs: Sequence[str | Path],
    *,
    limit: int = 5,
    settings: Mapping[str, float] = MappingProxyType({}),
    device: str = "auto",
) -> list[Answer]:
    """The answers of a run, of weights or of a bundle for some files; BadFile for one that cannot be read.

    A folder among the inputs stands for every file in it; what is no file is a text, for tasks that read texts.
    No inputs at all are enough for tasks that answer without any (the tag `unconditional`).
    `limit` is how many ranked answers each shows, `settings` what the task lets choose (temperature).  A bundle is
    always run on the CPU.
    """
    request = resolve_target(str(target), device=device)
    files = resolve_inputs([str(path) for path in inputs], request.make_task())
    with target_answerer(request) as answerer:
        answered = list(answers(answerer, answerer.default_inputs(files), limit=limit, settings=settings))
    for answer in answered:
        if answer.unreadable:
            raise BadFile(answer.unreadable)
    return answered


@contextmanager
def target_answerer(request: TargetRequest) -> Iterator[Answerer]:
    """What answers for a target: a bundle's pipeline.onnx, or the trained model in PyTorch on the request's device."""
    target, catalog = request.target, request.catalog
    if isinstance(target, BundleTarget):
        with bundle_answerer(target.path, catalog) as answerer:
            yield answerer
    else:
        device = choose_device(request.device)
        yield trained_answerer(load_trained(target, catalog), catalog, device=device)


def trained_answerer(trained: Trained, catalog: Catalog, *, device: str = "cpu") -> Answerer:
    """A trained model between its task's preparing and finishing."""
    module = adapted(trained.model, catalog, trained.entry, trained.problem)
    pipeline = torch_pipeline(trained.task, trained.problem, module.to(device), device=device)
    return Answerer(
        model=trained.entry.full_name,
        task=trained.task,
        problem=trained.problem,
        answer=pipeline,
        signature=pipeline.signature,
        notes=trained.notes,
    )
