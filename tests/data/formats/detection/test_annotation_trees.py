"""Trees of annotated pictures as people have them: read with the right boxes, or refused with the reason."""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.builtin import builtin_task
from zoo.api.data import DataCard, DataNote, DataRequest
from zoo.api.errors import DataError

Document = dict[str, Any]


def paint(path: Path, *, size: tuple[int, int] = (60, 40)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(str(path).encode())
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)).save(path)


def written(path: Path, text: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text))


def card(path: Path, task: str = "object-detection") -> DataCard:
    data = builtin_task(task).data
    return data.check(data.detect(DataRequest(source=str(path))), progress=lambda *_: None)


def refused(path: Path, task: str = "object-detection") -> str:
    with pytest.raises(DataError) as caught:
        card(path, task)
    problems = "".join(f"\n{problem.where}: {problem.reason} ({problem.fix})" for problem in caught.value.problems)
    return f"{caught.value}{problems}"


def coco(folder: Path, change: Callable[[Document], Any] = lambda _: None) -> Path:
    """Six pictures with a box each."""
    document: Document = {
        "images": [{"id": n, "file_name": f"{n}.png", "height": 40, "width": 60} for n in range(6)],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [{"id": n, "image_id": n, "category_id": 1 + n % 2, "bbox": [1, 2, 10, 8]} for n in range(6)],
    }
    for number in range(6):
        paint(folder / "images" / f"{number}.png")
    change(document)
    written(folder / "annotations.json", document)
    return folder


def yolo(folder: Path, *, line: str = "0 .5 .5 .2 .2\n", settings: str = "") -> Path:
    for split in ("train", "val"):
        for number in range(3):
            paint(folder / "images" / split / f"{split}{number}.png")
            written(folder / "labels" / split / f"{split}{number}.txt", line)
    written(folder / "data.yaml", settings or "train: images/train\nval: images/val\nnames: [cat, dog]\n")
    return folder


# --- COCO -----------------------------------------------------------------------------------------------


def each(key: str, value: object) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        for entry in document["annotations"]:
            entry.pop("bbox", None)
            entry[key] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (each("bbox", [0.1, 0.1, 0.3, 0.4]), "these look like shares of the picture (write boxes in pixels"),
        (each("bbox", [0, 0, 1, 1]), "these look like shares of the picture"),
        (each("segmentation", {"size": [40, 60], "counts": [2400]}), "its run lengths cover no pixel"),
        (each("bbox", [10, 10, -5, 5]), "ends before it begins"),
        (each("bbox", [10, 10, 60, 50]), "leaves images/0.png, which is 60 x 40 pixels"),
        (lambda d: d.update(annotations=[{"id": 1, "image_id": 1, "caption": "a cat"}]), "COCO's JSON of captions"),
        (
            lambda d: d.update(annotations=[{"image_id": 1, "segments_info": [{"id": 3, "category_id": 1}]}]),
            "COCO's panoptic JSON",
        ),
        (lambda d: d.update(annotations=[]), "frames no object in any of its 6 pictures"),
    ],
)
def test_what_coco_cannot_mean_is_a_sentence(change: Callable[[Document], Any], said: str, tmp_path: Path) -> None:
    assert said in refused(coco(tmp_path, change))


def test_an_outline_without_a_box_counts_by_its_frame(tmp_path: Path) -> None:
    outline = each("segmentation", [[10, 5, 20, 5, 15, 12], [30, 6, 34, 6, 33, 9]])
    found = card(coco(tmp_path, outline))
    assert {sample.boxes for items in found.splits.values() for sample in items} == {((10.0, 5.0, 34.0, 12.0),)}
    assert "6 annotations have an outline and no bbox: the frame around it counts" in found.notes


RUNS = {"size": [40, 60], "counts": [40 * 9 + 3, 5, 35, 5, 40 * 50 - 8]}
"""Two columns, 9 and 10, of five pixels each from row 3 on."""


def packed() -> dict[str, Any]:
    from faster_coco_eval.core import mask as coco_mask

    return {"size": [40, 60], "counts": coco_mask.frPyObjects(RUNS, 40, 60)["counts"].decode()}


@pytest.mark.parametrize("box", [None, [], [0, 0, 0, 0]], ids=["null", "empty", "zeros"])
@pytest.mark.parametrize("runs", [RUNS, packed()], ids=["counts", "packed"])
def test_run_lengths_without_a_box_count_by_their_frame(runs: object, box: object, tmp_path: Path) -> None:
    def change(document: Document) -> None:
        for entry in document["annotations"]:
            entry |= {"segmentation": runs, "bbox": box}

    found = card(coco(tmp_path, change))
    assert {sample.boxes for items in found.splits.values() for sample in items} == {((9.0, 3.0, 11.0, 8.0),)}


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (
            {"size": [20, 60], "counts": [0, 1200]},
            "it has no bbox, and its run lengths are for 60 x 20 pixels, not 60 x 40",
        ),
        ({"size": [40, 60], "counts": [2400]}, "its run lengths cover no pixel"),
        ({"counts": [0, 2400]}, "its run lengths have no size [height, width]"),
        ({"size": [40, 60], "counts": [0, -5]}, "it has no bbox, and "),
        ({"size": [40, 60]}, "neither polygons nor run lengths can be read from it"),
        ([[1, 2]], "it has no bbox of four numbers"),
    ],
)
def test_run_lengths_that_frame_nothing_are_a_sentence(runs: object, said: str, tmp_path: Path) -> None:
    def change(document: Document) -> None:
        document["annotations"][0] |= {"segmentation": runs, "bbox": None}

    assert said in refused(coco(tmp_path, change))


