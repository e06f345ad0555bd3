"""Annotations of tools whose formats zoo does not read: named by the tool, with the way to one that it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from zoo.api.errors import DataError
from zoo.data.formats.folders import special_kind, walk

HEAD: Final = 65_536
"""Bytes at the beginning of a file that show what wrote it."""
SOME_FILES: Final = 2_000
SOME_READ: Final = 12
"""Annotation files whose beginning is read."""
PLUGIN: Final = "or write a format for it (docs/plugins.md, zoo_formats)"


@dataclass(frozen=True, slots=True)
class ToolFormat:
    """One tool's files."""

    suffix: str
    pattern: re.Pattern[str]
    """What the beginning of a file must hold."""
    what: str
    """As in "labelme's JSON"."""
    advice: str
    name: re.Pattern[str]
    """What its name must hold."""


def _tool(suffix: str, pattern: str, what: str, advice: str, *, name: str = "") -> ToolFormat:
    return ToolFormat(suffix, re.compile(pattern, re.DOTALL), what, advice, re.compile(name))


MATLAB: Final = (
    "write its labels into a table (path,label), or its arrays into files; torchvision:Flowers102 and torchvision:SVHN "
    "read their own with --data-root"
)
BOXES: Final = "zoo reads boxes as COCO, YOLO, Pascal VOC or Label Studio's JSON: write one of these"
TOOLS: Final = (
    _tool(".json", r'"shapes"\s*:.*"(imagePath|shape_type|points)"', "labelme's JSON", "labelme2coco makes COCO of it"),
    _tool(".json", r'"shape_attributes"', "the JSON of VGG Image Annotator", "export it as COCO there"),
    _tool(".json", r'^\s*\[.*"coordinates"\s*:\s*\{', "CreateML's JSON", "export it as COCO or YOLO"),
    _tool(
        ".json",
        r'"(classTitle|geometryType)"|"classes".*"title"',
        "Supervisely's JSON",
        "export it as COCO or YOLO there",
    ),
    _tool(".json", r'"segments_info"', "COCO's panoptic JSON", "instances_*.json of the same data holds the objects"),
    _tool(".json", r'"annotations".*"caption"\s*:', "COCO's JSON of captions", "instances_*.json holds the objects"),
    _tool(".json", r'"(data_row|Labeled Data)"', "Labelbox's JSON", "export it as COCO there"),
    _tool(".json", r'"box2d"', "BDD100K's JSON", "bdd100k.label.to_coco makes COCO of it"),
    _tool(".xml", r"<annotations>.*<image [^>]*\bname=", "CVAT's own XML", "export it as COCO or YOLO there"),
    _tool(".csv", r"rectanglelabels|polygonlabels|brushlabels", "Label Studio's CSV", "export it as JSON there"),
    _tool(".csv", r"(?i)^[^\n]*\bx_?min\b[^\n]*\by_?max\b", "a table of boxes", BOXES),
    _tool(".csv", r"(?i)^[^\n]*\b(bbox|bounding_?box)\b", "a table of boxes", BOXES),
    _tool(
        ".csv", r"(?i)^[^\n]*\b(rle|EncodedPixels|rle_mask)\b", "a table of run-length masks", "draw each as a PNG mask"
    ),
    _tool(
        ".txt",
        r"^#Image CLASS-ID SPECIES",
        "the list of the Oxford-IIIT pets",
        "say --task semantic-segmentation for its trimaps, --task object-detection for its heads, or for its breeds "
        "--data torchvision:OxfordIIITPet --data-root DIR, where DIR/oxford-iiit-pet/ is this folder",
    ),
    _tool(".txt", r"^\S+\.(jpg|png)\n\d+\n(-?\d+ ){9}-?\d+", "WIDER FACE's list of boxes", BOXES),
    _tool(
        ".png",
        "",
        "a mask of the full ADE20K",
        "ADEChallengeData2016 has them numbered",
        name=r"^ADE_\w+_(seg|parts_\d+)\.png$",
    ),
    _tool(
        ".csv",
        r"(?i)^[^\n]*\bpixel_?0\b[^\n]*\bpixel_?1\b|^emotion,pixels\b",
        "a table of pixels",
        "write every row as a picture into a folder of its class",
    ),
    *(
        _tool(
            suffix,
            r"\b5_o_Clock_Shadow\b",
            "CelebA's list of attributes",
            "write a table with the pictures and one of the attributes (path,label)",
        )
        for suffix in (".txt", ".csv")
    ),
    _tool(".mat", "", "a file of Matlab", MATLAB),
    _tool(".txt", r"^(\w+) [\d.]+ -?\d \S+( -?[\d.]+){11}", "KITTI's text files", BOXES),
)
"""In the order in which they are tried."""


def other_tool(path: Path) -> tuple[Path, ToolFormat] | None:
    """The first file, the path itself or one below it, that such a tool wrote; None where there is none."""
    for file in _candidates(path):
        head = _head(file)
        for tool in TOOLS:
            if file.suffix.lower() == tool.suffix and tool.name.search(file.name) and tool.pattern.search(head):
                return file, tool
    return None


def refuse_other_tools(path: Path) -> None:
    """DataError where a path holds annotations that zoo does not read, with the way to those that it does."""
    if match := other_tool(path):
        file, tool = match
        raise DataError(f"{file} is {tool.what}, which zoo does not read", hint=f"{tool.advice}, {PLUGIN}")


def _candidates(path: Path) -> Iterator[Path]:
    suffixes = {tool.suffix for tool in TOOLS}
    if path.is_file():
        yield path
        return
    names = (name for name, hidden in islice(walk(path, path), SOME_FILES) if not hidden or "annotation" in name)
    counts: dict[str, int] = {}
    for name in names:
        suffix = Path(name).suffix.lower()
        if suffix in suffixes and counts.setdefault(suffix, 0) < SOME_READ:
            counts[suffix] += 1
            yield path / name


def _head(file: Path) -> str:
    if special_kind(file):
        return ""
    with file.open("rb") as opened:
        return opened.read(HEAD).decode("utf-8-sig", "replace")
