"""Checks of every architecture, through its signature alone.  [torch]"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from zoo.api.data import counted
from zoo.api.problem import ImageInput, LatentInput
from zoo.api.specs import ModelSpec
from zoo.api.task import Port, Signature
from zoo.models.outputs import Array, call
from zoo.models.weights.load import load_state, read_state
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing.check_context import Built, CheckContext
from zoo.testing.declaration import pass_or_fail
from zoo.testing.overfit import OverfitTest, learn
from zoo.testing.score import Failing, NotApplicable
from zoo.testing.variants import variants
from zoo.training.loop.state import separate
from zoo_export.measure.graph import torch_repeats
from zoo_export.subject.batching import batch_name, batches, join, split

Model = RegistryEntry[ModelSpec]
MAX_RELATIVE_DIFFERENCE = 1e-3
"""Of an output's largest value: larger than rounding errors, smaller than the influence of other items."""
MADE_TAGS: Final = {
    "has_margin": ("graphs.postprocess", "margin"),
    "epoch_figure": ("tensors.metrics", "epoch_picture"),
    "ordered": ("tensors.dataset", "order"),
    "adjustable": ("tensors.dataset", "adjusted"),
}
"""Tags about what a part makes: which part makes it, and the method that the tag promises of it."""
TAG_ITEMS = 8
"""Of the training data that are looked at for their tags."""
GRADIENT_STEPS, GRADIENT_ITEMS = 24, 64
"""A layer of zeros passes gradients on only after its first update, and not every item reaches every parameter."""


def shapes(context: CheckContext, entry: Model) -> str:
    """Inputs and outputs have the shapes and types of the signature, for other sizes and class counts too."""
    names = []
    for name, problem in variants(context.problem(entry), entry.spec):
        built = context.build(entry, problem)
        inputs = _batch(built, largest=2)
        mismatches = signature_mismatches(inputs, _answer(built, inputs), built.subject.signature)
        if mismatches:
            raise Failing(f"{name}: {'; '.join(mismatches)}", next_step="correct the signature or the network")
        names.append(name)
    return ", ".join(names)


def signature_mismatches(inputs: Mapping[str, Array], outputs: Mapping[str, Array], signature: Signature) -> list[str]:
    """A sentence for each array that is not as its port says; axes of the same name must have the same size."""
    sizes: dict[str, int] = {}
    mismatches = []
    for values, ports in ((inputs, signature.inputs), (outputs, signature.outputs)):
        for port in ports:
            value = values[port.name]
            if str(value.dtype) != port.dtype:
                mismatches.append(f"{port.name} is {value.dtype}, the signature says {port.dtype}")
            if not _has_shape(value, port, sizes):
                mismatches.append(f"{port.name} is {list(value.shape)}, the signature says {list(port.shape)}")
    return mismatches


def _has_shape(value: Array, port: Port, sizes: dict[str, int]) -> bool:
    return value.ndim == len(port.shape) and all(
        actual == (expected if isinstance(expected, int) else sizes.setdefault(expected, actual))
        for actual, expected in zip(value.shape, port.shape, strict=True)
    )


def finite(context: CheckContext, entry: Model) -> str:
    """The outputs of a new model are finite for realistic and for uniform inputs."""
    built = context.built(entry)
    for case in built.cases:
        for name, value in _answer(built, case.inputs).items():
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise Failing(f"{name} is not finite for the input {case.name!r}", next_step="look at the first layers")
    return counted(len(built.cases), "input")


def tags(context: CheckContext, entry: Model) -> str:
    """Training data, metrics and postprocess have the methods that the tags of the task name, and no others."""
    task, problem = context.catalog.make_task(entry.spec.task), context.problem(entry)
    made: dict[str, Any] = {"graphs.postprocess": task.graphs.postprocess(problem)}
    made["tensors.metrics"] = task.tensors.metrics(problem)
    with suppress(NotApplicable):  # without data there is no dataset to look at
        few = context.sampled(entry, {"train": TAG_ITEMS}).make_task(entry.spec.task)
        made["tensors.dataset"] = few.tensors.dataset(context.card(entry), "train", problem)
    mistakes, names = [], []
    for tag, (part, method) in MADE_TAGS.items():
        promised = getattr(task.tags, tag)
        if part not in made or promised is None:  # tasks of API 1 declare nothing
            continue
        names.append(tag)
        if callable(getattr(made[part], method, None)) != promised:
            has = "has no" if promised else "has"
            mistakes.append(f"what {part} gives {has} {method}, and the tag {tag} is {promised}")
    return pass_or_fail(mistakes, ", ".join(names), next_step="the tag is what counts: TaskTags(...) in the TaskSpec")


def parameters(context: CheckContext, entry: Model) -> str:
    """It has as many parameters as its spec says, at the default number of classes."""
    problem = context.problem(entry)
    if isinstance(problem.input, ImageInput | LatentInput):  # the data may have other channels
        problem = replace(problem, input=entry.spec.input)
    count = sum(parameter.numel() for parameter in context.build(entry, problem).model.parameters())
    stated = entry.spec.parameters
    if stated is None:
        raise NotApplicable("its spec states no number", next_step=f"ModelSpec(..., parameters={count:_})")
    if count != stated:
        raise Failing(f"it has {count:,}, its spec says {stated:,}", next_step=f"ModelSpec(..., parameters={count:_})")
    return f"{count:,}"


