"""LabelMe: a .json file beside every picture, with rectangles and polygons in pixels."""

import json
from collections.abc import Iterator
from pathlib import Path

import zoo

ZOO_API = 2


@zoo.hookimpl
def zoo_formats() -> Iterator[zoo.FormatSpec]:
    """The format, for detectors; an outline counts by the frame around it."""
    yield zoo.FormatSpec(
        name="labelme",
        tasks=("object-detection",),
        detect="zoo_labelme:detect",
        read="zoo_labelme:read",
        summary="LabelMe (NAME.json beside NAME.jpg, with or without train/ and val/ above them)",
    )


def detect(path: Path, *, request: zoo.DataRequest) -> zoo.FormatMatch | None:
    """A folder in which some .json file has shapes."""
    files = sorted(path.rglob("*.json")) if path.is_dir() else []
    sure = any('"shapes"' in file.read_text(errors="replace")[:4096] for file in files[:20])
    return zoo.FormatMatch(location=path) if sure else None


def read(location: Path, *, request: zoo.DataRequest) -> zoo.ObjectListing:
    """Every picture that a .json file names, with its objects."""
    rows, problems = [], []
    for file in sorted(location.rglob("*.json")):
        where = file.relative_to(location).as_posix()
        try:
            record = json.loads(file.read_text())
            picture = (file.parent / record["imagePath"]).relative_to(location).as_posix()
            shapes = [(shape["label"], zip(*shape["points"], strict=True)) for shape in record["shapes"]]
            boxes = [(label, tuple(xs), tuple(ys)) for label, (xs, ys) in shapes]
        except (KeyError, TypeError, ValueError) as error:
            problems.append(zoo.BadSample(where, f"it is no file of LabelMe: {error!r}", "save it anew from LabelMe"))
            continue
        annotations = tuple(
            zoo.BoxAnnotation(label, (min(xs), min(ys), max(xs), max(ys)), f"{where} shape {number}")
            for number, (label, xs, ys) in enumerate(boxes, 1)
        )
        split = zoo.split_of_path(where)
        size = (record["imageHeight"], record["imageWidth"]) if record.get("imageHeight") else None
        rows.append(zoo.ObjectRow(name=picture, annotations=annotations, split=split, size=size))
    classes = tuple(sorted({annotation.label for row in rows for annotation in row.annotations}))
    return zoo.ObjectListing(root=location, rows=rows, classes=classes, problems=problems)
