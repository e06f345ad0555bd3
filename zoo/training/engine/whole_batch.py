"""A process that has a share of a batch computes as if it had the whole of it: batch statistics and random numbers.

So several processes learn what one does.  It works on the functions, not on modules: a model may normalise in any way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, distributed
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

MAX_DROPPED: Final = 1 << 22
"""The masks of dropout for a whole batch are drawn up to so many numbers; above, each process draws its own."""


class WholeBatch(TorchFunctionMode):
    """Inside, `F.batch_norm` takes the statistics of the batches of all processes together, and random numbers for the
    items of a batch are those that one process would have drawn for them.  `items` is the size of the whole batch.

    Process r of w has the items r, r + w, r + 2w, … of the batch; all draw from generators with the same seed.
    """

    def __init__(self, *, rank: int, world: int, items: int, generator: torch.Generator) -> None:
        super().__init__()
        self._rank, self._world = rank, world
        self._whole = items
        self._items = len(range(rank, items, world))
        self._generator = generator

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Compute one function of PyTorch."""
        given = dict(kwargs or {})
        special = _SPECIAL.get(func)
        return func(*args, **given) if special is None else special(self, func, args, given)

    # --- losses ---

    def total(self, count: Tensor) -> Tensor:
        """A scalar summed over the processes, as a floating-point number."""
        total = count.double()
        distributed.all_reduce(total)
        return total.to(torch.promote_types(count.dtype, torch.float32))

    def gathered(self, rows: Tensor) -> Tensor:
        """The rows [items of the whole batch, ...] of all processes, from this one's [n, ...]."""
        whole: Tensor = _Gathered.apply(rows, self._rank, self._world, self._whole)
        return whole

    # --- random numbers ---

    def _sized(self, func: Any, args: Sequence[Any], given: dict[str, Any]) -> Any:
        """torch.rand and torch.randn: sizes first."""
        size = given.pop("size", None) or (args[0] if args and isinstance(args[0], Sequence) else args)
        given["generator"] = self._source(given)
        if not self._draws_for_items(given["generator"], size):
            return func(size, **given)
        return self._own(func((self._whole, *size[1:]), **given))

    def _randint(self, func: Any, args: Sequence[Any], given: dict[str, Any]) -> Any:
        """torch.randint: one or two limits, then the sizes."""
        *limits, size = args if "size" not in given else (*args, given.pop("size"))
        given["generator"] = self._source(given)
        if not self._draws_for_items(given["generator"], size):
            return func(*limits, size, **given)
        return self._own(func(*limits, (self._whole, *size[1:]), **given))

    def _filled(self, func: Any, args: Sequence[Any], given: dict[str, Any]) -> Any:
        """Tensor.uniform_ and its like: the tensor first."""
        target, *numbers = args
        given["generator"] = self._source(given)
        if not self._draws_for_items(given["generator"], target.shape):
            return func(*args, **given)
        whole = self._whole_like(target)
        return target.copy_(self._own(func(whole, *numbers, **given)))

    def _dropout(self, func: Any, args: Sequence[Any], given: dict[str, Any]) -> Any:
        """F.dropout: a mask over the items of the whole batch, where that is not too large."""
        names = dict(zip(("input", "p", "training", "inplace"), args, strict=False)) | given
        subject, share = names["input"], names.get("p", 0.5)
        large = subject.numel() * self._world > MAX_DROPPED
        if not names.get("training", True) or not 0 < share < 1 or large or not self._is_batch(subject.shape):
            return func(*args, **given)
        mask = self._own(self._whole_like(subject).bernoulli_(1 - share, generator=self._generator)).div_(1 - share)
        return subject.mul_(mask) if names.get("inplace") else subject * mask

    def _channel_dropout(self, func: Any, args: Sequence[Any], given: dict[str, Any]) -> Any:
        """F.dropout2d and its like: a mask over the channels of the items of the whole batch."""
        names = dict(zip(("input", "p", "training", "inplace"), args, strict=False)) | given
        subject, share = names["input"], names.get("p", 0.5)
        if not names.get("training", True) or not 0 < share < 1 or not self._is_batch(subject.shape):
            return func(*args, **given)
        whole = subject.new_empty((self._whole, subject.shape[1], *[1] * (subject.ndim - 2)))
        mask = self._own(whole.bernoulli_(1 - share, generator=self._generator)).div_(1 - share)
        return subject.mul_(mask) if names.get("inplace") else subject * mask

    def _source(self, given: Mapping[str, Any]) -> torch.Generator | None:
        """The generator of a call; the one of the batch where it names none, as in one process."""
        generator: torch.Generator | None = given.get("generator")
        return self._generator if generator is None else generator

    def _whole_like(self, part: Tensor) -> Tensor:
        """An empty tensor for the items of the whole batch, in the memory order of a part: numbers are drawn in it."""
        shape = (self._whole, *part.shape[1:])
        if part.is_contiguous() or 0 in part.stride():
            return part.new_empty(shape)
        order = sorted(range(part.ndim), key=part.stride().__getitem__, reverse=True)
        whole = part.new_empty([shape[axis] for axis in order])
        return whole.permute([order.index(axis) for axis in range(part.ndim)])

    def _draws_for_items(self, generator: torch.Generator | None, size: Sequence[int]) -> bool:
        return generator is self._generator and self._is_batch(size)

    def _is_batch(self, size: Sequence[int]) -> bool:
        return len(size) > 0 and size[0] == self._items

    def _own(self, whole: Tensor) -> Tensor:
        return whole[self._rank :: self._world]

    # --- batch statistics ---

    def _batch_norm(self, func: Any, args: Sequence[Any], given: dict[str, Any]) -> Any:
        names = dict(zip(_BATCH_NORM, args, strict=False)) | given
        if not names.get("training", False):
            return func(*args, **given)
        return batch_norm(
            names["input"],
            names.get("running_mean"),
            names.get("running_var"),
            names.get("weight"),
            names.get("bias"),
            momentum=names.get("momentum", 0.1),
            eps=names.get("eps", 1e-5),
        )


