"""Pictures with objects in the three formats people have: the same world written three ways gives the same data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import BadFile, BadSample, DataError
from zoo.data.formats.detect import read_source
from zoo.data.formats.detection.checks import check_objects
from zoo.data.formats.detection.layouts import detect_objects
from zoo.data.formats.detection.yolo_settings import read_settings

HEIGHT, WIDTH = 40, 60
NAMES = ("cat", "dog")
WORLD = {
    "a": [(0, (10.0, 5.0, 30.0, 25.0)), (1, (0.0, 0.0, 8.0, 40.0))],
    "b": [(1, (6.0, 4.0, 54.0, 36.0))],
    "c": [],
}
"""Picture name to class numbers and boxes."""
Write = Callable[[Path], Path]


def picture(path: Path, *, orientation: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    levels = np.random.default_rng(len(path.name)).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    Image.fromarray(levels).save(path, exif=exif)


def write_coco(root: Path) -> Path:
    """COCO's own layout: annotations/instances_*.json beside train/ and val/."""
    for split, names in (("train", "ab"), ("val", "c")):
        for name in names:
            picture(root / split / f"{name}.png")
        boxes = [(number, box) for number, name in enumerate(names) for box in WORLD[name]]
        document = {
            "images": [
                {"id": number, "file_name": f"{name}.png", "height": HEIGHT, "width": WIDTH}
                for number, name in enumerate(names)
            ],
            "categories": [{"id": 3, "name": "cat"}, {"id": 7, "name": "dog"}],
            "annotations": [
                {"id": key, "image_id": number, "category_id": (3, 7)[label], "bbox": [x, y, r - x, b - y]}
                for key, (number, (label, (x, y, r, b))) in enumerate(boxes)
            ],
        }
        folder = root / "annotations"
        folder.mkdir(exist_ok=True)
        (folder / f"instances_{split}2017.json").write_text(json.dumps(document))
    return root


def write_voc(root: Path) -> Path:
    """Pascal's own layout; corners count from 1."""
    (root / "Annotations").mkdir(parents=True)
    (root / "ImageSets" / "Main").mkdir(parents=True)
    for name, boxes in WORLD.items():
        picture(root / "JPEGImages" / f"{name}.png")
        objects = "".join(
            f"<object><name>{NAMES[label]}</name><bndbox><xmin>{x + 1:g}</xmin><ymin>{y + 1:g}</ymin>"
            f"<xmax>{r:g}</xmax><ymax>{b:g}</ymax></bndbox></object>"
            for label, (x, y, r, b) in boxes
        )
        (root / "Annotations" / f"{name}.xml").write_text(
            f"<annotation><filename>{name}.png</filename><size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
            f"{objects}</annotation>"
        )
    (root / "ImageSets" / "Main" / "train.txt").write_text("a\nb\n")
    (root / "ImageSets" / "Main" / "val.txt").write_text("c\n")
    return root


def write_yolo(root: Path) -> Path:
    """images/ and labels/ with data.yaml; the empty picture has no text file."""
    for split, names in (("train", "ab"), ("val", "c")):
        (root / "labels" / split).mkdir(parents=True)
        for name in names:
            picture(root / "images" / split / f"{name}.png")
            lines = [
                f"{label} {(x + r) / 2 / WIDTH} {(y + b) / 2 / HEIGHT} {(r - x) / WIDTH} {(b - y) / HEIGHT}"
                for label, (x, y, r, b) in WORLD[name]
            ]
            if lines:
                (root / "labels" / split / f"{name}.txt").write_text("\n".join(lines))
    (root / "data.yaml").write_text(
        "# made by hand\ntrain: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n"
    )
    return root


WRITERS: dict[str, Write] = {"coco": write_coco, "voc": write_voc, "yolo": write_yolo}


def check(path: Path, *, skip: bool = False) -> DataCard:
    source = detect_objects(DataRequest(source=str(path), on_bad_sample="skip" if skip else "error"))
    assert source.location is not None
    return check_objects(source, read_source(source), progress=lambda *_: None)


