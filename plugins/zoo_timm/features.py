"""The feature maps of timm's networks, chosen as timm's `features_only` chooses them.  [torch]"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import timm
import torch
from torch import Tensor, nn

from zoo import FeatureMaps, PluginError, Problem, UsageError
from zoo_timm.plugin import sized_names
from zoo_timm.workarounds import apply_workarounds


class TimmFeatureMaps(FeatureMaps):
    """A `features_only` network of timm, its maps with their channels first."""

    def __init__(self, model: nn.Module, *, feature_info: Any, channels_last: bool) -> None:
        channels, reductions = feature_info.channels(), feature_info.reduction()
        super().__init__(model, feature_info.module_name(), channels=channels, reductions=reductions)
        self.feature_info = feature_info
        """As timm's own networks have it."""
        self.channels_last = channels_last
        """Whether timm's network gives [n, height, width, channels], as Swin's does."""

    def forward(self, images: Tensor) -> list[Tensor]:
        """float32 [n, channels, height, width] -> the maps, each float32 [n, channels, height, width]."""
        maps: Sequence[Tensor] = self.model(images)
        return [each.permute(0, 3, 1, 2) if self.channels_last else each for each in maps]


def feature_maps(model: nn.Module, problem: Problem) -> FeatureMaps:
    """timm's feature maps of a network, with its parameters; UsageError where timm has none for the architecture."""
    name: str = model.pretrained_cfg["architecture"]  # type: ignore[index, assignment]  # what timm notes in every network
    size: dict[str, Any] = {"img_size": problem.image.size} if name in sized_names() else {}
    try:
        with torch.random.fork_rng(devices=[]):  # its random numbers are replaced, and nobody else's may change
            network = timm.create_model(name, features_only=True, in_chans=problem.image.channels, **size)
    except (RuntimeError, AssertionError, AttributeError, TypeError, ValueError, KeyError) as error:
        raise UsageError(f"timm/{name} has no feature maps: {str(error) or type(error).__name__}") from error
    inner = getattr(network, "model", network)  # some workarounds look at the network itself
    apply_workarounds(inner)
    _copy_parameters(model, network)
    _copy_dropout(model, network)
    channels_last = str(getattr(network, "output_fmt", "NCHW")).endswith("NHWC")
    return TimmFeatureMaps(
        network.train(model.training), feature_info=network.feature_info, channels_last=channels_last
    )


def _copy_parameters(model: nn.Module, network: nn.Module) -> None:
    """Every parameter and buffer of `network` from `model`: timm writes "layer1_0" there for "layer1.0"."""
    known = {_plain(name): value for name, value in model.state_dict().items()}
    with torch.no_grad():
        for name, value in network.state_dict().items():
            source = known.get(_plain(name))
            if source is None or source.shape != value.shape:
                raise PluginError(f"timm's feature maps have {name!r}, which the network itself has not")
            value.copy_(source)


def _copy_dropout(model: nn.Module, network: nn.Module) -> None:
    """The rate of every dropout layer that the feature maps have, too."""
    rates = {_plain(name): part.p for name, part in model.named_modules() if isinstance(part, nn.Dropout)}
    for name, part in network.named_modules():
        if isinstance(part, nn.Dropout):
            part.p = rates.get(_plain(name), part.p)


def _plain(name: str) -> str:
    return re.sub(r"[._]", ".", name.removeprefix("model.").removeprefix("body."))