@pytest.mark.parametrize("name", ["{}.jpg", "{}", "{}.PNG", "./{}.png", "C:\\data\\images\\{}.png", "/home/me/{}.png"])
def test_a_picture_is_found_by_the_name_that_it_had_elsewhere(name: str, tmp_path: Path) -> None:
    def rename(document: Document) -> None:
        for image in document["images"]:
            image["file_name"] = name.format(image["id"])

    found = card(coco(tmp_path, rename))
    assert {s.name for items in found.splits.values() for s in items} == {f"images/{n}.png" for n in range(6)}


def test_accents_are_the_same_in_every_form_of_unicode(tmp_path: Path) -> None:
    def rename(document: Document) -> None:
        for image in document["images"]:
            image["file_name"] = unicodedata.normalize("NFC", f"é{image['id']}.png")

    coco(tmp_path, rename)
    for number in range(6):
        (tmp_path / "images" / f"{number}.png").rename(
            tmp_path / "images" / unicodedata.normalize("NFD", f"é{number}.png")
        )
    assert sum(card(tmp_path).counts().values()) == 6


# --- YOLO -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 .5 .5 .2 .2 .93\n", "without the confidence"),
        ("0,.5,.5,.2,.2\n", "separated by blanks"),
        ("cat .5 .5 .2 .2\n", "the class as its number"),
        ("2 .5 .5 .2 .2\n", "its class 2 is out of range: there are 2, numbered from 0"),
        ("0 50 50 20 20\n", "are not shares of the picture"),
        ("0 .5 .5 -.2 .2\n", "ends before it begins"),
        ("", "frames no object in any of its 6 pictures"),
    ],
)
def test_what_a_line_of_yolo_cannot_mean_is_a_sentence(line: str, said: str, tmp_path: Path) -> None:
    assert said in refused(yolo(tmp_path, line=line))


def test_pictures_that_the_description_does_not_name_are_left_out_aloud(tmp_path: Path) -> None:
    yolo(tmp_path)
    paint(tmp_path / "images" / "more" / "1.png")
    found = card(tmp_path)
    said = "left out 1 picture that data.yaml does not name, such as images/more/1.png"
    assert said in [note for note in found.notes if isinstance(note, DataNote) and note.kind == "left-out"]


@pytest.mark.parametrize("name", ["Train", "TRAIN"])
def test_folders_of_another_case_than_described_are_read_and_said(name: str, tmp_path: Path) -> None:
    yolo(tmp_path)
    for folder in ("images", "labels"):
        (tmp_path / folder / "train").rename(tmp_path / folder / name)
    found = card(tmp_path)
    assert found.counts() == {"train": 3, "validation": 3}
    assert f"images/train is not there; images/{name} is read for it" in found.notes


# --- wrapped folders, other tools ---------------------------------------------------------------------------


@pytest.mark.parametrize("write", [coco, yolo])
@pytest.mark.parametrize("wrapping", ["ds", "ds/ds", "a b/ds"])
def test_a_folder_alone_in_another_is_read_and_said(
    write: Callable[[Path], Path], wrapping: str, tmp_path: Path
) -> None:
    write(tmp_path / "x" / wrapping)
    written(tmp_path / "x" / "__MACOSX" / "._ds", "x")
    found = card(tmp_path / "x")
    assert sum(found.counts().values()) == 6
    if write is yolo:  # COCO's files are looked for one folder down as well
        assert f"{wrapping}/ is read: the only folder in x" in found.notes


LABELME = {"shapes": [{"label": "a", "points": [[1, 1], [9, 9]]}], "imagePath": "0.png", "imageHeight": 40}
VIA = {"0.png9": {"filename": "0.png", "regions": [{"shape_attributes": {"name": "rect", "x": 1}}]}}
CREATEML = [{"image": "0.png", "annotations": [{"label": "a", "coordinates": {"x": 5, "y": 5, "width": 4}}]}]
SUPERVISELY = {"size": {"height": 40}, "objects": [{"classTitle": "a", "geometryType": "rectangle"}]}
CVAT = '<?xml version="1.0"?><annotations><image id="0" name="0.png"><box label="a" xtl="1"/></image></annotations>'
KITTI = "Car 0.00 0 -1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n"


@pytest.mark.parametrize(
    ("file", "contents", "said"),
    [
        ("0.json", LABELME, "labelme's JSON"),
        ("via_region_data.json", VIA, "VGG Image Annotator"),
        ("_annotations.createml.json", CREATEML, "CreateML's JSON"),
        ("ann/0.png.json", SUPERVISELY, "Supervisely's JSON"),
        ("annotations.xml", CVAT, "CVAT's own XML"),
        ("label_2/000000.txt", KITTI, "KITTI's text files"),
        ("train_labels.csv", "filename,class,xmin,ymin,xmax,ymax\n0.png,a,1,1,5,5\n", "a table of boxes"),
        ("boxes.csv", "ImageID,LabelName,XMin,XMax,YMin,YMax\n0,a,.1,.2,.1,.2\n", "a table of boxes"),
        ("train.csv", 'image_id,bbox\n0,"[1, 1, 5, 5]"\n', "a table of boxes"),
        ("project.csv", 'image,label\n0.png,"[{""rectanglelabels"":[""a""]}]"\n', "Label Studio's CSV"),
    ],
)
def test_annotations_of_other_tools_are_named_with_the_way_out(
    file: str, contents: object, said: str, tmp_path: Path
) -> None:
    paint(tmp_path / "0.png")
    written(tmp_path / file, contents)
    message = refused(tmp_path)
    assert said in message
    assert "which zoo does not read" in message
    assert "zoo_formats" in message


def test_a_description_that_is_lost_does_not_hide_the_data(tmp_path: Path) -> None:
    yolo(tmp_path)
    shutil.rmtree(tmp_path / "labels")
    assert "see that the annotations lie where they belong" in refused(tmp_path)
