"""What every architecture must keep, asked through its signature alone.  [torch]"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from zoo.api.problem import ImageInput, LatentInput
from zoo.api.specs import ModelSpec
from zoo.api.task import Port, Signature
from zoo.models.outputs import Array, call
from zoo.models.weights.load import load_state, read_state
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing.check_context import Built, CheckContext
from zoo.testing.overfit import OverfitTest, learn
from zoo.testing.score import Failing, NotApplicable
from zoo.testing.variants import variants
from zoo.training.state import separate
from zoo_export.measure.graph import torch_repeats
from zoo_export.subject.batching import batch_name, batches, join, split

Model = RegistryEntry[ModelSpec]
SAME = 1e-3
"""Of an output's largest value: more than rounding makes, less than a neighbour in the batch does."""
FIRST_STEPS, FIRST_ITEMS = 24, 64
"""A layer that begins with zeros lets gradients through after it has learnt once, and not every item reaches all."""


def shapes(context: CheckContext, entry: Model) -> str:
    """Inputs and outputs have the shapes and types of the signature, for other sizes and class counts too."""
    tried = []
    for name, problem in variants(context.problem(entry), entry.spec):
        built = context.build(entry, problem)
        inputs = _batch(built, largest=2)
        wrong = misfits(inputs, _answer(built, inputs), built.subject.signature)
        if wrong:
            raise Failing(f"{name}: {'; '.join(wrong)}", next_step="let the signature and the network say the same")
        tried.append(name)
    return ", ".join(tried)


def misfits(inputs: Mapping[str, Array], outputs: Mapping[str, Array], signature: Signature) -> list[str]:
    """A sentence for each array that is not as its port says; one name of an axis is one size."""
    sizes: dict[str, int] = {}
    wrong = []
    for values, ports in ((inputs, signature.inputs), (outputs, signature.outputs)):
        for port in ports:
            value = values[port.name]
            if str(value.dtype) != port.dtype:
                wrong.append(f"{port.name} is {value.dtype}, the signature says {port.dtype}")
            if not _fits(value, port, sizes):
                wrong.append(f"{port.name} is {list(value.shape)}, the signature says {list(port.shape)}")
    return wrong


def _fits(value: Array, port: Port, sizes: dict[str, int]) -> bool:
    return value.ndim == len(port.shape) and all(
        found == (said if isinstance(said, int) else sizes.setdefault(said, found))
        for found, said in zip(value.shape, port.shape, strict=True)
    )


def finite(context: CheckContext, entry: Model) -> str:
    """A new model answers realistic and uniform inputs with finite numbers."""
    built = context.built(entry)
    for case in built.cases:
        for name, value in _answer(built, case.inputs).items():
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise Failing(f"{name} is not finite for the input {case.name!r}", next_step="look at the first layers")
    return f"{len(built.cases)} inputs"


def parameters(context: CheckContext, entry: Model) -> str:
    """It has as many parameters as its card says, at the default number of classes."""
    problem = context.problem(entry)
    if isinstance(problem.input, ImageInput | LatentInput):  # the data may have other channels
        problem = replace(problem, input=entry.spec.input)
    found = sum(parameter.numel() for parameter in context.build(entry, problem).model.parameters())
    stated = entry.spec.parameters
    if stated is None:
        raise NotApplicable("its card states no number", next_step=f"ModelSpec(..., parameters={found:_})")
    if found != stated:
        raise Failing(f"it has {found:,}, its card says {stated:,}", next_step=f"ModelSpec(..., parameters={found:_})")
    return f"{found:,}"


def determinism(context: CheckContext, entry: Model) -> str:
    """In eval mode the same input gives the same bits, whatever the state of the random generators."""
    built = context.built(entry)
    if not torch_repeats(built.subject.module, built.cases[:2], built.subject.signature):
        raise Failing(
            "it answers the same input otherwise the second time",
            next_step="draw no random numbers in eval mode: take them as an input",
        )
    return "the same bits twice"


