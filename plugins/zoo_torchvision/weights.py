"""torchvision's published state_dicts with the names that today's networks have."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_OLD_DENSE_LAYER = re.compile(r"(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)")


def densenet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published files say norm.1 where the network says norm1, because dots were once allowed in names."""
    return {_OLD_DENSE_LAYER.sub(r"\1\2", name): tensor for name, tensor in state.items()}


def features(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The convolutions alone, for a file whose dense layers hold no numbers."""
    return {name: tensor for name, tensor in state.items() if name.startswith("features.")}
