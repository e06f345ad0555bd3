"""What training reads faster is within one grey level of what pipeline.onnx is fed; everything else is exactly that."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import BadFile
from zoo.api.problem import ImageInput
from zoo.data.formats.samples import Sample
from zoo.data.image import dataset, sources
from zoo.data.image.dataset import for_training, open_split
from zoo.data.image.fast_decode import FastFiles, fast_files, reduced
from zoo.data.image.fast_resize import fast_geometry
from zoo.data.image.preprocess import ImagePrepare
from zoo.data.image.reading import PictureFiles, Pixels, reader

SIZES = [(37, 53), (200, 31), (9, 11), (64, 48), (24, 20)]
INPUTS = [
    ImageInput(size=(24, 20)),
    ImageInput(size=(16, 16), resize=24),
    ImageInput(size=(31, 31), interpolation="bicubic"),
    ImageInput(size=(24, 20), channels=1, mean=(0.5,), std=(0.25,)),
    ImageInput(size=(24, 20), interpolation="nearest"),
]


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("image", INPUTS)
def test_the_fast_geometry_is_within_one_grey_level(size: tuple[int, int], image: ImageInput) -> None:
    prepare, pixels = ImagePrepare(image), torch.from_numpy(noise(*size))
    exact, fast = prepare.geometry(pixels)[0], fast_geometry(prepare, pixels)
    assert fast.dtype == torch.uint8 and fast.shape == exact.shape
    assert float((fast - exact).abs().max()) <= 1


@pytest.mark.parametrize(("channels", "colours"), [(3, "RGB"), (1, "L")])
def test_a_picture_of_the_model_s_size_is_left_as_it_is(channels: int, colours: str) -> None:
    image = ImageInput(size=(24, 20), channels=channels, mean=(0.5,), std=(0.25,))
    prepare, pixels = ImagePrepare(image), noise(24, 20)
    expected = np.asarray(Image.fromarray(pixels).convert(colours)).reshape(24, 20, channels).transpose(2, 0, 1)
    for actual in (prepare.geometry(torch.from_numpy(pixels))[0], fast_geometry(prepare, torch.from_numpy(pixels))):
        assert np.array_equal(actual.numpy(), expected)


def test_a_picture_whose_shorter_side_is_resized_beyond_its_size_is_resized() -> None:
    prepare = ImagePrepare(ImageInput(size=(20, 16), resize=20, channels=1, mean=(0.5,), std=(0.5,)))
    levels = torch.from_numpy(noise(20, 16)[..., :1]).permute(2, 0, 1).float().unsqueeze(0)
    assert prepare.fit(levels).shape == levels.shape and not torch.equal(prepare.fit(levels), levels)


def folder(root: Path) -> DataCard:
    """Pictures of every kind that is decoded differently, in two classes."""
    turned = Image.Exif()
    turned[0x0112] = 6
    kinds: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "colour.jpg": (Image.fromarray(noise(40, 30)), {"quality": 90}),
        "grey.jpg": (Image.fromarray(noise(40, 30)).convert("L"), {"quality": 90}),
        "cmyk.jpg": (Image.fromarray(noise(40, 30)).convert("CMYK"), {"quality": 90}),
        "turned.jpg": (Image.fromarray(noise(40, 30)), {"quality": 90, "exif": turned.tobytes()}),
        "progressive.jpg": (Image.fromarray(noise(40, 30)), {"progressive": True, "subsampling": 0}),
        "small.png": (Image.fromarray(noise(24, 20)), {}),
    }
    for number, (name, (picture, options)) in enumerate(kinds.items()):
        path = root / "train" / "ab"[number % 2] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, **options)
    source = sources.detect(DataRequest(source=str(root)), accepted=("class-folders",))
    return sources.check(source, labelled=True, progress=lambda *_: None)


def test_the_fast_decoder_gives_pillow_s_levels_for_every_kind_of_file(tmp_path: Path) -> None:
    card = replace(folder(tmp_path), decoded=None)
    files = reader(card)
    assert isinstance(files, PictureFiles)
    fast = fast_files(files)
    assert isinstance(fast, FastFiles), "torchvision's library was not found"
    for sample in (*card.splits["train"], *card.splits["validation"]):
        expected, actual = files(sample).astype(int), fast(sample).astype(int)
        assert actual.shape == expected.shape, sample.name
        assert np.abs(actual - expected).max() <= 1, sample.name


@pytest.mark.parametrize("wrap", [lambda files: files, fast_files])
def test_a_file_that_is_another_picture_than_the_checked_one_is_refused(wrap: object, tmp_path: Path) -> None:
    card = replace(folder(tmp_path), decoded=None)  # of what the check has kept, the file is not read again
    files = reader(card)
    assert isinstance(files, PictureFiles) and callable(wrap)
    (sample,) = (item for items in card.splits.values() for item in items if item.name.endswith("colour.jpg"))
    memory = BytesIO()
    Image.fromarray(noise(40, 30)[::-1]).save(memory, "jpeg")
    (tmp_path / sample.name).write_bytes(memory.getvalue())
    with pytest.raises(BadFile, match=r"colour\.jpg holds another picture than when it was checked") as raised:
        wrap(files)(sample)
    assert raised.value.hint == "it changed since the data were checked; start again"


def test_training_reads_only_what_it_uses_and_everybody_else_what_the_pipeline_is_fed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_PICTURE_CACHE", "0")
    card, image = folder(tmp_path), INPUTS[0]
    with for_training():
        fast = open_split(card, "train", image)
    exact = open_split(card, "train", image)
    decoded: list[str] = []
    source = fast.levels._missing  # type: ignore[union-attr]
    assert source is not None and source.fast
    read = source.read

    def recorded(sample: Sample) -> Pixels:
        decoded.append(sample.name)
        return read(sample)

    monkeypatch.setattr(source, "read", recorded)
    for _ in range(2):
        actual = fast.batch([1, 3])["image"].int()
    assert decoded == [fast.samples[1].name, fast.samples[3].name]
    expected = exact.batch([1, 3])["image"].int()
    assert int((actual - expected).abs().max()) <= 1
    prepare = ImagePrepare(image)
    fed = prepare.geometry(torch.from_numpy(reader(card)(card.splits["train"][3])))
    assert torch.equal(expected[1], fed[0].int())
    assert not dataset._TRAINING.get()


def test_normalising_in_place_gives_the_same_numbers() -> None:
    prepare = ImagePrepare(INPUTS[0])
    levels = torch.from_numpy(noise(24, 20)).permute(2, 0, 1).unsqueeze(0)
    assert torch.equal(prepare.ready({"image": levels})["input"], prepare.normalise(levels))
    assert prepare.ready({"image": levels[:, :1]})["input"].shape == (1, 3, 24, 20)


def test_large_jpeg_files_are_decoded_at_a_part_of_their_size_only_where_asked(tmp_path: Path) -> None:
    smooth = Image.fromarray(noise(6, 8)).resize((640, 480), Image.Resampling.BICUBIC)
    path = tmp_path / "train" / "a" / "large.jpg"
    path.parent.mkdir(parents=True)
    turned = Image.Exif()
    turned[0x0112] = 6
    smooth.save(path, quality=95, exif=turned.tobytes())
    data = path.read_bytes()
    shapes = {least: None if (part := reduced(data, least)) is None else part.shape for least in (60, 61, 240, 241)}
    assert shapes == {60: (80, 60, 3), 61: (160, 120, 3), 240: (320, 240, 3), 241: None}
    files = PictureFiles(tmp_path, 65_535)
    sample = Sample("train/a/large.jpg", 0, 0)
    assert fast_files(files)(sample).shape == (640, 480, 3)
    small = fast_files(files, least=100)(sample)
    assert small.shape == (160, 120, 3)
    expected = np.asarray(smooth.transpose(Image.Transpose.ROTATE_270).resize((120, 160), Image.Resampling.BOX))
    assert np.abs(small.astype(int) - expected).max() <= 8


def test_other_files_are_read_whole_whatever_is_asked(tmp_path: Path) -> None:
    card = folder(tmp_path)
    files = PictureFiles(tmp_path, 65_535)
    for sample in card.splits["train"]:
        assert np.array_equal(fast_files(files, least=30)(sample), fast_files(files)(sample))


def test_reduced_pictures_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    card = folder(tmp_path / "data")
    with for_training():
        open_split(card, "train", ImageInput(size=(8, 8))).batch([0])
    with for_training(reduced=True):
        open_split(card, "train", ImageInput(size=(8, 8))).batch([0])
    assert len(list((tmp_path / "cache" / "pictures").glob("*/rows"))) == 2
