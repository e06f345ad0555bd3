"""Label Studio's JSON: boxes in percent, turned ones, outlines, several annotators, pictures by their ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError
from zoo.data.formats.detect import read_source
from zoo.data.formats.detection.checks import check_objects
from zoo.data.formats.detection.layouts import detect_objects

WIDTH, HEIGHT = 60, 40


def region(label: str, **value: Any) -> dict[str, Any]:
    key = "polygonlabels" if "points" in value else "rectanglelabels"
    size = {"original_width": WIDTH, "original_height": HEIGHT}
    return {"type": key, **size, "value": {**value, key: [label]}}


def task(number: int, image: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    return {"id": number, "data": {"image": image}, "annotations": list(annotations)}


def card(root: Path, tasks: Any, pictures: int = 14) -> DataCard:
    for number in range(pictures):
        file = root / "images" / f"{number:04}-photo {number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        levels = np.random.default_rng(number).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        Image.fromarray(levels).save(file)
    (root / "export.json").write_text(json.dumps(tasks))
    source = detect_objects(DataRequest(source=str(root)))
    assert source.format == "label-studio"
    return check_objects(source, read_source(source), progress=lambda *_: None)


def plain(number: int) -> dict[str, Any]:
    result = [region("cat", x=10, y=25, width=30, height=50, rotation=0)]
    return task(number, f"/data/upload/3/{number:04}-photo%20{number}.png", {"result": result})


def boxes(found: DataCard, name: str) -> list[Any]:
    (sample,) = [sample for items in found.splits.values() for sample in items if name in sample.name]
    return [pytest.approx(box, abs=1e-9) for box in map(list, sample.boxes)]


def test_boxes_are_shares_of_the_picture(tmp_path: Path) -> None:
    tasks = [plain(number) for number in range(14)]
    outline = region("dog", points=[[50, 50], [90, 60], [70, 100]])
    tasks[1] = task(1, "/data/local-files/?d=images/0001-photo 1.png", {"result": [outline]})
    tasks[2] = task(
        2, "s3://bucket/0002-photo 2.png", {"result": [region("cat", x=50, y=25, width=20, height=10, rotation=90)]}
    )
    found = card(tmp_path, tasks)
    assert found.classes == ("cat", "dog")
    assert boxes(found, "0000-") == [[6.0, 10.0, 24.0, 30.0]]
    assert boxes(found, "0001-") == [[30.0, 20.0, 54.0, 40.0]]
    assert boxes(found, "0002-") == [[26.0, 10.0, 30.0, 22.0]]  # 12 x 4 pixels, turned about its first corner


def test_what_nobody_annotated_is_left_out_and_said(tmp_path: Path) -> None:
    tasks = [plain(number) for number in range(14)]
    tasks[3] = task(3, "/data/upload/3/0003-photo%203.png", {"was_cancelled": True, "result": []})
    tasks[4] = task(4, "/data/upload/3/0004-photo%204.png", {"result": []}, {"result": []})
    found = card(tmp_path, tasks)
    assert sum(found.counts().values()) == 13
    assert "left out 1 picture that nobody has annotated yet" in found.notes
    assert "1 picture has more than one annotation; the first of each counts" in found.notes


def test_the_smaller_export_is_read_too(tmp_path: Path) -> None:
    value = {"x": 10, "y": 25, "width": 30, "height": 50, "rotation": 0, "rectanglelabels": ["cat"]}
    sized = {**value, "original_width": WIDTH, "original_height": HEIGHT}
    tasks = [{"image": f"/x/{number:04}-photo {number}.png", "id": number, "label": [sized]} for number in range(14)]
    assert boxes(card(tmp_path, tasks), "0005-") == [[6.0, 10.0, 24.0, 30.0]]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"data": {"image": "/data/upload/9/gone.png"}}, "there is no picture gone.png beside the export"),
        ({"data": {"text": "no picture"}}, "it names 0 pictures"),
        ({"annotations": [{"result": [region("cat", x=None, y=1, width=2, height=3)]}]}, "region 1 has no x, y"),
        (
            {"annotations": [{"result": [region("cat", x=90, y=1, width=50, height=3)]}]},
            "leaves images/0000",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_task(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    tasks = [plain(number) for number in range(14)]
    tasks[0] |= change
    with pytest.raises(DataError) as caught:
        card(tmp_path, tasks)
    (problem,) = caught.value.problems
    assert reason in problem.reason and problem.where.startswith("export.json task 0")
