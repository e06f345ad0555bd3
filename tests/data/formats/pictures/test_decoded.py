"""What a check has decoded is given once to who reads it first, within a limit of memory."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from zoo.api.data import DataRequest, Split
from zoo.api.problem import ImageInput
from zoo.data.formats.pictures import decode, decoded, inspect
from zoo.data.formats.pictures.decoded import DecodedPictures
from zoo.data.image import fast_decode, reading, sources
from zoo.data.image.dataset import for_training, open_split
from zoo.data.image.reading import Pixels

SPLITS: tuple[Split, ...] = ("train", "validation")


def levels(side: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_a_picture_is_given_once_and_makes_room_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded, "free_memory", lambda: 6_000)  # a twentieth of it holds two pictures of 7 x 7
    kept = DecodedPictures()
    for name in "abc":
        kept.keep(name, levels(7))
    given = kept.take("a")
    assert given is not None and np.array_equal(given, levels(7))
    assert kept.take("a") is None and kept.take("c") is None
    kept.keep("d", levels(7))
    assert [name for name in "abcd" if kept.take(name) is not None] == ["b", "d"]


@pytest.mark.parametrize(("suffix", "exact", "decodings"), [("png", True, 12), ("jpg", True, 12), ("jpg", False, 24)])
def test_the_check_and_the_first_epoch_decode_each_picture_once(
    suffix: str, exact: bool, decodings: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JPEG only where the kernel that training decodes with gives the very levels of the check."""
    monkeypatch.setenv("ZOO_PICTURE_CACHE", "0")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    for number in range(12):
        path = tmp_path / "data" / "ab"[number % 2] / f"{number}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(levels(16, number)).save(path)
    count: list[int] = []

    def counted(*given: Any, **options: Any) -> Pixels:
        count.append(1)
        return decode.read_picture(*given, **options)

    def kernel(data: Tensor, *_: object) -> Tensor:
        return torch.from_numpy(counted(BytesIO(bytes(data.numpy())))).permute(2, 0, 1)

    for module in (inspect, reading):
        monkeypatch.setattr(module, "read_picture", counted)
    monkeypatch.setattr(fast_decode, "_kernel", lambda: kernel)
    monkeypatch.setattr(fast_decode, "is_exact", lambda: exact)
    source = sources.detect(DataRequest(source=str(tmp_path / "data")), accepted=("class-folders",))
    card = sources.check(source, labelled=True, progress=lambda *_: None)
    for split in SPLITS:
        with for_training():
            pictures = open_split(card, split, ImageInput(size=(16, 16)))
        for _ in range(2):
            pictures.batch(list(range(len(pictures))))
    assert len(count) == decodings
