"""Pascal VOC's class masks: JPEGImages/ with SegmentationClass/ and, where there are, ImageSets/Segmentation/*.txt."""

from __future__ import annotations

from pathlib import Path

from zoo.api.data import DataNote, DataRequest, Split, counted
from zoo.api.errors import BadSample
from zoo.api.formats import FormatMatch
from zoo.data.formats.detection.voc import voc_roots
from zoo.data.formats.detection.voc_lists import VocLists, read_lists
from zoo.data.formats.folders import contents, notes_on
from zoo.data.formats.masks.class_tables import class_table
from zoo.data.formats.masks.mask_folders import paired
from zoo.data.formats.masks.masks import MaskListing, MaskRow
from zoo.data.formats.text_files import encoding_of


def detect_voc_masks(path: Path, *, request: DataRequest) -> FormatMatch | None:  # noqa: ARG001  every format's
    """A folder with JPEGImages/ and SegmentationClass/, in it or one or two folders down."""
    return FormatMatch(location=path) if path.is_dir() and voc_roots(path, masks=True) else None


def list_voc_masks(root: Path, *, request: DataRequest | None = None) -> MaskListing:
    """Every picture that the lists name, or that has a mask where there are none; most of VOC's pictures have none."""
    rows: list[MaskRow] = []
    problems: list[BadSample] = []
    notes: list[str] = []
    origins: dict[Split | None, tuple[str, ...]] = {}
    roots = voc_roots(root, masks=True)
    for folder in roots:
        lists = read_lists(folder / "ImageSets" / "Segmentation", request)
        own, wrong, more_notes = _rows(root, folder, lists)
        for name, split in lists.splits_of_files.items():
            origins[split] = (*origins.get(split, ()), (lists.folder / name).relative_to(root).as_posix())
        rows += own
        problems += wrong
        notes += more_notes
    table = class_table(roots[0], encoding_of(request))
    return MaskListing(
        root=root,
        rows=rows,
        classes=table.names,
        colours=table.colours,
        problems=[*table.problems, *problems],
        notes=notes,
        origins=origins,
    )


def _rows(root: Path, folder: Path, lists: VocLists) -> tuple[list[MaskRow], list[BadSample], list[str]]:
    images, masks = folder / "JPEGImages", folder / "SegmentationClass"
    pictures, candidates = contents(root, images), contents(root, masks)
    wanted = set(lists.splits) or {Path(name).stem for name in candidates.files}
    kept = [[name for name in listing.files if Path(name).stem in wanted] for listing in (pictures, candidates)]
    rows, problems = [], []
    splits: list[Split | None] = sorted(set(lists.splits.values()), key=str) or [None]
    for split in splits:
        of = [[name for name in names if lists.splits.get(Path(name).stem) == split] for names in kept]
        matched, wrong = paired(root, (split, images, masks), of[0], of[1])
        rows += matched
        problems += wrong
    known = {Path(name).stem for name in kept[0]}
    problems += [
        BadSample(f"ImageSets/Segmentation/{line}", f"it lists {name}, which is not in JPEGImages/", "correct the list")
        for name, line in lists.lines
        if name not in known
    ]
    notes = notes_on([pictures])
    left = sum(Path(name).stem not in wanted for name in candidates.files)
    if left:
        message = f"left out {counted(left, 'mask')} that none of {', '.join(lists.files)} names"
        notes.append(DataNote(message, kind="left-out", what="masks that no list names", items=left))
    return rows, problems, notes
