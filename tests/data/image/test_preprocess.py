"""The prepare module gives what Pillow and torchvision give, and its ONNX graph gives what it gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import v2 as transforms

from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput
from zoo.data.embedded import digits
from zoo.data.image import preprocess
from zoo.data.image.postprocess import Picture, Probabilities
from zoo.data.image.preprocess import ImagePrepare, luma

Pixels = npt.NDArray[np.uint8]
SIZES = [(97, 1000), (1080, 1920), (225, 227), (31, 17), (256, 256), (224, 224), (301, 400), (300, 401)]
INPUTS = {
    "crop": ImageInput(size=(224, 224), resize=256),
    "crop, bicubic": ImageInput(size=(224, 224), resize=232, interpolation="bicubic"),
    "stretch": ImageInput(size=(28, 28)),
    "stretch, bicubic": ImageInput(size=(48, 64), interpolation="bicubic"),
    "stretch, then crop": ImageInput(size=(56, 48), resize=64, stretch=True, crop_rounding="down"),
    "grey": ImageInput(size=(28, 28), channels=1, mean=(0.1307,), std=(0.3081,)),
    "nearest": ImageInput(size=(32, 48), interpolation="nearest"),
}


def picture(height: int, width: int, kind: str) -> Pixels:
    """Noise, or real handwriting in colour on a colour gradient."""
    random = np.random.default_rng(height * 10_000 + width)
    if kind == "noise":
        return random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    wall = np.concatenate(list(digits.load().test_images[:64].reshape(8, 8, 28, 28).transpose(0, 2, 1, 3)), 0)
    grey = np.array(Image.fromarray(wall.reshape(224, 224)).resize((width, height)), dtype=float)
    ramp = np.linspace(0, 90, width)[None, :, None] * np.array([1.0, 0.5, 0.1])
    colour: Pixels = np.clip(grey[..., None] * [0.5, 0.6, 0.2] + ramp, 0, 255).astype(np.uint8)
    return colour


def geometry(pixels: Pixels, image: ImageInput) -> npt.NDArray[np.float32]:
    result: npt.NDArray[np.float32] = ImagePrepare(image).geometry(torch.from_numpy(pixels))[0].numpy()
    return result


@pytest.mark.parametrize("kind", ["noise", "handwriting"])
@pytest.mark.parametrize("size", SIZES)
def test_geometry_is_within_one_level_of_the_publishers_transform(size: tuple[int, int], kind: str) -> None:
    pixels = picture(*size, kind)
    for name in ("crop", "crop, bicubic"):
        image = INPUTS[name]
        mode = InterpolationMode(image.interpolation)
        published = transforms.Compose([transforms.Resize(image.resize, mode), transforms.CenterCrop(image.size)])
        actual = geometry(pixels, image)
        from_pillow = np.asarray(published(Image.fromarray(pixels)), float).transpose(2, 0, 1)
        from_tensor = published(torch.from_numpy(pixels).permute(2, 0, 1).contiguous()).numpy().astype(float)
        assert actual.shape == (3, 224, 224)
        assert np.array_equal(actual, np.round(actual)) and actual.min() >= 0 and actual.max() <= 255
        assert np.abs(actual - from_pillow).max() <= 1
        # torchvision's own two paths differ by up to two levels with bicubic
        assert np.abs(actual - from_tensor).max() <= (1 if name == "crop" else 2)


@pytest.mark.parametrize("size", SIZES)
def test_stretching_is_within_one_level_of_pillow(size: tuple[int, int]) -> None:
    pixels = picture(*size, "noise")
    for name, filter in (("stretch", Image.Resampling.BILINEAR), ("stretch, bicubic", Image.Resampling.BICUBIC)):
        image = INPUTS[name]
        pillow = np.asarray(Image.fromarray(pixels).resize(image.size[::-1], filter), float).transpose(2, 0, 1)
        assert np.abs(geometry(pixels, image) - pillow).max() <= 1


@pytest.mark.parametrize("size", [(97, 1000), (31, 17)])
def test_nearest_is_pillows(size: tuple[int, int]) -> None:
    pixels = picture(*size, "noise")
    nearest = Image.fromarray(pixels).resize((48, 32), Image.Resampling.NEAREST)
    assert np.array_equal(geometry(pixels, INPUTS["nearest"]), np.asarray(nearest).transpose(2, 0, 1))


@pytest.mark.parametrize("name", ["crop", "stretch, bicubic", "nearest"])
def test_a_large_picture_is_resized_channel_by_channel_to_the_same_levels(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = picture(97, 310, "noise")
    expected = geometry(pixels, INPUTS[name])
    monkeypatch.setattr(preprocess, "LARGE", 1)
    assert np.array_equal(geometry(pixels, INPUTS[name]), expected)


def test_the_crop_rounds_its_offset_to_the_even_number() -> None:
    columns = np.broadcast_to(np.arange(31, dtype=np.uint8)[None, :, None], (28, 31, 3)).copy()
    image = ImageInput(size=(28, 28), resize=28)
    assert geometry(columns, image)[0, 0, 0] == 2.0  # 1.5 rounds to 2, as Python and torchvision do
    assert geometry(columns[:, :29], image)[0, 0, 0] == 0.0  # 0.5 rounds to 0


def test_a_picture_of_the_right_size_is_left_alone() -> None:
    pixels = picture(28, 28, "noise")
    assert np.array_equal(geometry(pixels, INPUTS["stretch"]), pixels.transpose(2, 0, 1))


def test_luma_is_pillows_for_every_pair_of_levels() -> None:
    red, green = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    for blue in (0, 1, 100, 255):
        colour = np.stack([red, green, np.full_like(red, blue)], -1)
        actual = luma(torch.from_numpy(colour).permute(2, 0, 1)[None].float())[0, 0].numpy()
        assert np.array_equal(actual, np.asarray(Image.fromarray(colour).convert("L")))


def test_grey_read_as_three_equal_channels_gives_back_its_levels() -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, 2)
    actual = geometry(grey, ImageInput(size=(16, 16), channels=1, mean=(0.0,), std=(1.0,)))
    assert np.array_equal(actual[0], grey[..., 0])


def test_normalise_is_the_published_formula_and_repeats_a_grey_channel() -> None:
    prepare = ImagePrepare(INPUTS["stretch"])
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    wide = prepare.normalise(levels)
    mean, std = torch.tensor(INPUTS["stretch"].mean), torch.tensor(INPUTS["stretch"].std)
    published = (levels.repeat(1, 3, 1, 1) / 255 - mean[:, None, None]) / std[:, None, None]
    assert wide.shape == (1, 3, 16, 16)
    torch.testing.assert_close(wide, published, rtol=1e-6, atol=2e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", INPUTS)
def test_the_onnx_graph_gives_what_the_module_gives(name: str, tmp_path: Path) -> None:
    prepare = ImagePrepare(INPUTS[name]).eval()
    session = exported(prepare, torch.zeros(301, 402, 3, dtype=torch.uint8), tmp_path)
    assert session.get_inputs()[0].shape == ["height", "width", 3]
    assert session.get_outputs()[0].shape == [1, prepare.channels, *prepare.size]
    for size in SIZES:
        pixels = picture(*size, "noise")
        actual = prepare(torch.from_numpy(pixels)).numpy()
        from_onnx = session.run(None, {"image": pixels})[0]
        levels = np.abs(actual - from_onnx) * prepare.std.numpy()
        assert levels.max() <= 1.001
        assert (levels > 0.5).mean() < 0.003  # rounding of pixels that lie between two levels


def exported(module: torch.nn.Module, example: torch.Tensor, folder: Path) -> Any:
    program = torch.onnx.export(
        module,
        (example,),
        input_names=["image"],
        dynamic_shapes=({0: "height", 1: "width"},),
        opset_version=18,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    program.save(folder / "prepare.onnx")
    assert program.model.opset_imports[""] == 18
    return onnxruntime.InferenceSession(folder / "prepare.onnx")


def test_an_input_that_cannot_be_prepared_is_refused() -> None:
    with pytest.raises(UsageError, match="resizes the shorter side to 200"):
        ImagePrepare(ImageInput(size=(224, 224), resize=200))
    with pytest.raises(UsageError, match="1 channels and 3 values of mean"):
        ImagePrepare(ImageInput(size=(28, 28), channels=1))


def test_the_picture_of_a_perfect_reconstruction_is_the_picture() -> None:
    image = ImageInput(size=(16, 16))
    pixels = picture(16, 16, "noise")
    assert torch.equal(Picture(image)(ImagePrepare(image)(torch.from_numpy(pixels))), torch.from_numpy(pixels))


def test_probabilities_sum_to_one_and_lose_the_batch_axis() -> None:
    answer = Probabilities()(torch.tensor([[1.0, 2.0, 3.0]]))
    assert answer.shape == (3,)
    torch.testing.assert_close(answer.sum(), torch.tensor(1.0))
