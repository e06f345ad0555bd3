"""Answers from a trained model in PyTorch: preparing, model and finishing, as pipeline.onnx does them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from zoo.api.errors import BadFile
from zoo.api.task import Signature
from zoo.models.adapter import adapted, signature_of
from zoo.models.answers import Answer, Answerer, answers, bundle_answerer, meant_inputs, task_of
from zoo.models.load import Trained, load_trained
from zoo.models.outputs import flatten
from zoo.models.target import BundleTarget, Target, find_target
from zoo.registry.catalog import Catalog
from zoo.training.engine.fabric import choose_device

if TYPE_CHECKING:
    from zoo.api.task import Arrays


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
    pipeline = TorchPipeline(trained, module, device=device)
    return Answerer(
        model=trained.entry.full_name,
        task=trained.task,
        problem=trained.problem,
        answer=pipeline,
        signature=pipeline.signature,
        notes=trained.notes,
    )


class TorchPipeline:
    """What pipeline.onnx computes, in PyTorch: raw inputs by name to answers by name, state handed through.

    The model alone is on the device; preparing and finishing, which are exact on the CPU, stay there.
    """

    def __init__(self, trained: Trained, module: nn.Module, *, device: str = "cpu") -> None:
        task, problem = trained.task, trained.problem
        self.inner = signature_of(module, task, problem)
        self.outer = task.graphs.signatures(problem).pipeline
        self.state = self.inner.state
        self.signature = Signature(
            inputs=(*self.outer.inputs, *self.state[0]), outputs=(*self.outer.outputs, *self.state[1])
        )
        self.prepare = task.graphs.preprocess(problem).eval()
        self.device = torch.device(device)
        self.model = module.eval().to(self.device)
        self.finish = task.graphs.postprocess(problem).eval()

    @torch.inference_mode()
    def __call__(self, arrays: Arrays) -> Arrays:
        """The answer to one raw input."""
        raw = {port.name: torch.from_numpy(np.array(arrays[port.name])) for port in self.signature.inputs}
        ready = [port for port in self.inner.inputs if port not in self.state[0]]
        given = raw | flatten(self.prepare(*(raw[port.name] for port in self.outer.inputs)), ready)
        made = self.model(*(given[port.name].to(self.device) for port in self.inner.inputs))
        outputs = {name: tensor.cpu() for name, tensor in flatten(made, self.inner.outputs).items()}
        kept = {port.name: outputs.pop(port.name) for port in self.state[1]}
        wanted = [raw[name] for name in getattr(self.finish, "raw", ())]
        answer = flatten(self.finish(*outputs.values(), *wanted), self.outer.outputs)
        return {name: tensor.numpy() for name, tensor in (answer | kept).items()}
