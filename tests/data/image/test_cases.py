"""Cases for every purpose: deterministic, of the promised kinds, never more than asked."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.api.data import DataCard, DataRequest
from zoo.api.problem import ImageInput
from zoo.api.task import Case, Purpose
from zoo.data.image import sources
from zoo.data.image.cases import GOLDEN_PIXELS, picture_cases
from zoo.data.image.pillow import fitted, normalised
from zoo.data.image.preprocess import ImagePrepare
from zoo.data.image.synthetic import scene

LARGE = ImageInput(size=(224, 224), resize=256)
SMALL = ImageInput(size=(28, 28), channels=1, mean=(0.1307,), std=(0.3081,))


def digits_card() -> DataCard:
    found = sources.detect(DataRequest(source="digits"), accepted=())
    return sources.check(found, labelled=True, progress=lambda *_: None)


def cases(purpose: Purpose, image: ImageInput, **options: Any) -> list[Case]:
    settings: dict[str, Any] = {"card": digits_card(), "embedded": False, "limit": 100, **options}
    found = picture_cases(
        settings["card"],
        image,
        purpose,
        truth=lambda sample, _: sample.label,
        embedded=settings["embedded"],
        limit=settings["limit"],
    )
    return list(found)


def coloured(pixels: np.ndarray[Any, Any]) -> bool:
    return not np.array_equal(pixels[..., 0], pixels[..., 2])


@pytest.mark.parametrize("image", [LARGE, SMALL])
@pytest.mark.parametrize("purpose", list(Purpose))
def test_the_same_cases_every_time_with_names_of_their_own(purpose: Purpose, image: ImageInput) -> None:
    first, second = (cases(purpose, image, limit=8) for _ in range(2))
    assert len({case.name for case in first}) == len(first) <= 8
    for one, other in zip(first, second, strict=True):
        assert one.name == other.name and one.truth == other.truth
        assert all(np.array_equal(one.inputs[key], other.inputs[key]) for key in one.inputs)


@pytest.mark.parametrize("image", [LARGE, SMALL])
@pytest.mark.parametrize("card", [None, "digits"])
def test_two_coloured_pictures_of_other_sizes_come_first(image: ImageInput, card: str | None) -> None:
    found = cases(Purpose.PIPELINE, image, card=digits_card() if card else None, limit=2)
    shapes = [case.inputs["image"].shape for case in found]
    assert all(coloured(case.inputs["image"]) and case.gates for case in found)
    assert shapes[0] != shapes[1] and all(shape[:2] != image.size for shape in shapes)


def test_the_first_six_raw_cases_cover_what_files_are_like() -> None:
    found = {case.kind: case for case in cases(Purpose.PIPELINE, SMALL)}
    first = {case.kind for case in cases(Purpose.PIPELINE, SMALL, limit=6)}
    assert first == {"realistic", "alpha, upscaled", "exif", "grey, extreme aspect"}
    assert set(found) == first | {"exact size", "noise"}
    strip, turned = found["grey, extreme aspect"].inputs["image"], found["exif"].inputs["image"]
    assert not coloured(strip) and strip.shape[1] > 5 * strip.shape[0]
    assert turned.shape[0] > turned.shape[1]
    assert [kind for kind, case in found.items() if not case.gates] == ["noise"]
    for case in found.values():
        assert case.inputs["image"].dtype == np.uint8 and case.inputs["image"].shape[2] == 3


@pytest.mark.parametrize("image", [LARGE, SMALL])
def test_ready_cases_gate_on_realistic_uniform_and_smooth_ones(image: ImageInput) -> None:
    found = cases(Purpose.MODEL, image)
    gating = [case.kind for case in found if case.gates]
    assert sorted(gating) == ["realistic"] * 3 + ["smooth"] * 2 + ["uniform"] * 2
    assert gating == [case.kind for case in found[: len(gating)]]
    assert {case.kind for case in found if not case.gates} == {"checkerboard", "zeros", "ones", "constant", "loud"}
    for case in found:
        assert case.inputs["input"].shape == (1, image.channels, *image.size)
        assert case.inputs["input"].dtype == np.float32


def test_evaluation_mixes_the_classes_of_the_test_split() -> None:
    found = cases(Purpose.EVALUATION, SMALL, limit=100)
    assert len({case.truth for case in found}) == 10
    assert all(case.name.startswith("test-") and case.origin.startswith("embedded digits, test/") for case in found)


def test_without_a_card_there_are_only_embedded_and_synthetic_ones() -> None:
    assert cases(Purpose.EVALUATION, LARGE, card=None) == []
    assert {case.origin for case in cases(Purpose.GOLDEN, LARGE, card=None)} == {"synthetic"}
    golden = cases(Purpose.GOLDEN, SMALL, card=None, embedded=True)
    assert {case.origin.split(",")[0] for case in golden} == {"embedded digits"}


@pytest.mark.parametrize("image", [LARGE, SMALL, ImageInput(size=(40, 20))])
@pytest.mark.parametrize("card", [None, "digits"])
def test_golden_cases_begin_with_a_strongly_shrunk_and_an_enlarged_picture(image: ImageInput, card: str | None) -> None:
    shrunk, enlarged = cases(Purpose.GOLDEN, image, card=digits_card() if card else None, limit=2)
    height, width = (image.resize, image.resize) if image.resize else image.size
    for case, least, most in ((shrunk, 2.9, 5), (enlarged, 0.2, 0.6)):
        pixels = case.inputs["image"]
        assert coloured(pixels) and pixels.std() > 10 and case.gates
        assert least * height <= pixels.shape[0] <= most * height
        assert least * width <= pixels.shape[1] <= most * width


def test_a_shrunk_picture_of_a_usual_model_packs_small() -> None:
    for card in (None, digits_card()):
        shrunk = cases(Purpose.GOLDEN, LARGE, card=card, limit=1)[0].inputs["image"]
        assert len(zlib.compress(shrunk.tobytes())) < 400_000


def test_golden_cases_are_five_and_none_is_huge(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        for number in range(20):
            size = (1100, 1000) if number % 3 == 0 else (30, 20)
            Image.new("RGB", size, (number, 0, 0)).save(tmp_path / label / f"{number}.png")
    found = sources.detect(DataRequest(source=str(tmp_path)), accepted=("class-folders",))
    card = sources.check(found, labelled=True, progress=lambda *_: None)
    golden = cases(Purpose.GOLDEN, LARGE, card=card)
    assert 3 <= len(golden) <= 5
    assert all(case.inputs["image"].size // 3 <= GOLDEN_PIXELS for case in golden)


@pytest.mark.parametrize("image", [LARGE, SMALL, ImageInput(size=(33, 20), interpolation="bicubic")])
def test_the_torch_free_geometry_is_within_one_level_of_the_modules(image: ImageInput) -> None:
    pixels = scene(301, 205, seed=0)
    prepare = ImagePrepare(image)
    exact = prepare.geometry(torch.from_numpy(pixels))[0].permute(1, 2, 0).numpy()
    approximate = fitted(pixels, image)
    assert approximate.shape == (*image.size, image.channels)
    assert np.abs(exact - approximate).max() <= 1
    torch.testing.assert_close(torch.from_numpy(normalised(exact, image)), prepare(torch.from_numpy(pixels)))