_BATCH_NORM: Final = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
_SPECIAL: Final[Mapping[Any, Callable[[WholeBatch, Any, Sequence[Any], dict[str, Any]], Any]]] = {
    F.batch_norm: WholeBatch._batch_norm,
    F.dropout: WholeBatch._dropout,
    **dict.fromkeys((F.dropout1d, F.dropout2d, F.dropout3d), WholeBatch._channel_dropout),
    **dict.fromkeys((torch.rand, torch.randn), WholeBatch._sized),
    torch.randint: WholeBatch._randint,
    **dict.fromkeys(
        (Tensor.uniform_, Tensor.normal_, Tensor.bernoulli_, Tensor.exponential_, Tensor.random_), WholeBatch._filled
    ),
}


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    *,
    momentum: float,
    eps: float,
) -> Tensor:
    """`F.batch_norm` in training, with the statistics of the inputs [n, channels, ...] of all processes together."""
    axes = [0, *range(2, input.ndim)]
    exact = torch.promote_types(input.dtype, torch.float32)
    values = input.detach().to(exact)
    variance, mean = torch.var_mean(values, axes, correction=0)
    count = torch.tensor([input.numel() / input.shape[1]], dtype=torch.float64, device=input.device)
    mean, variance = mean.double(), variance.double()
    sums = torch.cat([mean * count, (variance + mean.square()) * count, count])
    distributed.all_reduce(sums)
    channels, total = input.shape[1], sums[-1]
    mean = sums[:channels] / total
    variance = (sums[channels:-1] / total - mean.square()).clamp_(min=0)
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            running_mean.lerp_(mean.to(running_mean), momentum)
            running_var.lerp_((variance * total / (total - 1).clamp(min=1)).to(running_var), momentum)
    output: Tensor = _Normalised.apply(input, mean.to(exact), (variance + eps).rsqrt().to(exact), total)
    shape = [1, channels, *[1] * (input.ndim - 2)]
    output = output if weight is None else output * weight.view(shape)
    return (output if bias is None else output + bias.view(shape)).to(input.dtype)


class _Gathered(torch.autograd.Function):
    """The rows of all processes in the order of the batch; the gradient of a row is what all of them have for it."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, rank: int, world: int, items: int) -> Tensor:
        ctx.rank, ctx.world = rank, world
        most = -(-items // world)
        padded = rows.new_zeros((most, *rows.shape[1:]))
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in range(world)]
        distributed.all_gather(parts, padded)
        return torch.stack(parts, dim=1).flatten(0, 1)[:items]  # row i of process r is item i * world + r

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        total = gradient.contiguous()
        total = total.clone() if total is gradient else total
        distributed.all_reduce(total)
        return total[ctx.rank :: ctx.world], None, None, None


class _Normalised(torch.autograd.Function):
    """(input - mean) / deviation, where both depend on the inputs of all processes.

    S. Ioffe, C. Szegedy, Batch normalization, arXiv:1502.03167 (2015), section 3.
    """

    @staticmethod
    def forward(ctx: Any, input: Tensor, mean: Tensor, scale: Tensor, total: Tensor) -> Tensor:
        shape = [1, -1, *[1] * (input.ndim - 2)]
        normalised = (input.to(mean.dtype) - mean.view(shape)) * scale.view(shape)
        ctx.save_for_backward(normalised, scale, total)
        return normalised

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        normalised, scale, total = ctx.saved_tensors
        axes, shape = [0, *range(2, gradient.ndim)], [1, -1, *[1] * (gradient.ndim - 2)]
        sums = torch.cat([gradient.sum(axes), (gradient * normalised).sum(axes)])
        distributed.all_reduce(sums)
        mean, mean_product = (sums / total.to(sums.dtype)).chunk(2)
        result = (gradient - mean.view(shape) - normalised * mean_product.view(shape)) * scale.view(shape)
        return result, None, None, None
