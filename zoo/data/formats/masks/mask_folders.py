"""Folders of pictures beside folders of index masks of the same names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from zoo.api.data import Split
from zoo.api.errors import BadSample
from zoo.data.formats.class_folders.tree import SPLIT_FOLDERS
from zoo.data.formats.folders import contents, notes_on, subfolders
from zoo.data.formats.masks.masks import MaskListing, MaskRow

IMAGES: Final = ("images", "image", "imgs", "pictures", "JPEGImages")
MASKS: Final = ("masks", "mask", "labels", "annotations", "segmentations", "SegmentationClass")
ENDINGS: Final = ("", "_mask", "_seg", "_label")
"""What the name of a mask may have behind that of its picture."""
SPLITS: Final[dict[str, Split]] = {**SPLIT_FOLDERS, "training": "train"}
CLASS_FILES: Final = ("classes.txt", "labelmap.txt", "class_names.txt", "labels.txt")

Pair = tuple[Split | None, Path, Path]
"""The split, the folder of its pictures, that of their masks."""


def mask_folders(root: Path) -> list[Pair]:
    """The pairs of folders: FOLDER/{images,masks}, FOLDER/{train,val}/{images,masks} or
    FOLDER/{images,masks}/{train,val}; empty when there are none."""
    below = subfolders(root)
    pairs: list[Pair] = []
    for name in below:
        if name.lower() in SPLITS:
            pairs += [(SPLITS[name.lower()], *pair) for pair in _pair(root / name)]
    if pairs:
        return pairs
    for images, masks in _pair(root):
        splits = [name for name in subfolders(images) if name.lower() in SPLITS and (masks / name).is_dir()]
        if not splits:
            return [(None, images, masks)]
        pairs += [(SPLITS[name.lower()], images / name, masks / name) for name in splits]
    return pairs


def _pair(folder: Path) -> Iterator[tuple[Path, Path]]:
    found = [next((folder / name for name in names if (folder / name).is_dir()), None) for names in (IMAGES, MASKS)]
    if found[0] and found[1] and any(contents(folder, found[1], limit=1000).files):
        yield found[0], found[1]


def list_mask_folders(root: Path) -> MaskListing:
    """Every picture with its mask; one without the other is a problem."""
    rows: list[MaskRow] = []
    problems: list[BadSample] = []
    looked = []
    for pair in mask_folders(root):
        pictures, candidates = contents(root, pair[1]), contents(root, pair[2])
        looked += [pictures, candidates]
        found, wrong = paired(root, pair, pictures.files, candidates.files)
        rows += found
        problems += wrong
    return MaskListing(
        root=root, rows=rows, classes=named_classes(root, problems), problems=problems, notes=notes_on(looked)
    )


def paired(
    root: Path, pair: Pair, pictures: Sequence[str], candidates: Sequence[str]
) -> tuple[list[MaskRow], list[BadSample]]:
    """Pictures and masks of two folders, brought together by their names without suffix."""
    split, images, masks = pair
    by_stem: defaultdict[str, list[str]] = defaultdict(list)
    for name in candidates:
        by_stem[_stem(root, masks, name)].append(name)
    rows, problems = [], []
    used: set[str] = set()
    where = masks.relative_to(root).as_posix()
    for name in pictures:
        stem = _stem(root, images, name)
        found = [mask for ending in ENDINGS for mask in by_stem.get(stem + ending, ())]
        used.update(found)
        if len(found) == 1:
            rows.append(MaskRow(name=name, mask=found[0], split=split))
        elif found:
            problems.append(BadSample(name, f"it has {len(found)} masks: {', '.join(found)}", "keep one"))
        else:
            problems.append(BadSample(name, f"it has no mask {stem}.png in {where}/", "add it, or remove the picture"))
    problems += [
        BadSample(
            name, f"there is no picture of this name in {images.relative_to(root).as_posix()}/", "remove the mask"
        )
        for name in candidates
        if name not in used
    ]
    return rows, problems


def _stem(root: Path, folder: Path, name: str) -> str:
    """The path below its folder without suffix."""
    return PurePosixPath(root / name).relative_to(folder.as_posix()).with_suffix("").as_posix()


def named_classes(root: Path, problems: list[BadSample]) -> tuple[str, ...]:
    """The class names in index order from classes.txt or its like, a name a line; empty without such a file.

    A labelmap's colours, which follow its names after colons, are left away.
    """
    file = next((root / name for name in CLASS_FILES if (root / name).is_file()), None)
    if file is None:
        return ()
    lines = [line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]
    names = [line.partition(":")[0].strip() for line in lines if line and not line.startswith("#")]
    names = [name for name in names if name != "__ignore__"]
    problems += [
        BadSample(file.name, f"it names the class {twice!r} twice", "give every class its own name")
        for twice in sorted({name for name in names if names.count(name) > 1})
    ]
    if not names:
        problems.append(BadSample(file.name, "it names no class", "write one name a line, or remove it"))
    return tuple(names)
