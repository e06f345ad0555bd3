"""Changes that `create_model` makes to a built network: other channels, no head, feature maps, dropout.  [torch]

Each is refused where the architecture does not have it; nothing is guessed from names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo.api.errors import UsageError
from zoo.models.build import seeded

Dropout = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


class FeatureMaps(nn.Module):
    """A network that gives its feature maps instead of scores: at every resolution the last one, the finest first.

    Examples:
        >>> maps = zoo.create_model("resnet18", features_only=True, seed=0)
        >>> maps.channels, maps.reductions
        ((64, 64, 128, 256, 512), (2, 4, 8, 16, 32))
    """

    def __init__(self, model: nn.Module, names: Sequence[str], *, channels: Sequence[int], reductions: Sequence[int]):
        super().__init__()
        self.model = model
        self.names: tuple[str, ...] = tuple(names)
        """Of the modules that give the maps."""
        self.channels: tuple[int, ...] = tuple(channels)
        """Of each map."""
        self.reductions: tuple[int, ...] = tuple(reductions)
        """How many times smaller than the input each map is, rounded."""

    def forward(self, images: Tensor) -> list[Tensor]:
        """float32 [n, channels, height, width] -> the maps, each float32 [n, channels, height, width]."""
        kept: dict[str, Tensor] = {}
        _run_watched(self.model, (images,), self.names, kept)
        return [kept[name] for name in self.names]


def with_channels(model: nn.Module, *, given: int, wanted: int, name: str) -> None:
    """Make the first convolution read `wanted` channels instead of `given`.

    Grey reads the sum of its weights, and more channels read them in turn, scaled, so that the scale of what follows
    stays what it was.  UsageError where the first layer with weights is no such convolution.
    """
    path, layer = next(
        ((path, part) for path, part in model.named_modules() if isinstance(part, nn.Conv2d)), ("", None)
    )
    if layer is None or layer.in_channels != given or layer.groups != 1:
        raise UsageError(f"{name} cannot read {wanted} channels: it does not begin with a convolution of {given}")
    layer.in_channels = wanted
    layer.weight = nn.Parameter(_adapted(layer.weight, wanted))
    for above, part in model.named_modules():  # networks of transformers compare their input with this number
        if (not above or f"{path}.".startswith(f"{above}.")) and getattr(part, "num_channels", None) == given:
            object.__setattr__(part, "num_channels", wanted)


def read_channels(wide: nn.Module, trained: nn.Module | None, *, example: Tensor, name: str) -> nn.Module:
    """A network that was built for the channels of `example`, with the parameters of one that was trained with others.

    The filters that read the picture are adapted as in `with_channels`, all others are equal.  UsageError where the
    architecture, though it was built, does not run with so many channels, or has other parameters then.
    """
    wanted = example.shape[1]
    if trained is not None:
        _copy_adapted(trained, wide, wanted=wanted, name=name)
    try:
        _run_watched(wide, (example,), (), {}, evaluate=True)
    except RuntimeError as error:
        raise UsageError(f"{name} cannot read {wanted} channels: {str(error).splitlines()[0]}") from error
    return wide


def _copy_adapted(trained: nn.Module, wide: nn.Module, *, wanted: int, name: str) -> None:
    known = trained.state_dict()
    with torch.no_grad():
        for key, value in wide.state_dict().items():
            source = known.get(key)
            if source is not None and source.ndim == 4 and source.shape != value.shape:
                source = _adapted(source, wanted)
            if source is None or source.shape != value.shape:
                raise UsageError(f"{name} cannot read {wanted} channels: {key} is {list(value.shape)} then")
            value.copy_(source)


def _adapted(filters: Tensor, wanted: int) -> Tensor:
    """Filters [out, channels, height, width] for another number of channels."""
    given = filters.shape[1]
    index = torch.arange(wanted) % given
    with torch.no_grad():
        adapted = filters.sum(1, keepdim=True) if wanted == 1 else filters[:, index] * (given / wanted)
        return adapted.detach().clone().contiguous()


def without_head(model: nn.Module, head: Sequence[str], *, classes: int, example: Sequence[Tensor], name: str) -> int:
    """Replace the classifier's last layers by nothing, and return how many features come out for an example.

    A network that has `reset_classifier`, as timm's have, takes its own head off, a norm in it included.
    UsageError where the head is not one layer of scores, as a detector's is not.
    """
    refusal = UsageError(f"{name} has no head that could be taken off: num_classes=0 is for classifiers")
    layers = [path.removesuffix(".") for path in head]
    if not layers or any(_outputs(model, path) != classes for path in layers):
        raise refusal
    reset = getattr(model, "reset_classifier", None)
    if callable(reset):
        reset(0)
    else:
        for path in layers:
            model.set_submodule(path, nn.Identity())
    try:
        features = _run_watched(model, tuple(example), (), {}, evaluate=True)
    except RuntimeError as error:  # two heads whose scores are added, as LR-ASPP's
        raise refusal from error
    if not isinstance(features, Tensor) or features.ndim != 2:
        raise refusal
    return int(features.shape[1])


def with_dropout(model: nn.Module, rate: float, *, name: str) -> None:
    """Set every dropout layer to a rate; UsageError where the architecture has none, or for what is no rate."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise UsageError(f"drop_rate is {rate!r}; it must be from 0 to below 1")
    layers = [part for part in model.modules() if isinstance(part, Dropout)]
    if isinstance(getattr(model, "drop_rate", None), int | float):  # timm's ResNets drop without a layer
        object.__setattr__(model, "drop_rate", float(rate))
    elif not layers:
        raise UsageError(f"{name} has no dropout, so drop_rate cannot be chosen")
    for layer in layers:
        layer.p = float(rate)


