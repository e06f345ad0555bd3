"""The class names of ImageNet-1K, as torchvision's weights number them; read when somebody asks."""

from __future__ import annotations

from pathlib import Path

CLASSES: tuple[str, ...] = tuple(
    Path(__file__).with_name("imagenet_classes.txt").read_text(encoding="utf-8").splitlines()
)
"""1,000 names in index order."""
