"""Pictures with masks in the formats people have: the same world written several ways gives the same data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError
from zoo.data.formats.detect import read_source
from zoo.data.formats.masks.checks import check_masks
from zoo.data.formats.masks.index_mask import drawn_mask, read_mask
from zoo.data.formats.masks.layouts import detect_masks
from zoo.tasks.semantic_segmentation.sources import mask_reader
from zoo.tasks.semantic_segmentation.task import SegmentationData

HEIGHT, WIDTH = 20, 30
NAMES = ("background", "cat", "dog")
Write = Callable[[Path], Path]
Mask = npt.NDArray[np.uint8]


def mask_of(name: str) -> Mask:
    """A cat in every picture, a dog lying over it in all but one."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[2:12, 3:20] = 1
    if name != "c":
        mask[8:16, 10:25] = 2
    return mask


def picture(path: Path, *, size: tuple[int, int] = (HEIGHT, WIDTH), orientation: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    levels = np.random.default_rng(len(path.name)).integers(0, 255, (*size, 3), dtype=np.uint8)
    Image.fromarray(levels).save(path, exif=exif)


def store(path: Path, mask: npt.NDArray[Any], *, palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(mask, "P" if palette else None)
    if palette:
        image.putpalette([7, 7, 7, 200, 0, 0, 0, 200, 0])
    image.save(path)


def write_pairs(root: Path) -> Path:
    for name in "abc":
        picture(root / "images" / f"{name}.png")
        store(root / "masks" / f"{name}.png", mask_of(name))
    (root / "classes.txt").write_text("\n".join(NAMES))
    return root


def write_split_above(root: Path) -> Path:
    for split, names in (("train", "ab"), ("val", "c")):
        for name in names:
            picture(root / split / "images" / f"{name}.png")
            store(root / split / "masks" / f"{name}_mask.png", mask_of(name), palette=True)
    (root / "labelmap.txt").write_text(
        "# label:color:parts:actions\nbackground:0,0,0::\ncat:200,0,0::\ndog:0,200,0::\n"
    )
    return root


def write_split_below(root: Path) -> Path:
    for split, names in (("training", "ab"), ("validation", "c")):
        for name in names:
            picture(root / "images" / split / f"{name}.png")
            store(root / "annotations" / split / f"{name}.png", mask_of(name))
    (root / "classes.txt").write_text("\n".join(NAMES))
    return root


def write_voc(root: Path) -> Path:
    for name in "abcd":
        picture(root / "JPEGImages" / f"{name}.png")
        if name != "d":
            store(root / "SegmentationClass" / f"{name}.png", mask_of(name), palette=True)
    (root / "ImageSets" / "Segmentation").mkdir(parents=True)
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("a\nb\n")
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("c\n")
    (root / "class_names.txt").write_text("__ignore__\n" + "\n".join(NAMES))
    return root


def corners(left: int, top: int, right: int, bottom: int) -> list[list[int]]:
    return [[left, top, right, top, right, bottom, left, bottom]]


def write_coco(root: Path) -> Path:
    for split, names in (("train", "ab"), ("val", "c")):
        annotations: list[dict[str, Any]] = []
        for number, name in enumerate(names):
            picture(root / split / f"{name}.png")
            cat = mask_of("c") == 1
            runs = [int(n) for n in np.diff(np.flatnonzero(np.diff(cat.ravel("F"), prepend=1 - cat[0, 0], append=2)))]
            region = {"size": [HEIGHT, WIDTH], "counts": runs} if name == "a" else corners(3, 2, 20, 12)
            annotations.append({"image_id": number, "category_id": 4, "segmentation": region, "area": 170})
            if name != "c":
                annotations.append({"image_id": number, "category_id": 9, "segmentation": corners(10, 8, 25, 16)})
        document = {
            "images": [
                {"id": number, "file_name": f"{name}.png", "height": HEIGHT, "width": WIDTH}
                for number, name in enumerate(names)
            ],
            "categories": [{"id": 4, "name": "cat"}, {"id": 9, "name": "dog"}],
            "annotations": [{"id": key, **one} for key, one in enumerate(annotations)],
        }
        (root / "annotations").mkdir(exist_ok=True)
        (root / "annotations" / f"instances_{split}2017.json").write_text(json.dumps(document))
    return root


def card_of(root: Path, *, skip: bool = False) -> DataCard:
    source = detect_masks(DataRequest(source=str(root), on_bad_sample="skip" if skip else "error"))
    assert source.location is not None
    return check_masks(source, read_source(source), progress=lambda *_: None)


def problem_of(root: Path) -> tuple[str, str, str]:
    """Where, why and the cure of the only problem."""
    with pytest.raises(DataError) as caught:
        card_of(root)
    (problem,) = caught.value.problems
    return problem.where, problem.reason, problem.fix


@pytest.mark.parametrize(
    ("write", "format"),
    [
        (write_pairs, "mask-folders"),
        (write_split_above, "mask-folders"),
        (write_split_below, "mask-folders"),
        (write_voc, "voc-masks"),
        (write_coco, "coco"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_one_world_in_every_format(write: Write, format: str, tmp_path: Path) -> None:
    card = card_of(write(tmp_path))
    assert card.source.format == format
    assert card.classes == NAMES
    read, read_picture = mask_reader(card), SegmentationData().reader(card)
    samples = {Path(sample.name).stem: sample for items in card.splits.values() for sample in items}
    assert sorted(samples) == ["a", "b", "c"]
    for name, sample in samples.items():
        np.testing.assert_array_equal(read(sample), mask_of(name))
        assert read_picture(sample).shape == (HEIGHT, WIDTH, 3)
    if write is not write_pairs:
        assert [Path(sample.name).stem for sample in card.splits["validation"]] == ["c"]
    assert card.facts["height"] == [HEIGHT, HEIGHT]


def test_the_fingerprint_follows_the_masks(tmp_path: Path) -> None:
    root = write_pairs(tmp_path)
    before = card_of(root).fingerprint
    assert card_of(root).fingerprint == before
    store(root / "masks" / "a.png", mask_of("c"))
    assert card_of(root).fingerprint != before


def test_without_names_classes_are_numbers(tmp_path: Path) -> None:
    root = write_pairs(tmp_path)
    (root / "classes.txt").unlink()
    card = card_of(root)
    assert card.classes == ("class 0", "class 1", "class 2")
    assert any("nothing names the classes" in note for note in card.notes)


def test_pixels_left_open_are_no_class(tmp_path: Path) -> None:
    root = write_pairs(tmp_path)
    store(root / "masks" / "b.png", np.where(mask_of("b") == 2, 255, mask_of("b")).astype(np.uint8))
    store(root / "masks" / "c.png", np.full((HEIGHT, WIDTH), 255, np.uint8))
    card = card_of(root)
    assert card.classes == NAMES
    assert any("1 mask leaves every pixel open" in note for note in card.notes)


def test_a_mask_of_another_size(tmp_path: Path) -> None:
    root = write_pairs(tmp_path)
    store(root / "masks" / "b.png", mask_of("b")[:, :-4])
    where, reason, fix = problem_of(root)
    assert where == "masks/b.png"
    assert reason == "it is 26 x 20 pixels, its picture images/b.png is 30 x 20"
    assert "same size" in fix


def test_a_mask_that_the_pictures_exif_turns(tmp_path: Path) -> None:
    root = write_pairs(tmp_path)
    picture(root / "images" / "b.png", orientation=6)
    assert "turned by the picture's EXIF orientation" in problem_of(root)[1]


def test_a_class_that_nobody_named(tmp_path: Path) -> None:
    root = write_pairs(tmp_path)
    store(root / "masks" / "b.png", mask_of("b") * 19)
    where, reason, fix = problem_of(root)
    assert where == "masks/b.png"
    assert reason.startswith("it holds 19, 38: none of the 3 classes")
    assert "name the class" in fix


@pytest.mark.parametrize("missing", ["masks", "images"])
def test_one_without_the_other(missing: str, tmp_path: Path) -> None:
    root = write_pairs(tmp_path)
    (root / missing / "b.png").unlink()
    where, reason, _ = problem_of(root)
    assert where == ("images/b.png" if missing == "masks" else "masks/b.png")
    assert "no mask b.png in masks/" in reason or "no picture of this name in images/" in reason


def test_two_masks_for_one_picture(tmp_path: Path) -> None:
    root = write_pairs(tmp_path)
    store(root / "masks" / "b_mask.png", mask_of("b"))
    assert "it has 2 masks" in problem_of(root)[1]


def save_colour(path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    Image.fromarray(levels).save(path)


def save_jpeg(path: Path) -> None:
    Image.fromarray(mask_of("b")).save(path, "JPEG")


def save_deep(path: Path) -> None:
    Image.fromarray(mask_of("b").astype(np.uint16) * 700).save(path)


@pytest.mark.parametrize(
    ("save", "said"),
    [
        (save_colour, "is a colour picture (mode RGB, 600 colours), not a mask"),
        (save_jpeg, "is a JPEG, which changes class numbers"),
        (save_deep, "holds the class number 1400"),
        (Path.touch, "is empty (0 bytes)"),
        (lambda path: path.write_text("<html>no"), "looks like HTML"),
    ],
)
def test_what_is_no_index_mask(save: Callable[[Path], None], said: str, tmp_path: Path) -> None:
    root = write_pairs(tmp_path)
    (root / "masks" / "b.png").unlink()
    save(root / "masks" / "b.png")
    where, reason, fix = problem_of(root)
    assert where == "masks/b.png"
    assert said in reason
    assert "class numbers" in fix


def write_black_and_white(root: Path) -> Path:
    write_pairs(root)
    for name in "abc":
        store(root / "masks" / f"{name}.png", (mask_of(name) > 0).astype(np.uint8) * 255)
    return root


def test_black_and_white_masks_of_three_classes_teach_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"hold only 0 and 255.*and 3 classes are named") as caught:
        card_of(write_black_and_white(tmp_path))
    assert caught.value.hint.startswith("write the number of the class, such as 1, instead of 255")


@pytest.mark.parametrize(
    ("names", "classes"),
    [("", ("class 0", "class 1")), ("road", ("background", "road")), ("sky\nearth", ("sky", "earth"))],
)
def test_black_and_white_masks_are_two_classes(names: str, classes: tuple[str, str], tmp_path: Path) -> None:
    root = write_black_and_white(tmp_path)
    (root / "classes.txt").write_text(names) if names else (root / "classes.txt").unlink()
    card = card_of(root)
    assert card.classes == classes
    assert f"the masks are black and white: 0 and 255 are read as {classes[0]} and {classes[1]}" in card.notes
    read = mask_reader(card)
    for sample in card.splits["train"]:
        np.testing.assert_array_equal(read(sample), mask_of(Path(sample.name).stem) > 0)


def test_grey_levels_name_no_class(tmp_path: Path) -> None:
    root = write_pairs(tmp_path)
    (root / "classes.txt").unlink()
    for name in "abc":
        store(root / "masks" / f"{name}.png", mask_of(name) * 75)
    with pytest.raises(DataError, match="hold the numbers 0, 75, 150, which look like grey levels"):
        card_of(root)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"segmentation": []}, "a box but no segmentation"),
        ({"segmentation": [[1, 2, 3, 4]]}, "fewer than three corners"),
        ({"segmentation": "round"}, "neither polygons nor run lengths"),
        ({"category_id": 77}, "class 77 is not among the 2 categories"),
        ({"image_id": 99}, "no image 99"),
        ({"segmentation": {"size": [5, 5], "counts": [20, 5]}}, "its run lengths are for 5 x 5 pixels, not 30 x 20"),
        ({"segmentation": {"size": "x", "counts": [1]}}, "its run lengths are not whole numbers, or not of two sides"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": [-5, 605]}}, "its run lengths are not whole numbers"),
        ({"segmentation": [[10**400, 1, 1, 2, 2, 2]]}, "a corner of it is no number"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": "junk"}}, "neither polygons nor run lengths can be read"),
    ],
)
def test_regions_that_cannot_be_drawn(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    root = write_coco(tmp_path)
    file = root / "annotations" / "instances_train2017.json"
    document = json.loads(file.read_text())
    document["annotations"][1] |= change
    file.write_text(json.dumps(document))
    assert said in problem_of(root)[1]


def test_voc_lists_name_pictures_that_are_there(tmp_path: Path) -> None:
    root = write_voc(tmp_path)
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("c\ne\n")
    assert problem_of(root)[:2] == ("ImageSets/Segmentation/val.txt line 2", "it lists e, which is not in JPEGImages/")


def test_nothing_that_zoo_can_read(tmp_path: Path) -> None:
    picture(tmp_path / "photos" / "a.png")
    with pytest.raises(DataError, match="no pictures with masks") as caught:
        detect_masks(DataRequest(source=str(tmp_path)))
    assert "SegmentationClass" in caught.value.hint
    with pytest.raises(DataError, match="there is no data"):
        detect_masks(DataRequest(source=str(tmp_path / "nowhere")))


def test_the_smaller_lies_on_top() -> None:
    small, large = json.dumps(corners(4, 4, 8, 8)), json.dumps(corners(0, 0, 12, 12))
    mask = drawn_mask([(1, large), (2, small)], 20, 20)
    assert (mask == 2).sum() == 16
    assert (mask == 1).sum() == 144 - 16


def test_a_mask_of_one_bit(tmp_path: Path) -> None:
    Image.fromarray(mask_of("c") == 1).save(tmp_path / "bit.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "bit.png"), mask_of("c"))
