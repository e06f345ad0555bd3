"""Pascal VOC's class masks: JPEGImages/ with SegmentationClass/ and, where there are, ImageSets/Segmentation/*.txt."""

from __future__ import annotations

from pathlib import Path

from zoo.api.data import Split
from zoo.api.errors import BadSample
from zoo.data.formats.detection.voc import listed_splits
from zoo.data.formats.folders import contents, notes_on
from zoo.data.formats.masks.mask_folders import named_classes, paired
from zoo.data.formats.masks.masks import MaskListing


def is_voc(folder: Path) -> bool:
    """Whether a folder has VOC's two."""
    return all((folder / name).is_dir() for name in ("JPEGImages", "SegmentationClass"))


def list_voc_masks(root: Path) -> MaskListing:
    """Every picture that has a mask, or that the lists name; most of VOC's pictures have none."""
    images, masks = root / "JPEGImages", root / "SegmentationClass"
    pictures, candidates = contents(root, images), contents(root, masks)
    lists = listed_splits(root / "ImageSets" / "Segmentation")
    wanted = set(lists) or {Path(name).stem for name in candidates.files}
    kept = [[name for name in found.files if Path(name).stem in wanted] for found in (pictures, candidates)]
    rows, problems = [], []
    splits: list[Split | None] = [*sorted(set(lists.values()))] or [None]
    for split in splits:
        of = [[name for name in names if lists.get(Path(name).stem) == split] for names in kept]
        found, wrong = paired(root, (split, images, masks), of[0], of[1])
        rows += found
        problems += wrong
    known = {Path(name).stem for name in kept[0]}
    problems += [
        BadSample(f"ImageSets/Segmentation: {name}", "there is no such picture in JPEGImages/", "correct the list")
        for name in sorted(set(lists) - known)
    ]
    return MaskListing(
        root=root, rows=rows, classes=named_classes(root, problems), problems=problems, notes=notes_on([pictures])
    )
