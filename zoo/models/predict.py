"""Answers from a trained model in PyTorch: preparing, model and finishing, as pipeline.onnx does them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from zoo.api.errors import BadFile
from zoo.models.adapter import adapted
from zoo.models.answers import Answer, Answerer, answers, bundle_answerer, meant_inputs, task_of
from zoo.models.load import Trained, load_trained
from zoo.models.pipeline import torch_pipeline
from zoo.models.target import BundleTarget, Target, find_target
from zoo.registry.catalog import Catalog
from zoo.training.engine.fabric import choose_device


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
    No inputs at all are enough for tasks that begin by themselves (`zoo.Unprompted`).
    `limit` is how many ranked answers each shows, `settings` what the task lets choose (temperature).  A bundle is
    always run on the CPU.
    """
    catalog = Catalog.discover()
    meant = find_target(str(target), catalog)
    files = meant_inputs([str(one) for one in inputs], task_of(meant, catalog))
    with target_answerer(meant, catalog, device=device) as answerer:
        found = list(answers(answerer, answerer.meant(files), limit=limit, settings=settings))
    for answer in found:
        if answer.unreadable:
            raise BadFile(answer.unreadable)
    return found


@contextmanager
def target_answerer(target: Target, catalog: Catalog, *, device: str = "cpu") -> Iterator[Answerer]:
    """What answers for a target: a bundle's pipeline.onnx, or the trained model in PyTorch on a device."""
    if isinstance(target, BundleTarget):
        with bundle_answerer(target.path, catalog) as answerer:
            yield answerer
    else:
        chosen = choose_device(device)
        yield trained_answerer(load_trained(target, catalog), catalog, device=chosen)


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
