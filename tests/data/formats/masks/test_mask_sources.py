"""Masks as people have them: any folders, black and white, palettes, colours with a table, YOLO's polygons."""

from __future__ import annotations

from collections.abc import Mapping
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
from zoo.data.formats.masks.index_mask import read_mask
from zoo.data.formats.masks.layouts import detect_masks
from zoo.tasks.semantic_segmentation.sources import mask_reader
from zoo.tasks.semantic_segmentation.task import SegmentationData

SIDE = 10
Mask = npt.NDArray[np.uint8]
RED, GREEN, BLACK = (200, 0, 0), (0, 200, 0), (0, 0, 0)


def mask_of(name: str) -> Mask:
    """Class 1 in every mask, class 2 in all but c."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[1:5, 1:9] = 1
    if name != "c":
        mask[6:9, 2:8] = 2
    return mask


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(sum(map(ord, str(path)))).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(levels).save(path)


def store(path: Path, mask: npt.NDArray[Any], palette: list[tuple[int, int, int]] | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(mask, "P" if palette else None)
    if palette:
        image.putpalette([value for colour in palette for value in colour])
    image.save(path)


def coloured(mask: Mask) -> npt.NDArray[np.uint8]:
    return np.array([BLACK, RED, GREEN], np.uint8)[mask]


def card(root: Path, **options: Any) -> DataCard:
    source = detect_masks(DataRequest(source=str(root), **options))
    assert source.location is not None
    listing = read_source(source)
    return check_masks(source, listing, progress=lambda *_: None)


def problems(root: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        card(root)
    return [f"{problem.where}: {problem.reason}" for problem in caught.value.problems]


def stems(found: DataCard) -> dict[str, list[str]]:
    return {split: [Path(sample.name).stem for sample in items] for split, items in found.splits.items()}


def read_all(found: DataCard) -> dict[str, Mask]:
    read, read_picture = mask_reader(found), SegmentationData().reader(found)
    samples = [sample for items in found.splits.values() for sample in items]
    assert all(read_picture(sample).shape == (SIDE, SIDE, 3) for sample in samples)
    return {Path(sample.name).stem: read(sample) for sample in samples}


def assert_masks(found: DataCard) -> None:
    for name, mask in read_all(found).items():
        np.testing.assert_array_equal(mask, mask_of(name))


SPLITS = {"train": ["a", "b"], "validation": ["c"]}


@pytest.mark.parametrize(
    ("train", "other"),
    [
        (("train/images", "train/masks"), ("dev/images", "dev/masks")),
        (("Training/Images", "Training/Masks"), ("Validation/Images", "Validation/Masks")),
        (("images/train", "masks/train"), ("images/dev", "masks/dev")),
        (("images/training", "annotations/training"), ("images/validation", "annotations/validation")),
        (("train_images", "train_masks"), ("val_images", "val_masks")),
        (("train", "train_labels"), ("val", "val_labels")),
        (("train", "trainannot"), ("val", "valannot")),
        (("TrainImages", "TrainMasks"), ("ValImages", "ValMasks")),
    ],
)
def test_folders_of_any_names(train: tuple[str, str], other: tuple[str, str], tmp_path: Path) -> None:
    for (images, masks), names in ((train, "ab"), (other, "c")):
        for name in names:
            picture(tmp_path / images / f"{name}.png")
            store(tmp_path / masks / f"{name}.png", mask_of(name))
    found = card(tmp_path)
    assert stems(found) == SPLITS
    assert_masks(found)


def test_roboflows_masks_beside_the_pictures(tmp_path: Path) -> None:
    for part, names in (("train", "ab"), ("valid", "cd")):
        for name in names:
            picture(tmp_path / part / f"{name}_jpg.rf.01.jpg")
            store(tmp_path / part / f"{name}_jpg.rf.01_mask.png", mask_of(name))
        (tmp_path / part / "_classes.csv").write_text("Pixel Value, Class\n0, background\n1, cat\n2, dog\n")
    found = card(tmp_path)
    assert found.classes == ("background", "cat", "dog")
    assert found.counts() == {"train": 2, "validation": 2}
    assert found.splits["train"][0].mask == "train/a_jpg.rf.01_mask.png"


def pairs(root: Path, masks: Mapping[str, npt.NDArray[Any]] | None = None, *, table: str = "") -> Path:
    for stem in "abc":
        picture(root / "images" / f"{stem}.png")
        store(root / "masks" / f"{stem}.png", (masks or {}).get(stem, mask_of(stem)))
    if table:
        (root / "labelmap.txt").write_text(table)
    return root


def test_a_part_beside_the_known_ones_is_a_question(tmp_path: Path) -> None:
    for part, name in (("train", "a"), ("val", "b"), ("more", "c")):
        picture(tmp_path / part / "images" / f"{name}.png")
        store(tmp_path / part / "masks" / f"{name}.png", mask_of(name))
        picture(tmp_path / "below" / "images" / part / f"{name}.png")
        store(tmp_path / "below" / "masks" / part / f"{name}.png", mask_of(name))
    for root in (tmp_path, tmp_path / "below"):
        with pytest.raises(DataError, match=r"beside them .*more/"):
            detect_masks(DataRequest(source=str(root)))
    assert stems(card(tmp_path, train="more", validation="val")) == {"train": ["c"], "validation": ["b"]}


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:200,0,0::\ndog:0,200,0::\n"),
        ("class_dict.csv", "name,r,g,b\nbackground,0,0,0\ncat,200,0,0\ndog,0,200,0\n"),
        ("label_colors.txt", "0 0 0\tbackground\n200 0 0\tcat\n0 200 0\tdog\n"),
    ],
)
def test_colours_with_a_table(name: str, table: str, tmp_path: Path) -> None:
    root = pairs(tmp_path, {stem: coloured(mask_of(stem)) for stem in "abc"})
    (root / name).write_text(table)
    found = card(root)
    assert found.classes == ("background", "cat", "dog")
    assert_masks(found)
    assert "3 masks are read by their colours" in found.notes


def test_a_colour_that_leaves_pixels_open(tmp_path: Path) -> None:
    table = "background:0,0,0::\ncat:200,0,0::\n__ignore__:0,200,0::\n"
    found = card(pairs(tmp_path, {stem: coloured(mask_of(stem)) for stem in "abc"}, table=table))
    assert found.classes == ("background", "cat")
    expected = np.where(mask_of("a") == 2, 255, mask_of("a"))
    np.testing.assert_array_equal(read_all(found)["a"], expected)


def test_colours_without_a_table_or_beside_it(tmp_path: Path) -> None:
    root = pairs(tmp_path, {"b": coloured(mask_of("b"))})
    reason = "it is a colour picture (mode RGB, 3 colours), and nothing says which class a colour is"
    assert problems(root) == [f"masks/b.png: {reason}"]
    (root / "labelmap.txt").write_text("background:0,0,0::\ncat:200,0,0::\ndog:9,9,9::\n")
    assert problems(root) == ["masks/b.png: it has the colour (0, 200, 0), which no class has"]


def test_grey_in_three_channels_is_grey(tmp_path: Path) -> None:
    found = card(pairs(tmp_path, {"b": np.stack([mask_of("b")] * 3, axis=2)}))
    assert_masks(found)


def test_palettes_that_differ_are_a_problem(tmp_path: Path) -> None:
    root = pairs(tmp_path)
    store(root / "masks" / "a.png", mask_of("a"), [BLACK, RED, GREEN])
    store(root / "masks" / "b.png", mask_of("b"), [BLACK, GREEN, RED])
    reason = "its palette shows class 1 as (0, 200, 0), that of masks/a.png as (200, 0, 0)"
    assert problems(root) == [f"masks/b.png: {reason}"]


def test_a_colour_of_two_numbers_is_a_problem(tmp_path: Path) -> None:
    root = pairs(tmp_path)
    store(root / "masks" / "a.png", (mask_of("a") == 1).astype(np.uint8), [BLACK, RED, GREEN])
    store(root / "masks" / "b.png", (mask_of("b") == 2).astype(np.uint8) * 2, [BLACK, GREEN, RED])
    assert problems(root) == ["masks/b.png: the colour (200, 0, 0) is class 2 in it, and class 1 in masks/a.png"]


def test_palettes_that_differ_are_read_by_a_table(tmp_path: Path) -> None:
    root = pairs(tmp_path, table="background:0,0,0::\ncat:200,0,0::\ndog:0,200,0::\n")
    swapped = np.array([0, 2, 1], np.uint8)
    store(root / "masks" / "a.png", mask_of("a"), [BLACK, RED, GREEN])
    store(root / "masks" / "b.png", swapped[mask_of("b")], [BLACK, GREEN, RED])
    store(root / "masks" / "c.png", mask_of("c"), [BLACK, RED, GREEN])
    assert_masks(card(root))


def test_the_same_palette_everywhere_and_none_at_all_are_fine(tmp_path: Path) -> None:
    root = pairs(tmp_path)
    for name in "ab":
        store(root / "masks" / f"{name}.png", mask_of(name), [BLACK, RED, GREEN])
    assert_masks(card(root))
    store(root / "masks" / "b.png", mask_of("b"), [BLACK, BLACK, BLACK])
    assert_masks(card(root))


def test_one_bit_masks_are_two_classes(tmp_path: Path) -> None:
    root = pairs(tmp_path)
    for name in "abc":
        Image.fromarray(mask_of(name) > 0).save(root / "masks" / f"{name}.png")
    found = card(root)
    assert found.classes == ("class 0", "class 1")
    np.testing.assert_array_equal(read_all(found)["a"], mask_of("a") > 0)


def test_black_and_white_beside_numbers_leaves_pixels_open(tmp_path: Path) -> None:
    root = pairs(tmp_path, {"b": (mask_of("b") > 0).astype(np.uint8) * 255})
    found = card(root)
    assert found.classes == ("class 0", "class 1", "class 2")
    assert set(np.unique(read_all(found)["b"])) == {0, 255}


def test_voc_one_folder_up_and_what_no_list_names(tmp_path: Path) -> None:
    root = tmp_path / "VOC2012"
    for name in "abcd":
        picture(root / "JPEGImages" / f"{name}.png")
        store(root / "SegmentationClass" / f"{name}.png", mask_of(name), [BLACK, RED, GREEN])
    (root / "ImageSets" / "Segmentation").mkdir(parents=True)
    (root / "ImageSets" / "Segmentation" / "Train.txt").write_text("a\nb\n")
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("c\n")
    found = card(tmp_path)
    assert (found.source.format, stems(found)) == ("voc-masks", SPLITS)
    assert "left out 1 mask that none of Train.txt, val.txt names" in found.notes


def test_yolos_polygons_are_masks(tmp_path: Path) -> None:
    for part, names in (("train", "ab"), ("val", "c")):
        for name in names:
            picture(tmp_path / "images" / part / f"{name}.png")
            text = tmp_path / "labels" / part / f"{name}.txt"
            text.parent.mkdir(parents=True, exist_ok=True)
            lines = ["0 0.1 0.1 0.9 0.1 0.9 0.5 0.1 0.5"]
            lines += ["1 0.2 0.6 0.8 0.6 0.8 0.9 0.2 0.9"] if name != "c" else []
            text.write_text("\n".join(lines))
    (tmp_path / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [cat, dog]\n")
    found = card(tmp_path)
    assert (found.source.format, found.classes) == ("yolo", ("background", "cat", "dog"))
    assert_masks(found)
    (tmp_path / "labels" / "val" / "c.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    assert problems(tmp_path) == ["labels/val/c.txt line 1: it frames a box and has no outline"]


def test_copies_of_training_pictures_in_validation_are_said(tmp_path: Path) -> None:
    for part, name in (("train", "a"), ("train", "b"), ("val", "c")):
        picture(tmp_path / part / "images" / f"{name}.png")
        store(tmp_path / part / "masks" / f"{name}.png", mask_of(name))
    (tmp_path / "val/images/c.png").write_bytes((tmp_path / "train/images/a.png").read_bytes())
    pair = "train/images/a.png and val/images/c.png"
    assert f"1 picture is in two splits at once, such as {pair}: the scores will flatter" in card(tmp_path).notes


def test_a_mask_whose_picture_cannot_be_read_is_right(tmp_path: Path) -> None:
    root = pairs(tmp_path)
    (root / "images" / "d.cr2").write_bytes(b"x")
    store(root / "masks" / "d.png", mask_of("d"))
    assert problems(root) == ["images/d.cr2: .cr2 pictures cannot be read"]


def test_suffixes_and_names_of_any_case(tmp_path: Path) -> None:
    root = pairs(tmp_path)
    (root / "images" / "a.png").rename(root / "images" / "A.PNG")
    assert sum(card(root).counts().values()) == 3


def test_read_mask_needs_no_coding_for_class_numbers(tmp_path: Path) -> None:
    store(tmp_path / "a.png", mask_of("a"), [BLACK, RED, GREEN])
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), mask_of("a"))
    store(tmp_path / "rgb.png", coloured(mask_of("a")))
    with pytest.raises(ValueError, match="nothing says which class a colour is"):
        read_mask(tmp_path / "rgb.png")
