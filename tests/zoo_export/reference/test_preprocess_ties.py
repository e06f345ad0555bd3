"""Ties of a preprocess: which values another device may round otherwise."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from zoo.api.problem import ImageInput
from zoo.api.task import Port, Signature
from zoo.data.image.preprocess import ImagePrepare
from zoo_export.reference.preprocess_ties import otherwise_rounded

PORTS = Signature(
    inputs=(Port(name="image", dtype="uint8", shape=("height", "width", 3)),),
    outputs=(Port(name="input", dtype="float32", shape=("n", 3, 8, 8)),),
)
NUMBERS = Signature(
    inputs=(Port(name="x", dtype="float32", shape=("n",)),), outputs=(Port(name="y", dtype="float32", shape=("n",)),)
)


class Rounded(nn.Module):
    """Levels of a product that fp32 cannot give exactly."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("factor", torch.tensor(0.1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.floor(x * self.get_buffer("factor"))


def pictures(high: int, wide: int) -> dict[str, np.ndarray]:
    return {"image": np.random.default_rng(0).integers(0, 256, (high, wide, 3), dtype=np.uint8)}


def prepare(size: int = 8) -> ImagePrepare:
    return ImagePrepare(ImageInput(size=(size, size), channels=3, mean=(0.0,), std=(1 / 255,)))


def test_a_value_next_to_the_border_is_rounded_the_other_way() -> None:
    x = np.array([9.5, 10.0, 25.0, 30.0, 31.0, 55.0], np.float32)
    first, second = otherwise_rounded(Rounded(), {"x": x}, NUMBERS)
    own = np.array([0, 1, 2, 3, 3, 5], np.float32)
    assert (first["y"] - own).tolist() == [0, -1, 0, 0, 0, 0]
    assert (second["y"] - own).tolist() == [0, 0, 0, -1, 0, 0]


def test_whole_numbers_have_no_ties() -> None:
    assert otherwise_rounded(nn.Identity(), {"x": np.array([1.5], np.float32)}, NUMBERS) == ()
    assert otherwise_rounded(prepare(), pictures(8, 8), PORTS) == ()


def test_ties_of_a_shrunk_picture_are_few_and_one_level_off() -> None:
    own = prepare(64)
    raw = pictures(250, 300)
    expected = own(torch.from_numpy(raw["image"])).numpy()
    halves = otherwise_rounded(own, raw, PORTS)
    assert 1 <= len(halves) <= 2
    for half in halves:
        changed = np.abs(half["input"] - expected)
        assert np.allclose(changed[changed > 0], 1, atol=1e-3)
        assert 1 <= np.count_nonzero(changed) <= 40
