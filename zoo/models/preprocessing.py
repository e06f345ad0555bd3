"""A model's own preprocessing, for pictures, texts and files: what pipeline.onnx begins with.  [torch]"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from zoo.api.errors import UsageError
from zoo.api.parts import Task
from zoo.api.problem import Problem
from zoo.bundle.runtime.manifest import read_manifest
from zoo.models.inputs.in_memory import is_value
from zoo.models.inputs.opened import Opener
from zoo.models.inputs.source import GivenFile, GivenText, GivenValue, NamedInput
from zoo.models.load import load_trained
from zoo.models.target import BundleTarget, RunTarget, resolve_target, target_text
from zoo.registry.catalog import Catalog
from zoo.runs.scratch import ScratchFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a module was built as."""

    name: str
    """Full name."""
    task: Task
    problem: Problem


BUILT: WeakKeyDictionary[nn.Module, Built] = WeakKeyDictionary()
"""What `create_model` built, for as long as it lives."""


class Preprocessing:
    """A function from a picture (Pillow's, uint8 [height, width, 3], or a path) or a text to what the model reads.

    The result is a tensor without batch axis, float32 [channels, height, width] for pictures; a tuple of tensors where
    the model reads several.

    Examples:
        >>> transform = zoo.preprocessing(zoo.create_model("cnn", num_classes=10, seed=0))
        >>> transform("seven.png").shape
        torch.Size([1, 28, 28])
    """

    def __init__(self, built: Built) -> None:
        self.name = built.name
        self.problem = built.problem
        self._task = built.task
        self._module = built.task.graphs.preprocess(built.problem).eval()
        self._ports = built.task.graphs.signatures(built.problem).pipeline.inputs

    def __call__(self, value: object) -> Tensor | tuple[Tensor, ...]:
        """The input of the model; UsageError or BadFile for what cannot be read."""
        inputs = self._levels(value) if len(self._ports) == 1 else None
        if inputs is None:
            inputs = self._read(value)
        with torch.no_grad():
            outputs = self._module(*inputs)
        tensors = [outputs] if isinstance(outputs, Tensor) else list(outputs)
        first, *others = [tensor[0] for tensor in tensors]
        return (first, *others) if others else first

    def __repr__(self) -> str:
        return f"Preprocessing({self.name}: {self.problem.input})"

    def _levels(self, value: object) -> list[Tensor] | None:
        """The levels of a plain colour picture in memory, at once; None for anything else."""
        plain = isinstance(value, Image.Image) and value.mode == "RGB" and not value.getexif()
        if plain and self._ports[0].dtype == "uint8":
            return [torch.from_numpy(np.array(value))]
        return None

    def _read(self, value: object) -> list[Tensor]:
        given: NamedInput
        if is_value(value):
            given = GivenValue(value=value, name="the input")
        elif isinstance(value, Path) or (isinstance(value, str) and not self._is_text(value)):
            given = GivenFile(path=Path(value))
        elif isinstance(value, str):
            given = GivenText(text=value)
        else:
            raise UsageError(f"a {type(value).__name__} is no input", hint="give a picture, an array, a path or a text")
        with ScratchFolder.make() as scratch:
            for source in Opener(problem=self.problem, folder=scratch.path).sources([given]):
                if source.failure is not None:
                    raise source.failure
                if source.path is None:
                    arrays = self._task.data.read_text(source.text or "", self.problem)
                else:
                    arrays = self._task.data.read(source.path, self.problem)[0].inputs
                return [torch.from_numpy(np.array(arrays[port.name])) for port in self._ports]
        raise UsageError("there is nothing to read")

    def _is_text(self, value: str) -> bool:
        return self._task.tags.reads_text and ("\0" in value or len(value) > 4096 or not Path(value).exists())


def preprocessing(model: nn.Module | str | Path) -> Preprocessing:
    """The transform of a model: of a module that `zoo.create_model` made, of a run, a bundle, weights, or a name.

    It prepares pictures for training loops and data loaders of one's own as the model's pipeline does.

    Args:
        model: A module of `zoo.create_model`, a run, a bundle, weights, or a name.

    Returns:
        A transform; pictures become float32 [channels, height, width].

    Raises:
        UsageError: A module that zoo did not make.

    Examples:
        >>> transform = zoo.preprocessing("cnn@digits")
        >>> transform("seven.png").dtype
        torch.float32
    """
    if isinstance(model, nn.Module):
        built = BUILT.get(model)
        if built is None:
            raise UsageError(
                f"this {type(model).__name__} was not made by zoo.create_model, so its preprocessing is not known",
                hint="name the model: zoo.preprocessing('resnet18')",
            )
        return Preprocessing(built)
    return Preprocessing(_named(target_text(model)))


def _named(text: str) -> Built:
    from zoo.models.build import default_problem  # noqa: PLC0415  it imports this module

    catalog = Catalog.discover()
    if "@" not in text and not Path(text).is_dir():
        entry = catalog.model(text)
        task = catalog.make_task(entry.spec.task)
        return Built(name=entry.full_name, task=task, problem=default_problem(catalog, entry))
    target = resolve_target(text, catalog=catalog).target
    if isinstance(target, BundleTarget):
        manifest = read_manifest(target.path).manifest
        return Built(name=manifest.model, task=catalog.make_task(manifest.task), problem=manifest.problem)
    if isinstance(target, RunTarget) and target.whole is None:
        task = catalog.make_task(target.model.spec.task)
        return Built(name=target.model.full_name, task=task, problem=target.run.problem)
    trained = load_trained(target, catalog)
    return Built(name=trained.entry.full_name, task=trained.task, problem=trained.problem)
