"""Objects in Label Studio's own JSON (its exports JSON and JSON-MIN): a list of tasks, boxes in percent."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from zoo.api.data import DataNote, DataRequest, counted
from zoo.api.errors import BadSample, DataError
from zoo.api.formats import FormatMatch
from zoo.data.formats.detection.coco_document import is_number
from zoo.data.formats.detection.objects import Box, BoxAnnotation, ObjectListing, ObjectRow
from zoo.data.formats.folders import PICTURES, UNREAD_PICTURES, hidden
from zoo.data.formats.other_tools import other_tool
from zoo.data.formats.picture_index import PictureIndex, index_pictures

HEAD: Final = 65_536
"""Bytes at the beginning of a file that show whether it is Label Studio's."""
LABELS: Final = ("rectanglelabels", "polygonlabels", "labels")
"""Where a region names its class; a polygon counts by its frame."""


@dataclass(frozen=True, slots=True)
class Regions:
    """What one task says of its picture."""

    picture: str
    """As the task names it: a path or an address, which is never fetched."""
    regions: Sequence[Any]
    annotations: int
    """How many annotations there are; the first counts."""


def detect_label_studio(path: Path, *, request: DataRequest) -> FormatMatch | None:  # noqa: ARG001  every format's
    """The .json file of an export, or the folder that holds it beside its pictures."""
    files = [path] if path.is_file() else [file for file in sorted(path.iterdir()) if not hidden(file.name)]
    exports = [file for file in files if file.suffix.lower() == ".json" and file.is_file() and _is_export(file)]
    if len(exports) > 1:
        shown = ", ".join(file.name for file in exports)
        raise DataError(f"{path} holds {len(exports)} exports of Label Studio: {shown}", hint="give the file itself")
    return FormatMatch(location=exports[0]) if exports else None


def _is_export(file: Path) -> bool:
    with file.open("rb") as opened:
        head = opened.read(HEAD)
    named = any(f'"{name}"'.encode() in head for name in ("annotations", *LABELS))
    return head.lstrip()[:1] == b"[" and named and other_tool(file) is None


def list_label_studio(location: Path, *, request: DataRequest) -> ObjectListing:  # noqa: ARG001  every format's
    """Every picture that somebody has annotated; one without a region shows nothing."""
    root = location.parent
    index = index_pictures(root)
    tasks = _load(location)
    rows: list[ObjectRow] = []
    problems: list[BadSample] = []
    waiting = several = 0
    for number, task in enumerate(tasks, 1):
        where = f"{location.name} task {task.get('id', number) if isinstance(task, dict) else number}"
        try:
            found = _regions(task)
            if found is None:
                waiting += 1
                continue
            name = _find(found.picture, index)
            annotations = tuple(_annotations(found.regions, where))
        except ValueError as error:
            problems.append(BadSample(where, str(error), "correct it in Label Studio and export it anew"))
            continue
        several += found.annotations > 1
        rows.append(ObjectRow(name=name, annotations=annotations, size=_size(found.regions)))
    notes: list[str] = []
    if waiting:
        message = f"left out {counted(waiting, 'picture')} that nobody has annotated yet"
        notes.append(DataNote(message, kind="left-out", what="pictures without an annotation", items=waiting))
    if several:
        notes.append(
            f"{counted(several, 'picture has', 'pictures have')} more than one annotation; the first of each counts"
        )
    classes = tuple(sorted({annotation.label for row in rows for annotation in row.annotations}))
    return ObjectListing(
        root=root,
        rows=rows,
        classes=classes,
        relative=True,
        problems=problems,
        notes=notes,
        origins={None: (location.name,)},
    )


def _load(file: Path) -> list[Any]:
    """The tasks of an export; DataError where it is none."""
    try:
        tasks = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is not valid JSON: {error}", hint="export it anew") from error
    if not isinstance(tasks, list):
        raise DataError(f"{file} is no export of Label Studio: it is no list of tasks", hint="export it as JSON")
    return tasks


