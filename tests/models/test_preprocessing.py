"""The transform of a model is what its pipeline begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import zoo
from zoo import UsageError

LEVELS = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)


def test_a_picture_becomes_what_the_model_reads(tmp_path: Path) -> None:
    transform = zoo.preprocessing("resnet18")
    Image.fromarray(LEVELS).save(tmp_path / "a.png")
    expected = transform(Image.fromarray(LEVELS))
    assert isinstance(expected, torch.Tensor)
    assert (expected.shape, expected.dtype) == ((3, 224, 224), torch.float32)
    for same in (LEVELS, tmp_path / "a.png", str(tmp_path / "a.png")):
        actual = transform(same)
        assert isinstance(actual, torch.Tensor)
        assert torch.equal(actual, expected)
    assert repr(transform).startswith("Preprocessing(torchvision/resnet18: ")


def test_it_is_the_transform_of_the_model_as_it_was_built() -> None:
    grey = zoo.preprocessing(zoo.create_model("resnet18", in_chans=1, num_classes=2))
    white = grey(np.full((50, 50, 3), 255, np.uint8))
    assert isinstance(white, torch.Tensor)
    assert white.shape == (1, 224, 224)
    mean, std = (sum(values) / 3 for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    assert float(white.mean()) == pytest.approx((1 - mean) / std, rel=1e-4)


def test_weights_have_their_own() -> None:
    digit = zoo.preprocessing("cnn@digits")(np.zeros((28, 28), np.uint8))
    assert isinstance(digit, torch.Tensor)
    assert digit.shape == (1, 28, 28)
    assert float(digit.max()) == pytest.approx(-0.1307 / 0.3081, rel=1e-4)


def test_texts_become_token_ids() -> None:
    tokens, length = zoo.preprocessing("gru@names")("Ada")
    assert (tokens.shape, tokens.dtype, int(length)) == ((3,), torch.int64, 3)


def test_a_module_of_ones_own_has_none() -> None:
    module: Any = nn.Linear(2, 2)
    with pytest.raises(UsageError, match=r"this Linear was not made by zoo\.create_model"):
        zoo.preprocessing(module)
    with pytest.raises(UsageError, match="a int is no input"):
        zoo.preprocessing("resnet18")(3)