@pytest.mark.parametrize("format", WRITERS)
def test_one_world_in_three_formats(format: str, tmp_path: Path) -> None:
    card = check(WRITERS[format](tmp_path / "world"))
    assert card.source.format == format
    assert card.classes == NAMES
    assert card.counts() == {"train": 2, "validation": 1}
    samples = {Path(one.name).stem: one for split in card.splits.values() for one in split}
    for name, boxes in WORLD.items():
        assert samples[name].labels == tuple(label for label, _ in boxes)
        assert samples[name].sides == (HEIGHT, WIDTH)
        np.testing.assert_allclose(
            np.reshape(samples[name].boxes, (-1, 4)), np.reshape([box for _, box in boxes], (-1, 4)), atol=1e-4
        )
    assert card.facts["fullest"] == 2
    assert any("1 picture shows none of the classes" in note for note in card.notes)


def test_the_fingerprint_knows_the_boxes(tmp_path: Path) -> None:
    root = write_yolo(tmp_path / "world")
    before = check(root).fingerprint
    assert check(root).fingerprint == before
    file = root / "labels" / "train" / "b.txt"
    file.write_text(file.read_text().replace("1 ", "0 ", 1))
    assert check(root).fingerprint != before


def bad_sample(path: Path) -> BadSample:
    """The only thing that is wrong."""
    with pytest.raises(DataError) as caught:
        check(path)
    (found,) = caught.value.problems
    assert found.fix
    return found


def problem(path: Path) -> str:
    """The only sentence on what is wrong."""
    found = bad_sample(path)
    return f"{found.where}: {found.reason}"


YOLO_LINES = {
    "2 0.5 0.5 0.2 0.2": "labels/train/b.txt line 1: its class 2 is out of range: there are 2, numbered from 0",
    "0 0.5 0.5 0 0.2": "labels/train/b.txt line 1: its box (0.5, 0.4, 0.5, 0.6) has no area",
    "0 0.5 0.5 -0.2 0.2": "labels/train/b.txt line 1: its box (0.6, 0.4, 0.4, 0.6) ends before it begins",
    "0 30 20 10 10": "labels/train/b.txt line 1: 30 20 10 10 are not shares of the picture",
    "0 0.5 0.5 0.2": "labels/train/b.txt line 1: it has 3 numbers after the class, a box has 4",
    "cat 0.5 0.5 0.2 0.2": "labels/train/b.txt line 1: 'cat 0.5 0.5 0.2 0.2' is not numbers",
    "0 nan 0.5 0.2 0.2": "labels/train/b.txt line 1: its box (nan, 0.4, nan, 0.6) is not finite",
    "0 0.9 0.5 0.4 0.2": "labels/train/b.txt line 1: the cat at (42, 16, 66, 24) leaves images/train/b.png, which is "
    "60 x 40 pixels",
}


@pytest.mark.parametrize("line", YOLO_LINES)
def test_bad_lines_of_yolo(line: str, tmp_path: Path) -> None:
    root = write_yolo(tmp_path / "world")
    (root / "labels" / "train" / "b.txt").write_text(line + "\n")
    assert problem(root) == YOLO_LINES[line]


def test_a_text_file_without_its_picture(tmp_path: Path) -> None:
    root = write_yolo(tmp_path / "world")
    (root / "images" / "train" / "b.png").unlink()
    assert problem(root) == "labels/train/b.txt: there is no picture for it in images/train"


def change_coco(root: Path, change: Callable[[dict], None]) -> Path:  # type: ignore[type-arg]
    file = write_coco(root) / "annotations" / "instances_train2017.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
    return root


def test_bad_annotations_of_coco(tmp_path: Path) -> None:
    where = "annotations/instances_train2017.json"

    def first(key: str, value: object) -> Callable[[dict], None]:  # type: ignore[type-arg]
        return lambda document: document["annotations"][0].update({key: value})

    def drop(document: dict) -> None:  # type: ignore[type-arg]
        document["images"][1]["file_name"] = "gone.png"

    found = [
        problem(change_coco(tmp_path / str(number), change))
        for number, change in enumerate((first("category_id", 4), first("bbox", [1, 2]), first("image_id", 9), drop))
    ]
    assert found == [
        f"{where} annotation 0: its class 4 is not among the 2 categories",
        f"{where} annotation 0: it has no bbox of four numbers",
        f"{where} annotation 0: there is no image 9",
        f"{where} image 1: no file gone.png",
    ]