def _regions(task: Any) -> Regions | None:
    """What a task says; None where nobody has annotated it.  ValueError says what is wrong with it."""
    if not isinstance(task, dict):
        raise ValueError("it is no task")
    data = task.get("data", task)
    pictures = [value for value in data.values() if isinstance(value, str) and _is_picture(value)] if data else []
    if len(pictures) != 1:
        raise ValueError(f"it names {counted(len(pictures), 'picture')}")
    if "data" not in task:  # JSON-MIN
        lists = [value for value in task.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
        regions = [region for region in (lists[0] if lists else []) if any(name in region for name in LABELS)]
        return Regions(pictures[0], [{"value": region, **region} for region in regions], 1) if lists else None
    done = [item for item in task.get("annotations") or () if isinstance(item, dict) and not item.get("was_cancelled")]
    return Regions(pictures[0], done[0].get("result") or (), len(done)) if done else None


def _path(value: str) -> PurePosixPath:
    """The path in a value: of an address without its host, of local files what ?d= says."""
    parts = urlsplit(value)
    local = parse_qs(parts.query).get("d")
    return PurePosixPath(local[0] if local else unquote(parts.path))


def _is_picture(value: str) -> bool:
    return _path(value).suffix.lower() in PICTURES | UNREAD_PICTURES


def _find(value: str, index: PictureIndex) -> str:
    """The only picture whose path ends as the value does, as much of it as is needed."""
    parts = _path(value).parts
    matches: list[str] = []
    for start in range(len(parts)):
        matches = index.ending("/".join(parts[start:]).lstrip("/"))
        if len(matches) == 1:
            return matches[0]
    name = parts[-1] if parts else value
    if matches:
        raise ValueError(f"{len(matches)} files are called {name}: {', '.join(matches[:3])}")
    raise ValueError(f"there is no picture {name} beside the export")


def _annotations(regions: Sequence[Any], where: str) -> Iterator[BoxAnnotation]:
    for number, region in enumerate(regions, 1):
        value = region.get("value") if isinstance(region, dict) else None
        if not isinstance(value, dict):
            continue  # a choice or a text about the whole picture
        labels = next((value[name] for name in LABELS if isinstance(value.get(name), list)), None)
        if labels is None:
            continue
        if len(labels) != 1:
            raise ValueError(f"region {number} has {counted(len(labels), 'class', 'classes')}")
        yield BoxAnnotation(str(labels[0]), _box(region, value, number), f"{where} region {number}")


def _box(region: Mapping[str, Any], value: Mapping[str, Any], number: int) -> Box:
    """The frame of a rectangle, turned or not, or of an outline, in shares of the picture."""
    points = value.get("points")
    if isinstance(points, list) and points:
        corners = [(float(x), float(y)) for x, y in points]
    else:
        numbers = [value.get(name) for name in ("x", "y", "width", "height")]
        if not all(map(is_number, numbers)):
            raise ValueError(f"region {number} has no x, y, width and height")
        corners = _turned(region, value, number)
    xs, ys = [x / 100 for x, _ in corners], [y / 100 for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _turned(region: Mapping[str, Any], value: Mapping[str, Any], number: int) -> list[tuple[float, float]]:
    """The corners of a rectangle in percent; it turns in pixels, about its first corner."""
    x, y, width, height = (float(value[name]) for name in ("x", "y", "width", "height"))
    plain = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
    angle = math.radians(float(value.get("rotation") or 0))
    if not angle:
        return [(x + right, y + down) for right, down in plain]
    size = _size([region])
    if size is None:
        raise ValueError(f"region {number} is turned, and nothing says the size of its picture")
    high, wide = size
    cos, sin = math.cos(angle), math.sin(angle)
    return [
        (x + right * cos - down * sin * high / wide, y + right * sin * wide / high + down * cos)
        for right, down in plain
    ]


def _size(regions: Sequence[Any]) -> tuple[int, int] | None:
    """Height and width that the regions claim for their picture."""
    for region in filter(lambda region: isinstance(region, dict), regions):
        height, width = (region.get(f"original_{side}", 0) for side in ("height", "width"))
        if isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0:
            return height, width
    return None
