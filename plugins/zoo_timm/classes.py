"""The class names of ImageNet and its larger subsets, as timm ships them: `zoo_timm.classes:imagenet_12k`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Final

SUBSETS: Final[Mapping[int, str]] = {
    1_000: "imagenet_1k",
    11_221: "imagenet_21k_miil",
    11_821: "imagenet_12k",
    21_841: "imagenet_22k",
    21_842: "imagenet_22k_ms",
    21_843: "imagenet_21k_goog",
}
"""By the number of classes, as timm itself tells the subsets apart.  Other numbers are those of features."""


def reference(num_classes: int) -> str | tuple[str, ...]:
    """Where a plugin finds the names of so many classes; an empty tuple where these are none of ImageNet's."""
    subset = SUBSETS.get(num_classes)
    return f"zoo_timm.classes:{subset}" if subset else ()


@cache
def names(subset: str) -> tuple[str, ...]:
    """The names in index order: of each class the shortest form that no other class has.

    These are its first name in WordNet, all its names, and these with a definition.
    """
    from timm.data.imagenet_info import ImageNetInfo  # noqa: PLC0415  imports torch

    info = ImageNetInfo(subset)
    words, full = info.label_descriptions(), info.label_descriptions(detailed=True)
    forms = ([text.partition(",")[0] for text in words], words, full)
    counts = [Counter(form) for form in forms]
    return tuple(
        next((text for text, count in zip(texts, counts, strict=True) if count[text] == 1), texts[-1])
        for texts in zip(*forms, strict=True)
    )


def __getattr__(name: str) -> tuple[str, ...]:
    """The names of a subset."""
    if name not in SUBSETS.values():
        raise AttributeError(name)
    return names(name)
