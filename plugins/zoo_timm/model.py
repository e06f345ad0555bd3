"""timm's architectures, one builder for each, named as timm names it.  [torch]

`zoo_timm.model:resnet10t` is a builder with the keywords that the card of resnet10t names.  All map float32 images
[n, 3, height, width] to logits [n, num_classes] and start from random numbers: published weights are fetched, checked
and loaded by zoo itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import timm
from torch import nn

from zoo import PluginError, UsageError
from zoo_timm.workarounds import apply_workarounds


def convolutional(name: str, *, num_classes: int, in_chans: int = 3, global_pool: str | None = None) -> nn.Module:
    """An architecture whose parameters do not depend on the size of the pictures."""
    return _made(name, num_classes=num_classes, in_chans=in_chans, global_pool=global_pool)


def sized(
    name: str, *, num_classes: int, image_size: tuple[int, int], in_chans: int = 3, global_pool: str | None = None
) -> nn.Module:
    """An architecture with a position for each patch or each pair of pixels in a window."""
    return _made(name, num_classes=num_classes, in_chans=in_chans, global_pool=global_pool, img_size=image_size)


def _made(name: str, *, global_pool: str | None, **keywords: Any) -> nn.Module:
    """The network with random numbers; UsageError where timm has no such pool for it."""
    if global_pool is None:
        return apply_workarounds(timm.create_model(name, pretrained=False, **keywords))
    try:
        return apply_workarounds(timm.create_model(name, pretrained=False, global_pool=global_pool, **keywords))
    except (TypeError, ValueError, AssertionError, KeyError) as error:
        reason = str(error) or "timm says no more"
        raise UsageError(f"timm/{name} has no global_pool {global_pool!r}: {reason}") from error


def __getattr__(name: str) -> Callable[..., nn.Module]:
    """The builder of one of timm's architectures; PluginError where the installed timm has it no more."""
    from zoo_timm.plugin import sized_names  # noqa: PLC0415  the plugin's cards say which are sized

    if not timm.is_model(name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise PluginError(f"timm {timm.__version__}, which is installed, has no architecture {name!r}")
    return partial(sized if name in sized_names() else convolutional, name)