def with_pool(model: nn.Module, kind: str, *, classes: int, name: str) -> None:
    """Change how the last maps become one vector, before weights are loaded; the head may be made anew.

    A network that has `reset_classifier`, as timm's have, knows its own kinds; of others the one average pool to a
    single pixel becomes a maximum ("max").  UsageError where the architecture has no such thing.
    """
    reset = getattr(model, "reset_classifier", None)
    if callable(reset):
        try:
            reset(classes, global_pool=kind)
        except (TypeError, ValueError, AssertionError, KeyError) as error:
            raise UsageError(f"{name} has no global_pool {kind!r}: {str(error) or type(error).__name__}") from error
        return
    pools = [
        path
        for path, part in model.named_modules()
        if isinstance(part, nn.AdaptiveAvgPool2d) and part.output_size in (1, (1, 1))
    ]
    if len(pools) != 1 or kind not in ("avg", "max"):
        hint = "it has avg and max" if len(pools) == 1 else "leave it out: the architecture has no pool to choose"
        raise UsageError(f"{name} has no global_pool {kind!r}", hint=hint)
    if kind == "max":
        model.set_submodule(pools[0], nn.AdaptiveMaxPool2d(1))


def feature_maps(model: nn.Module, *, example: Sequence[Tensor], name: str) -> FeatureMaps:
    """The network as one that gives its feature maps; UsageError where it has none at two resolutions or more."""
    image = example[0]
    if len(example) > 1 or image.ndim != 4:
        raise UsageError(f"{name} reads no pictures, so that it has no feature maps")
    names = [path for path, part in model.named_modules() if path]
    shapes: dict[str, tuple[int, ...]] = {}
    order: list[str] = []
    _run_watched(model, (image,), names, {}, shapes=shapes, order=order, evaluate=True)
    height, width = image.shape[2:]
    last: dict[tuple[int, ...], str] = {}
    for path in order:
        shape = shapes[path]
        if (
            len(shape) == 4
            and 1 < shape[2] < height
            and abs(shape[2] * width - shape[3] * height) <= max(height, width)
        ):
            last[shape[2:]] = path
    sizes = sorted(last, reverse=True)
    if len(sizes) < 2:
        raise UsageError(f"{name} has no feature maps at several resolutions")
    chosen = [last[size] for size in sizes]
    return FeatureMaps(
        model,
        chosen,
        channels=[shapes[path][1] for path in chosen],
        reductions=[round(height / size[0]) for size in sizes],
    )


def _outputs(model: nn.Module, path: str) -> int:
    """How many numbers a layer gives; -1 where it is no layer of that kind."""
    try:
        layer = model.get_submodule(path)
    except AttributeError:
        return -1
    if isinstance(layer, nn.Linear):
        return layer.out_features
    return layer.out_channels if isinstance(layer, nn.Conv2d) else -1


def _run_watched(
    model: nn.Module,
    inputs: tuple[Tensor, ...],
    names: Sequence[str],
    kept: dict[str, Tensor],
    *,
    shapes: dict[str, tuple[int, ...]] | None = None,
    order: list[str] | None = None,
    evaluate: bool = False,
) -> object:
    """One run; what the named modules gave is put into `kept`, or only their shapes and order into the other two."""

    def watch(path: str) -> Any:
        def note(_: nn.Module, __: object, output: object) -> None:
            if not isinstance(output, Tensor):
                return
            if shapes is None or order is None:
                kept[path] = output
            else:
                shapes[path] = tuple(output.shape)
                order.append(path)

        return note

    modes = [(part, part.training) for part in model.modules()]
    handles = [model.get_submodule(path).register_forward_hook(watch(path)) for path in names]
    try:
        if not evaluate:
            return model(*inputs)
        with torch.no_grad(), seeded(0):
            return model.eval()(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for part, mode in modes:
            part.training = mode
