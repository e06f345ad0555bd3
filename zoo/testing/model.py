"""What every architecture must keep, asked through its signature alone.  [torch]"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from zoo.api.specs import ModelSpec
from zoo.api.task import Port, Signature
from zoo.models.weights.load import load_state, read_state
from zoo.registry.name_resolution import Offer
from zoo.testing.check_context import Bench, Built
from zoo.testing.overfit import Lesson, learn
from zoo.testing.score import Failing, NotApplicable
from zoo.testing.variants import variants
from zoo.training.state import separate
from zoo_export.measure.graph import torch_repeats
from zoo_export.subject.batching import batch_name, batches, join, split
from zoo_export.subject.module_io import Array, call

Model = Offer[ModelSpec]
SAME = 1e-3
"""Of an output's largest value: more than rounding makes, less than a neighbour in the batch does."""
FIRST_STEPS, FIRST_ITEMS = 24, 64
"""A layer that begins with zeros lets gradients through after it has learnt once, and not every item reaches all."""


def shapes(bench: Bench, offer: Model) -> str:
    """Inputs and outputs have the shapes and types of the signature, for other sizes and class counts too."""
    tried = []
    for name, problem in variants(bench.problem(offer), offer.spec):
        built = bench.build(offer, problem)
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


def finite(bench: Bench, offer: Model) -> str:
    """A new model answers realistic and uniform inputs with finite numbers."""
    built = bench.built(offer)
    for case in built.cases:
        for name, value in _answer(built, case.inputs).items():
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise Failing(f"{name} is not finite for the input {case.name!r}", next_step="look at the first layers")
    return f"{len(built.cases)} inputs"


def parameters(bench: Bench, offer: Model) -> str:
    """It has as many parameters as its card says, at the default number of classes."""
    problem = replace(bench.problem(offer), input=offer.spec.input)  # the data may have other channels
    found = sum(parameter.numel() for parameter in bench.build(offer, problem).model.parameters())
    stated = offer.spec.parameters
    if stated is None:
        raise NotApplicable("its card states no number", next_step=f"ModelSpec(..., parameters={found:_})")
    if found != stated:
        raise Failing(f"it has {found:,}, its card says {stated:,}", next_step=f"ModelSpec(..., parameters={found:_})")
    return f"{found:,}"


def determinism(bench: Bench, offer: Model) -> str:
    """In eval mode the same input gives the same bits, whatever the state of the random generators."""
    built = bench.built(offer)
    if not torch_repeats(built.subject.module, built.cases[:2], built.subject.signature):
        raise Failing(
            "it answers the same input otherwise the second time",
            next_step="draw no random numbers in eval mode: take them as an input",
        )
    return "the same bits twice"


def gradients(bench: Bench, offer: Model) -> str:
    """Every parameter gets a gradient from its trainer's loss within 24 steps."""
    if offer.spec.part_of:
        raise NotApplicable(f"it is trained as a part of {', '.join(offer.spec.part_of)}")
    lesson = bench.once(offer, "first steps", lambda: _first_steps(bench, offer))
    if lesson.deaf:
        more = f", and {len(lesson.deaf) - 5} more" if len(lesson.deaf) > 5 else ""
        raise Failing(
            f"{len(lesson.deaf)} of {lesson.parameters} parameters get none: {', '.join(lesson.deaf[:5])}{more}",
            next_step="leave out what the loss does not use, or freeze it: requires_grad_(False)",
        )
    return f"{lesson.parameters} tensors"


def _first_steps(bench: Bench, offer: Model) -> Lesson:
    return learn(bench, offer, steps=FIRST_STEPS, items=FIRST_ITEMS, enough=lambda lesson: not lesson.deaf)


def seed(bench: Bench, offer: Model) -> str:
    """The same seed gives the same parameters, another seed others."""
    problem = bench.problem(offer)
    first, again, other = (_state(bench.build(offer, problem, seed=number).model) for number in (0, 0, 1))
    differing = [name for name in first if not torch.equal(first[name], again[name])]
    if differing:
        raise Failing(
            f"built twice with one seed, {', '.join(differing[:3])} differ",
            next_step="draw from torch's own generator alone, not from numpy or the clock",
        )
    if first and all(torch.equal(first[name], other[name]) for name in first):
        raise Failing("two seeds give the same parameters", next_step="do not seed inside the builder")
    return f"{len(first)} tensors"


def state_round_trip(bench: Bench, offer: Model) -> str:
    """Saved as safetensors and loaded strictly into a new model, it gives the same answers, bit for bit."""
    built = bench.built(offer)
    file = bench.folder("state") / "model.safetensors"
    file.parent.mkdir()
    save_file(separate(built.model.state_dict()), file)
    fresh = bench.build(offer, built.problem, seed=1)
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


def batch_independence(bench: Bench, offer: Model) -> str:
    """An item's answer does not depend on what else is in its batch."""
    built = bench.built(offer)
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