def gradients(context: CheckContext, entry: Model) -> str:
    """Every parameter gets a gradient from its trainer's loss within 24 steps."""
    if entry.spec.part_of:
        raise NotApplicable(f"it is trained as a part of {', '.join(entry.spec.part_of)}")
    overfit_test = context.once(entry, "first steps", lambda: _first_steps(context, entry))
    if overfit_test.deaf:
        more = f", and {len(overfit_test.deaf) - 5} more" if len(overfit_test.deaf) > 5 else ""
        raise Failing(
            f"{len(overfit_test.deaf)} of {overfit_test.parameters} parameters get none: "
            f"{', '.join(overfit_test.deaf[:5])}{more}",
            next_step="leave out what the loss does not use, or freeze it: requires_grad_(False)",
        )
    return f"{overfit_test.parameters} tensors"


def _first_steps(context: CheckContext, entry: Model) -> OverfitTest:
    return learn(
        context, entry, steps=FIRST_STEPS, items=FIRST_ITEMS, enough=lambda overfit_test: not overfit_test.deaf
    )


def seed(context: CheckContext, entry: Model) -> str:
    """The same seed gives the same parameters, another seed others."""
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
    return f"{len(first)} tensors"


def state_round_trip(context: CheckContext, entry: Model) -> str:
    """Saved as safetensors and loaded strictly into a new model, it gives the same answers, bit for bit."""
    built = context.built(entry)
    file = context.folder("state") / "model.safetensors"
    file.parent.mkdir()
    save_file(separate(built.model.state_dict()), file)
    fresh = context.build(entry, built.problem, seed=1)
    load_state(fresh.model, read_state(file), origin="the saved state")
    for case in built.cases[:3]:
        before, after = (_answer(one, case.inputs) for one in (built, fresh))
        for name, value in before.items():
            if value.tobytes() != after[name].tobytes():
                raise Failing(
                    f"{name} differs after loading",
                    next_step="register what the answer depends on as a parameter or a buffer",
                )
    return f"{len(_state(built.model))} tensors"


def batch_independence(context: CheckContext, entry: Model) -> str:
    """An item's answer does not depend on what else is in its batch."""
    built = context.built(entry)
    signature = built.subject.signature
    if batch_name(signature) is None:
        raise NotApplicable("its graph takes one item at a time")
    group = max(batches([case.inputs for case in built.cases], signature, largest=3), key=len)
    alone = [_answer(built, built.cases[place].inputs) for place in group]
    sizes = [len(next(iter(built.cases[place].inputs.values()))) for place in group]
    if len(group) == 1 and sizes[0] == 1:
        raise NotApplicable("the task offers only one input of each shape")
    together = _answer(built, join([built.cases[place].inputs for place in group], signature.inputs))
    for one, other in zip(alone, split(together, signature, sizes), strict=True):
        for name, value in one.items():
            error, scale = _distance(value, other[name])
            if error > SAME * scale:
                raise Failing(
                    f"{name} moves by {error:.3g} of {scale:.3g} when other items are in the batch",
                    next_step="norms over the batch must use their running statistics in eval mode",
                )
    return f"{len(group)} items alone and together"


def _distance(one: Array, other: Array) -> tuple[float, float]:
    """The largest difference, and the largest value."""
    if not one.size:
        return 0.0, 1.0
    left, right = one.astype(np.float64), other.astype(np.float64)
    return float(np.abs(left - right).max()), max(float(np.abs(left).max()), 1e-6)


def _batch(built: Built, *, largest: int) -> dict[str, Array]:
    inputs: list[Mapping[str, Any]] = [case.inputs for case in built.cases]
    if not inputs:
        raise Failing(f"the task {built.problem.task} offers no inputs of its model for a problem like this")
    group = max(batches(inputs, built.subject.signature, largest=largest), key=len)
    return join([inputs[place] for place in group], built.subject.signature.inputs)


def _answer(built: Built, inputs: Mapping[str, Array]) -> dict[str, Array]:
    return call(built.subject.module, inputs, built.subject.signature)


def _state(model: nn.Module) -> dict[str, Tensor]:
    return dict(model.state_dict())