def determinism(context: CheckContext, entry: Model) -> str:
    """In eval mode the same input gives the same output, bit for bit, whatever the random state."""
    built = context.built(entry)
    if not torch_repeats(built.subject.module, built.cases[:2], built.subject.signature):
        raise Failing(
            "the same input gives another output the second time",
            next_step="draw no random numbers in eval mode; take them as an input",
        )
    return "the same bits twice"


def gradients(context: CheckContext, entry: Model) -> str:
    """Every parameter gets a gradient from its trainer's loss within 24 steps."""
    if entry.spec.part_of:
        raise NotApplicable(f"it is trained as a part of {', '.join(entry.spec.part_of)}")
    overfit_test = context.once(entry, "gradient steps", lambda: _gradient_steps(context, entry))
    if overfit_test.without_gradient:
        more = f", and {len(overfit_test.without_gradient) - 5} more" if len(overfit_test.without_gradient) > 5 else ""
        raise Failing(
            f"{len(overfit_test.without_gradient)} of {overfit_test.parameters} parameters get none: "
            f"{', '.join(overfit_test.without_gradient[:5])}{more}",
            next_step="leave out what the loss does not use, or freeze it: requires_grad_(False)",
        )
    return counted(overfit_test.parameters, "tensor")


def _gradient_steps(context: CheckContext, entry: Model) -> OverfitTest:
    return learn(
        context,
        entry,
        steps=GRADIENT_STEPS,
        items=GRADIENT_ITEMS,
        enough=lambda overfit_test: not overfit_test.without_gradient,
    )


def seed(context: CheckContext, entry: Model) -> str:
    """The same seed gives the same parameters, and another seed gives others."""
    problem = context.problem(entry)
    first, again, other = (_state(context.build(entry, problem, seed=number).model) for number in (0, 0, 1))
    differing = [name for name in first if not torch.equal(first[name], again[name])]
    if differing:
        raise Failing(
            f"built twice with one seed, {', '.join(differing[:3])} differ",
            next_step="draw from torch's own generator alone, not from numpy or the clock",
        )
    if first and all(torch.equal(first[name], other[name]) for name in first):
        raise Failing("two seeds give the same parameters", next_step="do not seed inside the builder")
    return counted(len(first), "tensor")


def state_round_trip(context: CheckContext, entry: Model) -> str:
    """Saved as safetensors and loaded strictly into a new model, it gives the same answers, bit for bit."""
    built = context.built(entry)
    file = context.folder("state") / "model.safetensors"
    file.parent.mkdir()
    save_file(separate(built.model.state_dict()), file)
    fresh = context.build(entry, built.problem, seed=1)
    load_state(fresh.model, read_state(file), origin="the saved state")
    for case in built.cases[:3]:
        before, after = (_answer(model, case.inputs) for model in (built, fresh))
        for name, value in before.items():
            if value.tobytes() != after[name].tobytes():
                raise Failing(
                    f"{name} differs after loading",
                    next_step="register what the output depends on as a parameter or a buffer",
                )
    return counted(len(_state(built.model)), "tensor")


def batch_independence(context: CheckContext, entry: Model) -> str:
    """The output for an item does not depend on the other items of its batch."""
    built = context.built(entry)
    signature = built.subject.signature
    if batch_name(signature) is None:
        raise NotApplicable("its graph takes one item at a time")
    group = max(batches([case.inputs for case in built.cases], signature, largest=3), key=len)
    singly = [_answer(built, built.cases[index].inputs) for index in group]
    sizes = [len(next(iter(built.cases[index].inputs.values()))) for index in group]
    if len(group) == 1 and sizes[0] == 1:
        raise NotApplicable("the task offers only one input of each shape")
    batched = _answer(built, join([built.cases[index].inputs for index in group], signature.inputs))
    for outputs, outputs_in_batch in zip(singly, split(batched, signature, sizes), strict=True):
        for name, value in outputs.items():
            error, scale = _distance(value, outputs_in_batch[name])
            if error > MAX_RELATIVE_DIFFERENCE * scale:
                raise Failing(
                    f"{name} changes by {error:.3g} of {scale:.3g} when other items are in the batch",
                    next_step="batch normalisation must use its running statistics in eval mode",
                )
    return f"{counted(len(group), 'item')}, singly and as a batch"


def _distance(expected: Array, actual: Array) -> tuple[float, float]:
    """The largest difference, and the largest value."""
    if not expected.size:
        return 0.0, 1.0
    left, right = expected.astype(np.float64), actual.astype(np.float64)
    return float(np.abs(left - right).max()), max(float(np.abs(left).max()), 1e-6)


def _batch(built: Built, *, largest: int) -> dict[str, Array]:
    inputs: list[Mapping[str, Any]] = [case.inputs for case in built.cases]
    if not inputs:
        raise Failing(f"the task {built.problem.task} offers no inputs of its model for a problem like this")
    group = max(batches(inputs, built.subject.signature, largest=largest), key=len)
    return join([inputs[index] for index in group], built.subject.signature.inputs)


def _answer(built: Built, inputs: Mapping[str, Array]) -> dict[str, Array]:
    return call(built.subject.module, inputs, built.subject.signature)


def _state(model: nn.Module) -> dict[str, Tensor]:
    return dict(model.state_dict())