def test_crowd_regions_are_kept_apart_from_what_is_learnt(tmp_path: Path) -> None:
    card = check(change_coco(tmp_path / "world", lambda document: document["annotations"][0].update(iscrowd=1)))
    assert "1 crowd region is not learnt; what is found in them counts neither way" in card.notes
    assert card.splits["train"][0].labels == (1,)
    assert card.splits["train"][0].ignored == (((10.0, 5.0, 30.0, 25.0), 0),)


def test_corners_written_as_sides_are_recognised(tmp_path: Path) -> None:
    root = write_voc(tmp_path / "world")
    for file in (root / "Annotations").glob("*.xml"):
        text = file.read_text()
        file.write_text(text.replace("<xmax>", "<xmax>-").replace("<ymax>", "<ymax>-"))
    with pytest.raises(DataError) as caught:
        check(root)
    assert all("looks like x, y, width, height" in one.reason for one in caught.value.problems)


def test_xml_with_entities_is_not_read(tmp_path: Path) -> None:
    root = write_voc(tmp_path / "world")
    file = root / "Annotations" / "a.xml"
    file.write_text('<!DOCTYPE annotation [<!ENTITY a "b">]>' + file.read_text())
    assert problem(root) == "Annotations/a.xml: it declares entities, which an annotation has no need of"


@pytest.mark.parametrize(("split", "line"), [("train", 4), ("val", 3), ("test", 2)])
def test_a_listed_picture_without_its_annotation(split: str, line: int, tmp_path: Path) -> None:
    root = write_voc(tmp_path / "world")
    picture(root / "JPEGImages" / "d.png")
    file = root / "ImageSets" / "Main" / f"{split}.txt"
    file.write_text((file.read_text() if file.exists() else "") + "\nd\n")
    assert bad_sample(root) == BadSample(
        f"ImageSets/Main/{split}.txt line {line}",
        "it lists d, but there is no Annotations/d.xml",
        "add the annotation file, or correct the list",
    )


def test_other_lists_of_voc_are_not_asked(tmp_path: Path) -> None:
    root = write_voc(tmp_path / "world")
    (root / "ImageSets" / "Main" / "cat_train.txt").write_text("d  1\n")
    assert check(root).counts() == {"train": 2, "validation": 1}


UPRIGHT = "annotate the upright picture, or save it without EXIF"


def portrait(path: Path) -> None:
    """A picture that stands upright by its own pixels, without any EXIF."""
    Image.new("RGB", (HEIGHT, WIDTH)).save(path)


def without_size(root: Path) -> Path:
    """VOC whose annotations do not say how large the pictures are."""
    for file in (write_voc(root) / "Annotations").glob("*.xml"):
        before, rest = file.read_text().split("<size>")
        file.write_text(before + rest.split("</size>")[1])
    return root


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_the_size_of_a_picture_that_lies_on_its_side(orientation: int, tmp_path: Path) -> None:
    root = write_voc(tmp_path / "world")
    picture(root / "JPEGImages" / "b.png", orientation=orientation)
    assert bad_sample(root) == BadSample(
        "JPEGImages/b.png",
        "it is 40 x 60 pixels once its EXIF orientation is applied, its annotation says 60 x 40",
        UPRIGHT,
    )


def test_the_size_of_a_portrait_without_exif(tmp_path: Path) -> None:
    root = write_voc(tmp_path / "world")
    portrait(root / "JPEGImages" / "b.png")
    assert bad_sample(root) == BadSample(
        "JPEGImages/b.png", "it is 40 x 60 pixels, its annotation says 60 x 40", "correct width and height"
    )


