"""torchvision's published state_dicts with the names that today's networks have."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

EPS = 1e-5
"""What torch adds to a variance in batch normalisation."""
_OLD_DENSE_LAYER = re.compile(r"(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)")


def densenet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published files say norm.1 where the network says norm1, because dots were once allowed in names."""
    return {_OLD_DENSE_LAYER.sub(r"\1\2", name): tensor for name, tensor in state.items()}


def features(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The convolutions alone, for a file whose dense layers hold no numbers."""
    return {name: tensor for name, tensor in state.items() if name.startswith("features.")}


def inside(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The names as they are inside a module that wraps the network, `network.`; frozen batch normalisation, which
    counts no batches, as the plain one that learns again."""
    renamed: Any = OrderedDict((f"network.{name}", tensor) for name, tensor in state.items())
    for name in [name for name in renamed if name.endswith(".running_var")]:
        renamed.setdefault(f"{name.removesuffix('running_var')}num_batches_tracked", torch.tensor(0))
    if hasattr(state, "_metadata"):  # format versions: names of older files are understood by them
        renamed._metadata = {f"network.{name}" if name else "network": facts for name, facts in state._metadata.items()}
    return renamed  # type: ignore[no-any-return]


def inside_without_eps(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The same for files trained with an eps of zero in batch normalisation, as torchvision's first detectors were:
    the network's own 1e-5 is taken from the variances, so that both give the same answers."""
    renamed: Any = inside(state)
    for name in renamed:
        if name.endswith(".running_var"):
            renamed[name] = renamed[name] - EPS
    return renamed  # type: ignore[no-any-return]
