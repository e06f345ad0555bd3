"""The model of a bundle in PyTorch, to be timed beside it. [torch]"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import torch
from torch import nn

from zoo.api.errors import UsageError
from zoo.bundle.benchmark import PIPELINE, Run
from zoo.bundle.runtime.bundle import Bundle
from zoo.models.adapter import adapted
from zoo.models.load import load_trained
from zoo.models.outputs import Array, arguments
from zoo.models.pipeline import TorchPipeline, torch_pipeline
from zoo.models.target import resolve_target

EAGER, COMPILED = "eager PyTorch", "torch.compile"


def pytorch_subjects(
    bundle: Bundle, feeds: Mapping[str, Array], *, graph: str, threads: int, compiled: bool
) -> Sequence[tuple[str, Run]]:
    """Eager PyTorch and, where `compiled`, torch.compile of the model, each as what runs it a number of times.

    UsageError where the bundle does not say what it was exported from.
    """
    manifest = bundle.manifest
    if not manifest.lineage.target:
        raise UsageError(f"{bundle.path} was made of random weights, which PyTorch cannot have again by name")
    request = resolve_target(manifest.lineage.target, checkpoint=_checkpoint(manifest.lineage.checkpoint))
    trained = load_trained(request.target, request.catalog)
    module = adapted(trained.model, request.catalog, trained.entry, manifest.problem).eval()
    torch.set_num_threads(threads)
    pipeline = torch_pipeline(trained.task, manifest.problem, module)
    subjects = [(EAGER, _runs(pipeline, feeds, graph))]
    if compiled:
        faster = cast("nn.Module", torch.compile(module))
        subjects.append((COMPILED, _runs(replace(pipeline, model=faster), feeds, graph)))
    return subjects


def _checkpoint(path: str) -> str:
    """best, last or a step, as a run knows it; "best" where a bundle does not say."""
    return Path(path).name if path else "best"


def _runs(pipeline: TorchPipeline, feeds: Mapping[str, Array], graph: str) -> Run:
    run: Callable[[], object] = partial(pipeline, feeds)
    if graph != PIPELINE:
        run = partial(pipeline.model, *arguments(feeds, pipeline.model_signature))

    def times(count: int) -> list[float]:
        spent = []
        with torch.inference_mode():
            for _ in range(count):
                start = time.perf_counter()
                run()
                spent.append(time.perf_counter() - start)
        return spent

    return times
