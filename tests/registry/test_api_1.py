"""What API 1 called otherwise."""

from __future__ import annotations

import pytest

from zoo.registry.api_1 import renamed_device
from zoo.registry.references import resolve


@pytest.mark.parametrize(
    ("runner", "device"),
    [
        ("zoo.tasks.image_classification.runner:read", "zoo.tasks.image_classification.device:read"),
        ("zoo.tasks.text_embedding.runner:read", "zoo.tasks.text_embedding.device:read"),
        ("zoo_first.runner:read", "zoo_first.runner:read"),
    ],
)
def test_a_runner_of_zoo_is_found_under_its_new_name(runner: str, device: str) -> None:
    assert renamed_device(runner) == device
    if device.startswith("zoo."):
        assert callable(resolve(device))
