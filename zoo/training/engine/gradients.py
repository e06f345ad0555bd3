"""Gradients averaged over the processes, in buckets, while the backward pass still computes the others.

The buckets are those of DistributedDataParallel (Li et al., PyTorch Distributed, VLDB 2020): parameters in reverse
order, the first bucket small, so that the exchange begins early.  Every process sends them in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, distributed, nn

from zoo.training.engine.fabric import Engine

FIRST_BYTES: Final = 1 << 20
BUCKET_BYTES: Final = 25 << 20
"""Of the first bucket, and of the others."""


@dataclass(slots=True)
class _Bucket:
    """Parameters of one type whose gradients travel together."""

    parameters: list[nn.Parameter] = field(default_factory=list)
    arrived: set[int] = field(default_factory=set)
    """Which of them have a gradient from this step."""
    flat: Tensor | None = None
    """What travels."""
    work: Any = None
    """The exchange that is under way."""
    again: bool = False
    """A gradient was added to after it had been sent."""

    def send(self, group: Any) -> None:
        gradients = [torch.zeros_like(item) if item.grad is None else item.grad for item in self.parameters]
        self.flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        self.work = distributed.all_reduce(self.flat, group=group, async_op=True)


class GradientExchange:
    """Averages the gradients of one optimiser's parameters; a missing gradient counts as zero.

    A parameter without a gradient on every process keeps none, so that weight decay and momentum do not change it.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], engine: Engine) -> None:
        self._parameters = list(parameters)
        self._engine = engine
        self._group: Any = distributed.new_group()  # its own order: other exchanges may come in between
        learning = [parameter for parameter in self._parameters if parameter.requires_grad]
        self._frozen = [parameter for parameter in self._parameters if not parameter.requires_grad]
        self._buckets = _buckets(learning)
        self._sent = 0
        self.listens = False
        """True in the last step of an accumulation, whose gradients may be sent as they come."""
        for number, bucket in enumerate(self._buckets):
            for parameter in bucket.parameters:
                parameter.register_post_accumulate_grad_hook(_Arrival(self, number))  # type: ignore[no-untyped-call]

    def arrived(self, number: int, parameter: nn.Parameter) -> None:
        """Note a gradient of the backward pass, and send what is complete and next in order."""
        if not self.listens:
            return
        bucket = self._buckets[number]
        if number < self._sent:
            bucket.again = True
            return
        bucket.arrived.add(id(parameter))
        while self._sent < len(self._buckets):
            bucket = self._buckets[self._sent]
            if len(bucket.arrived) < len(bucket.parameters):
                return
            bucket.send(self._group)
            self._sent += 1

    def finish(self) -> None:
        """Send the rest, wait for all, and put the means in the place of the gradients."""
        for bucket in self._buckets[self._sent :]:
            bucket.send(self._group)
        used = self._agree()
        thawed = _buckets([parameter for parameter in self._frozen if id(parameter) in used])
        for bucket in (*self._buckets, *thawed):
            if bucket.work is not None:
                bucket.work.wait()
            if bucket.work is None or bucket.again:
                bucket.send(self._group)
                bucket.work.wait()
            _put_back(bucket, used, self._engine.world)
            bucket.arrived.clear()
            bucket.flat, bucket.work, bucket.again = None, None, False
        self._sent, self.listens = 0, False

    def _agree(self) -> set[int]:
        """The parameters that have a gradient on some process; what all processes must know alike is told beside."""
        wishes = self._engine.wishes
        flags = [
            *(parameter.grad is not None for parameter in self._parameters),
            *(bucket.again for bucket in self._buckets),
            *wishes.own,
        ]
        counts = torch.tensor([float(flag) for flag in flags], device=self._engine.device)
        distributed.all_reduce(counts, group=self._group)
        told = [count > 0 for count in counts.tolist()]
        wishes.grant(*told[-2:])
        for bucket, again in zip(self._buckets, told[len(self._parameters) :], strict=False):
            bucket.again = again
        return {id(parameter) for parameter, one in zip(self._parameters, told, strict=False) if one}


class _Arrival:
    """Called with a parameter when its gradient is there."""

    def __init__(self, exchange: GradientExchange, number: int) -> None:
        self._exchange, self._number = exchange, number

    def __call__(self, parameter: Any) -> None:
        self._exchange.arrived(self._number, parameter)


def _buckets(parameters: Sequence[nn.Parameter]) -> list[_Bucket]:
    """Parameters that learn, the last first, since their gradients come first; each bucket of one type."""
    buckets: list[_Bucket] = []
    open_: dict[tuple[torch.dtype, torch.device], tuple[_Bucket, int]] = {}
    for parameter in reversed(parameters):
        kind = (parameter.dtype, parameter.device)
        bucket, room = open_.get(kind, (_Bucket(), 0))
        if room <= 0:
            bucket, room = _Bucket(), BUCKET_BYTES if buckets else FIRST_BYTES
            buckets.append(bucket)
        bucket.parameters.append(parameter)
        open_[kind] = (bucket, room - parameter.numel() * parameter.element_size())
    return buckets


def _put_back(bucket: _Bucket, used: set[int], world: int) -> None:
    assert bucket.flat is not None, "it was sent"
    bucket.flat /= world
    parts = torch.split(bucket.flat, [parameter.numel() for parameter in bucket.parameters])
    for parameter, part in zip(bucket.parameters, parts, strict=True):
        if id(parameter) in used:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            parameter.grad.copy_(part.view_as(parameter))
