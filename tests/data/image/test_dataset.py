"""A split in memory and one on demand give the same batches, and both what the pipeline is fed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import BadFile, DataError
from zoo.api.problem import ImageInput
from zoo.data.embedded import digits
from zoo.data.image import dataset, sources
from zoo.data.image.preprocess import ImagePrepare
from zoo.data.image.reading import reader
from zoo.data.memory import free_memory

COLOUR = ImageInput(size=(20, 16), resize=24)
GREY = ImageInput(size=(28, 28), channels=1, mean=(0.1307,), std=(0.3081,))


def folders(root: Path, *, mode: str = "RGB") -> DataCard:
    random = np.random.default_rng(0)
    for number in range(12):
        path = root / "train" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (30 + number, 40 - number, 3), dtype=np.uint8)
        Image.fromarray(pixels).convert(mode).save(path)
    return card(str(root))


def card(source: str) -> DataCard:
    found = sources.detect(DataRequest(source=source), accepted=("class-folders",))
    return sources.check(found, labelled=True, progress=lambda *_: None)


def on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "free_memory", lambda: 0)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("image", [COLOUR, GREY])
def test_both_ways_of_keeping_give_what_the_pipeline_is_fed(
    mode: str, image: ImageInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = folders(tmp_path, mode=mode)
    resident = dataset.open_split(found, "train", image)
    assert isinstance(resident.levels, dataset.Resident)
    on_demand(monkeypatch)
    lazy = dataset.open_split(found, "train", image)
    assert isinstance(lazy.levels, dataset.OnDemand)
    places = [3, 0, len(resident) - 1]
    first, second = resident.ready(resident.batch(places)), lazy.ready(lazy.batch(places))
    assert set(first) == {"image", "label", "index", "input", "name"}
    assert first["name"] == second["name"] == [resident.samples[place].name for place in places]
    for key in first.keys() - {"name"}:
        assert torch.equal(first[key], second[key])
    assert first["image"].dtype == torch.uint8
    assert first["image"].shape == (3, 1 if mode == "L" else image.channels, *image.size)
    assert first["index"].tolist() == places
    assert first["label"].tolist() == [found.splits["train"][place].label for place in places]
    read, prepare = reader(found), ImagePrepare(image)
    for row, place in enumerate(places):
        fed = prepare(torch.from_numpy(read(found.splits["train"][place])))
        torch.testing.assert_close(first["input"][row : row + 1], fed, rtol=0, atol=1e-6)


def test_digits_are_repeated_for_a_model_of_three_channels() -> None:
    found = card("digits")
    split = dataset.open_split(found, "test", ImageInput(size=(28, 28)))
    batch = split.ready(split.batch([5, 1999]))
    assert batch["image"].shape == (2, 1, 28, 28) and batch["input"].shape == (2, 3, 28, 28)
    assert np.array_equal(batch["image"][:, 0].numpy(), digits.load().test_images[[5, 1999]])
    fed = ImagePrepare(ImageInput(size=(28, 28)))(torch.from_numpy(reader(found)(found.splits["test"][5])))
    assert torch.equal(batch["input"][:1], fed)


def test_digits_are_resized_as_the_pipeline_resizes_them() -> None:
    found = card("digits")
    image = ImageInput(size=(32, 32))
    split = dataset.open_split(found, "validation", image)
    fed = ImagePrepare(image)(torch.from_numpy(reader(found)(found.splits["validation"][7])))
    assert torch.equal(split.ready(split.batch([7]))["input"], fed)


def test_a_split_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no test split"):
        dataset.open_split(folders(tmp_path), "test", COLOUR)


def test_a_file_that_vanished_after_the_check_is_named_where_its_picture_was_not_kept(tmp_path: Path) -> None:
    found = replace(folders(tmp_path), decoded=None)
    (tmp_path / found.splits["train"][0].name).write_bytes(b"")
    with pytest.raises(BadFile, match=r"png is empty \(0 bytes\)"):
        dataset.open_split(found, "train", COLOUR)


def test_free_memory_is_a_sensible_number() -> None:
    assert 2**20 < free_memory() < 2**50


def test_pictures_of_other_samples_are_refused() -> None:
    prepare = ImagePrepare(GREY)
    source = np.zeros((3, 28, 28), np.uint8)
    with pytest.raises(ValueError, match="the source gives 3 pictures for 1 samples"):
        dataset.open_levels(["a"], lambda _: source[0], prepare, grey=True, stacked=lambda: source)