@pytest.mark.parametrize("orientation", [1, 3])
def test_a_wrong_size_in_coco(orientation: int, tmp_path: Path) -> None:
    for number, (height, width) in enumerate([(WIDTH, HEIGHT), (HEIGHT, WIDTH + 9)]):

        def wrong(document: dict, height: int = height, width: int = width) -> None:  # type: ignore[type-arg]
            document["images"][1].update(height=height, width=width)

        root = change_coco(tmp_path / str(number), wrong)
        picture(root / "train" / "b.png", orientation=orientation)
        assert bad_sample(root) == BadSample(
            "train/b.png",
            f"it is 60 x 40 pixels, its annotation says {width} x {height}",
            "correct width and height",
        )


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_box_that_leaves_a_picture_that_lies_on_its_side(orientation: int, tmp_path: Path) -> None:
    root = without_size(tmp_path / "world")
    picture(root / "JPEGImages" / "b.png", orientation=orientation)
    assert bad_sample(root) == BadSample(
        "Annotations/b.xml object 1",
        "the dog at (6, 4, 54, 36) leaves JPEGImages/b.png, which is 40 x 60 pixels; "
        "it would fit before the EXIF orientation is applied",
        UPRIGHT,
    )


def test_a_box_that_leaves_a_portrait_without_exif(tmp_path: Path) -> None:
    root = without_size(tmp_path / "world")
    portrait(root / "JPEGImages" / "b.png")
    assert bad_sample(root) == BadSample(
        "Annotations/b.xml object 1",
        "the dog at (6, 4, 54, 36) leaves JPEGImages/b.png, which is 40 x 60 pixels",
        "correct the box",
    )


@pytest.mark.parametrize("corner", ["<xmin>-30</xmin>", "<ymin>-30</ymin>"])
def test_a_box_that_leaves_a_lying_picture_either_way(corner: str, tmp_path: Path) -> None:
    root = without_size(tmp_path / "world")
    picture(root / "JPEGImages" / "b.png", orientation=6)
    file = root / "Annotations" / "b.xml"
    file.write_text(file.read_text().replace("<xmin>7</xmin>" if "x" in corner else "<ymin>5</ymin>", corner))
    found = bad_sample(root)
    assert (found.reason.endswith("which is 40 x 60 pixels"), found.fix) == (True, "correct the box")


def test_a_share_leaves_a_lying_picture_either_way(tmp_path: Path) -> None:
    root = write_yolo(tmp_path / "world")
    picture(root / "images" / "train" / "b.png", orientation=6)
    (root / "labels" / "train" / "b.txt").write_text("0 0.9 0.5 0.4 0.2\n")
    assert bad_sample(root) == BadSample(
        "labels/train/b.txt line 1",
        "the cat at (28, 24, 44, 36) leaves images/train/b.png, which is 40 x 60 pixels",
        "correct the box",
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("names: [cat, 'big dog']\n", {"names": ["cat", "big dog"]}),
        ("names: {0: cat, 1: dog}\n", {"names": {"0": "cat", "1": "dog"}}),
        ("names:\n- cat\n- dog # good\nnc: 2\n", {"names": ["cat", "dog"], "nc": "2"}),
        ('path: ../here\ntest:\n"names":\n  0: a\n', {"path": "../here", "test": "", "names": {"0": "a"}}),
    ],
)
def test_the_yaml_these_files_use(text: str, value: object, tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text(text)
    assert read_settings(tmp_path / "data.yaml") == value


def test_more_yaml_than_that_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: &anchor\n  - cat\n    - dog\n  ? x\n")
    with pytest.raises(DataError, match="line"):
        read_settings(tmp_path / "data.yaml")


def test_layouts_that_are_none(tmp_path: Path) -> None:
    picture(tmp_path / "pictures" / "a.png")
    with pytest.raises(DataError, match="describes no objects"):
        detect_objects(DataRequest(source=str(tmp_path / "pictures")))
    (tmp_path / "pictures" / "labels").mkdir()
    with pytest.raises(DataError, match=r"no data\.yaml"):
        detect_objects(DataRequest(source=str(tmp_path / "pictures")))
    with pytest.raises(DataError, match="there is no data"):
        detect_objects(DataRequest(source=str(tmp_path / "nowhere")))
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(BadFile, match="not valid JSON"):
        check(tmp_path / "x.json")
