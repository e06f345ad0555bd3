"""Ties of a preprocess: which values another device may round otherwise."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from zoo.api.problem import ImageInput
from zoo.api.task import Port, Signature
from zoo.bundle.judge.evidence import Magnitude
from zoo.data.image.preprocess import ImagePrepare
from zoo.models.pipeline import TorchPipeline
from zoo_export.reference.oracle import oracle_of
from zoo_export.reference.postprocess import pipeline_pair
from zoo_export.reference.preprocess_ties import moved_by_ties, otherwise_rounded
from zoo_export.subject.results import Failed

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


class Fourfold(nn.Module):
    """Four times what goes in: exact in every arithmetic."""

    def forward(self, x: Tensor) -> Tensor:
        return 4 * x


def step_edge() -> dict[str, np.ndarray]:
    """3 x 300 pixels that are shrunk a hundredfold along their rows, with a tie in the middle of each.

    The 200 columns around the middle weigh 0.5 to 99.5, 10,000 together, those on the right 5,000.  Without the two
    that weigh 49.5 and 0.5 they weigh 4,950: a level of 100.495, where rounding up begins.
    """
    columns = np.full(300, 100, np.uint8)
    columns[150:] = 101
    columns[[200, 249]] = 100
    return {"image": np.broadcast_to(columns[None, :, None], (3, 300, 3)).copy()}


def test_answers_move_by_the_ties_of_a_strongly_shrunk_picture() -> None:
    """Three ties: two of them move first, then the third; each is a level, four in the answer."""
    small = ImagePrepare(ImageInput(size=(3, 3), channels=1, mean=(0.0,), std=(1 / 255,)))
    levels = tuple(Port(name=name, dtype="float32", shape=("n", 1, 3, 3)) for name in ("input", "output"))
    model = Signature(inputs=levels[:1], outputs=levels[1:])
    answer = Signature(inputs=PORTS.inputs, outputs=levels[1:])
    single = TorchPipeline(
        preprocess=small, model=Fourfold(), postprocess=nn.Identity(), signature=answer, model_signature=model
    )
    raw = step_edge()
    inputs = single.inputs(raw)
    assert inputs["input"][0, 0, :, 0].tolist() == [100, 100, 100] and set(inputs["input"][0, 0, :, 1]) <= {100, 101}
    oracle = oracle_of(single.model, model, inputs)
    (runs,) = oracle.runs([inputs])
    assert not isinstance(runs, Failed)
    moved = moved_by_ties(oracle, pipeline_pair(single, oracle.backends.double), runs, raw)
    assert moved == {"output": Magnitude(rms=(2 * 4**2 / 9) ** 0.5 + (4**2 / 9) ** 0.5, max=8.0)}
    plain = {"image": np.full((3, 300, 3), 100, np.uint8)}
    (runs,) = oracle.runs([single.inputs(plain)])
    unmoved = moved_by_ties(oracle, pipeline_pair(single, oracle.backends.double), runs, plain)
    assert unmoved == {"output": Magnitude(rms=0.0, max=0.0)}
