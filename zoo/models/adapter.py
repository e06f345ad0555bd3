"""The module that is exported of a model, and its inputs and outputs.  [torch]"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from torch import nn

from zoo.api.errors import PluginError
from zoo.api.parts import Task
from zoo.api.problem import Problem
from zoo.api.specs import ModelSpec
from zoo.api.task import Signature
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry


def adapted(model: nn.Module, catalog: Catalog, entry: RegistryEntry[ModelSpec], problem: Problem) -> nn.Module:
    """What is exported of a model, in eval mode: the model itself, or what its adapter makes of it."""
    if entry.spec.adapter is None:
        return model.eval()
    make = cast(Callable[[nn.Module, Problem], nn.Module], catalog.load(entry, entry.spec.adapter))
    module = make(model, problem)
    if not isinstance(module, nn.Module):
        raise PluginError(f"the adapter {entry.spec.adapter!r} of {entry.full_name} gives a {type(module).__name__}")
    return module.eval()


def signature_of(module: nn.Module, task: Task, problem: Problem) -> Signature:
    """The inputs and outputs of model.onnx: the module's own `signature` where it declares one, else the task's."""
    own = getattr(module, "signature", None)
    return own if isinstance(own, Signature) else task.model_signature(problem)
