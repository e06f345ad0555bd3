"""Every kind of picture people have becomes upright RGB levels; what is no picture is told so."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.data.formats.pictures.decode import Unreadable, read_picture
from zoo.data.formats.pictures.inspect import inspect_picture


def stored(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def test_rgb_is_left_alone_from_a_path_and_from_memory(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    path = stored(Image.fromarray(pixels), tmp_path / "a.png")
    assert np.array_equal(read_picture(path), pixels)
    assert np.array_equal(read_picture(BytesIO(path.read_bytes()), "a.png"), pixels)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr"])
def test_other_modes_become_rgb(mode: str, tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 3), "white").convert(mode)
    path = stored(image, tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr") else "a.png"))
    levels = read_picture(path)
    assert levels.shape == (3, 4, 3) and levels.dtype == np.uint8 and levels.min() >= 254


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    deep = np.arange(0, 65536, 82, dtype=np.uint16)[None].repeat(2, 0)
    levels = read_picture(stored(Image.fromarray(deep), tmp_path / "a.png"))
    assert np.array_equal(levels[..., 0], np.round(deep / 257).astype(np.uint8))
    assert len(np.unique(levels)) == 256


def test_transparency_is_put_on_white(tmp_path: Path) -> None:
    clear_red = np.zeros((2, 2, 4), np.uint8)
    clear_red[..., 0] = 255
    clear_red[0, 0, 3] = 255
    levels = read_picture(stored(Image.fromarray(clear_red), tmp_path / "a.png"))
    assert levels[0, 0].tolist() == [255, 0, 0] and levels[1, 1].tolist() == [255, 255, 255]
    palette = Image.new("P", (2, 2), 3)
    palette.putpalette([0, 0, 0] * 256)
    levels = read_picture(stored(palette, tmp_path / "b.png", transparency=3))
    assert levels.min() == 255


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    levels = read_picture(stored(Image.new("RGB", (40, 20)), tmp_path / "a.jpg", exif=exif))
    assert levels.shape == (40, 20, 3)


def test_the_first_frame_of_an_animation_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 4), level) for level in (10, 200)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert read_picture(path).max() == 10


def jpeg() -> bytes:
    memory = BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(memory, "jpeg")
    return memory.getvalue()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", r"a\.jpg is empty \(0 bytes\)"),
        (b"<!DOCTYPE html><html>404</html>", "looks like HTML, not like a picture"),
        (b'<?xml version="1.0"?><svg xmlns=""/>', "looks like SVG"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "is a HEIC picture"),
        (b"hello world, no picture", r"not a picture that Pillow knows \(it starts with b'hello wo'\)"),
        (jpeg()[:1500], "is damaged: image file is truncated"),
    ],
)
def test_what_cannot_be_read_is_named_and_described(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=complaint) as first:
        read_picture(path)
    with pytest.raises(Unreadable) as second:
        read_picture(BytesIO(content), str(path))
    assert str(first.value) == str(second.value)


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored(Image.new("1", (100, 100)), tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(Unreadable, match="too many pixels"):
        read_picture(path)


def test_floating_point_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="floating-point"):
        read_picture(stored(Image.new("F", (2, 2)), tmp_path / "a.tif"))


def test_a_missing_file_stays_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_picture(tmp_path / "none.png")


def test_a_picture_from_a_phone_is_read_where_the_extra_is_installed(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    levels = np.zeros((32, 48, 3), np.uint8)
    levels[:, 24:] = (200, 100, 50)
    heif.from_pillow(Image.fromarray(levels)).save(tmp_path / "1.heic", quality=100)
    pixels = read_picture(tmp_path / "1.heic")
    assert pixels.shape == (32, 48, 3)
    assert np.abs(pixels[:, 30:].astype(int) - (200, 100, 50)).max() < 12
    facts = inspect_picture(tmp_path / "1.heic")
    assert (facts["height"], facts["width"]) == (32, 48)
