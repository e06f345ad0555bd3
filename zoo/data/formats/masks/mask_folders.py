"""Folders of pictures beside folders of masks of the same names."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from zoo.api.data import DataNote, DataRequest, Split, counted
from zoo.api.errors import BadSample
from zoo.api.formats import FormatMatch
from zoo.data.formats.detection.voc import voc_roots
from zoo.data.formats.folders import LOOK_AT, PICTURES, contents, folded, notes_on, subfolders, unread_problems
from zoo.data.formats.masks.class_tables import class_table
from zoo.data.formats.masks.masks import MaskListing, MaskRow
from zoo.data.formats.parts import chosen_parts, question
from zoo.data.formats.split_names import WORDS, split_words, splits_of_folders, word_set
from zoo.data.formats.text_files import encoding_of

IMAGE_WORDS: Final = word_set(
    "image images img imgs picture pictures photo photos jpeg jpegs rgb input inputs original originals left bit cxr "
    "scans"
)
MASK_WORDS: Final = word_set(
    "mask masks label labels annotation annotations annot segmentation segmentations seg class gt target targets "
    "ground truth groundtruth truths semantic trimap trimaps fine labelmap labelmaps"
)
BESIDE: Final = word_set("png data set folder dir raw")
"""Words that say nothing in the name of a folder."""
ENDINGS: Final = (
    "",
    *("_mask", "-mask", "_masks", "_seg", "_segmentation", "_label", "_labels", "_gt", "_l", "-label", "-seg", " mask"),
    *(
        "_labelids",
        "_labeltrainids",
        "_gtfine_labelids",
        "_gtfine_labeltrainids",
        "_anno",
        "_annotation",
        "_matte",
        "_lab",
        "_trimap",
        "_truth",
    ),
)
"""What the name of a mask may have behind that of its picture, in lower case."""
PICTURE_ENDINGS: Final = ("_leftimg8bit", "_image", "_img", "_rgb", "_sat")
"""What the name of a picture may have behind what it has in common with that of its mask."""
OTHER_ENDINGS: Final = ("_color", "_instanceids", "_instancetrainids")
"""What lies beside Cityscapes' masks and is none."""
ALL_CLASSES: Final = "_labelids"
LEARNT: Final = "_labeltrainids"
"""Cityscapes' masks of all classes, and, where they were made, those to learn from, which then count."""
JPEGS: Final = frozenset({".jpg", ".jpeg"})
SOME: Final = 1_000
"""Files of a folder that are looked at to see whether masks lie in it."""

Role = Literal["images", "masks"]
Pair = tuple[Split | None, Path, Path]
"""The split, the folder of its pictures, that of their masks; one folder where they lie side by side."""


def mask_folders(root: Path, request: DataRequest | None = None) -> list[Pair]:
    """The pairs of folders; empty when there are none.

    FOLDER/{images,masks}, FOLDER/{train,val}/{images,masks}, FOLDER/{images,masks}/{train,val},
    FOLDER/{train_images,train_masks}, and pictures with NAME_mask.png beside them.
    """
    chosen = chosen_parts(root, request)
    if chosen and chosen != ((None, root),):
        return [(split, *pair) for split, folder in chosen for pair in _inside(folder)]
    names = subfolders(root)
    splits = splits_of_folders(names)
    above = {name: pairs for name in names if (pairs := list(_inside(root / name)))}
    known = [name for name in above if name in splits]
    if known and not chosen:
        others = [name for name in above if name not in splits]
        if others:
            raise question(root, {name: splits[name] for name in known}, others, labelled=False)
        return [(splits[name], *pair) for name in known for pair in above[name]]
    side_by_side = _by_role(root)
    if len(side_by_side) == 1 and side_by_side[0][0] is None:
        return list(_below(side_by_side[0][1], side_by_side[0][2]))
    return side_by_side or [(None, *pair) for pair in _inside(root)]


def detect_mask_folders(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """Folders of pictures and masks; not those that are laid out as Pascal VOC's."""
    if not path.is_dir() or (not request.format and voc_roots(path, masks=True)):
        return None
    return FormatMatch(location=path) if mask_folders(path, request) else None


def _inside(folder: Path) -> Iterator[tuple[Path, Path]]:
    """The pair in one folder: images/ and masks/, or the folder itself where masks lie beside the pictures."""
    pairs = _by_role(folder)
    if pairs:
        yield from ((images, masks) for split, images, masks in pairs if split is None)
    elif _lie_together(folder):
        yield folder, folder


def _by_role(folder: Path) -> list[Pair]:
    """The folders of pictures and masks in a folder, by the split in their names."""
    roles: defaultdict[Split | None, dict[Role | None, Path]] = defaultdict(dict)
    for name in subfolders(folder):
        words = split_words(name)
        splits = {WORDS[word] for word in words if word in WORDS}
        rest = {word for word in words if word not in WORDS} - BESIDE
        if len(splits) > 1:
            continue
        role = _role(rest) if rest else None
        if role or (splits and not rest):
            roles[next(iter(splits), None)].setdefault(role, folder / name)
    pairs: list[Pair] = []
    for split, folders in roles.items():
        images, masks = folders.get("images") or folders.get(None), folders.get("masks")
        if images and masks:
            masks = _innermost(images, masks)
        if images and masks and any(contents(folder, masks, limit=SOME).files):
            pairs.append((split, images, masks))
    return pairs


def _innermost(images: Path, masks: Path) -> Path:
    """The folder of masks, or the only one in it, which that of the pictures lacks: annotations/trimaps."""
    names = subfolders(masks)
    direct = any(file.suffix.lower() in PICTURES for file in masks.iterdir())
    only = len(names) == 1 and not direct and not (images / names[0]).is_dir()
    return masks / names[0] if only else masks


def _role(words: set[str]) -> Role | None:
    return "images" if words <= IMAGE_WORDS else "masks" if words <= MASK_WORDS else None


def _below(images: Path, masks: Path) -> Iterator[Pair]:
    """The pairs in images/ and masks/: those of their split folders, where they have any."""
    names = [name for name in subfolders(images) if contents(images, images / name, limit=SOME).files]
    splits = {name: split for name, split in splits_of_folders(names).items() if (masks / name).is_dir()}
    others = [name for name in names if name not in splits]
    if splits and others:
        raise question(images, splits, others, labelled=False)
    if not splits:
        yield None, images, masks
    for name, split in splits.items():
        yield split, images / name, masks / name


def _lie_together(folder: Path) -> bool:
    """Whether most pictures in a folder have a mask beside them: cat.jpg and cat_mask.png."""
    found = [_split(name) for name in os.listdir(folder)]  # noqa: PTH208  ten times as fast
    files = [(stem, suffix) for stem, suffix in found if suffix in PICTURES]
    stems = {stem.lower() for stem, _ in files}
    masks = {
        stem
        for stem in (stem for stem in stems if stem.endswith(ENDINGS[1:]))
        if any(stem.removesuffix(end) in stems for end in ENDINGS[1:] if stem.endswith(end))
    }
    if len(masks) > len(stems - masks) / 2 and len(masks) > 1:
        return True
    return _are_twins(files)


def _split(name: str) -> tuple[str, str]:
    """The name without its suffix, and the suffix in lower case."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, f"{dot}{suffix.lower()}") if stem else (name, "")


def _are_twins(files: Iterable[tuple[str, str]]) -> bool:
    """Whether every picture is a JPEG with a PNG of the same name."""
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for stem, suffix in files:
        kinds[stem].add(suffix)
    return len(kinds) > 1 and all(len(both) == 2 and ".png" in both and both & JPEGS for both in kinds.values())


def list_mask_folders(root: Path, *, request: DataRequest | None = None) -> MaskListing:
    """Every picture with its mask; one without the other is a problem."""
    table = class_table(root, encoding_of(request))
    rows: list[MaskRow] = []
    problems: list[BadSample] = [*table.problems]
    listings, others = [], []
    pairs = mask_folders(root, request)
    for pair in pairs:
        pictures, candidates = contents(root, pair[1]), contents(root, pair[2])
        stems = {_stem(root, pair[1], name) for name in pictures.files}
        known = {_stem(root, pair[2], name) for name in candidates.files}
        beside = {name for name in candidates.files if _is_other(_stem(root, pair[2], name), stems, known)}
        candidates.files = [name for name in candidates.files if name not in beside]
        others += sorted(beside)
        listings += [pictures] if pair[1] == pair[2] else [pictures, candidates]
        matched, wrong = paired(root, pair, pictures.files, candidates.files, unread=pictures.unread)
        rows += matched
        problems += [*unread_problems(pictures), *wrong]
    return MaskListing(
        root=root,
        rows=rows,
        classes=table.names,
        colours=table.colours,
        problems=problems,
        notes=[*_beside(root, pairs), *_note_others(others), *notes_on(listings)],
    )


def _note_others(names: Sequence[str]) -> Iterator[DataNote]:
    if names:
        how = "show the masks in colours, by instances or with other numbers"
        message = f"left out {counted(len(names), 'file')} that {how}, such as {names[0]}"
        yield DataNote(message, kind="left-out", what="coloured masks", items=len(names), examples=names[:5])


def _beside(root: Path, pairs: Sequence[Pair]) -> Iterator[DataNote]:
    """What is said of folders of pictures that belong to no pair, such as a test set without masks."""
    taken = {folder.relative_to(root).parts[:1] for _, *folders in pairs for folder in folders}
    for name in subfolders(root) if () not in taken else ():
        count = len(contents(root, root / name, limit=LOOK_AT).files) if (name,) not in taken else 0
        if count:
            message = f"left out {name}/: there are no masks for its {counted(count, 'picture')}"
            yield DataNote(message, kind="left-out", what=f"{name}/", items=count)


def paired(
    root: Path, pair: Pair, pictures: Sequence[str], candidates: Sequence[str], *, unread: Sequence[str] = ()
) -> tuple[list[MaskRow], list[BadSample]]:
    """Pictures and masks of two folders, brought together by their names without suffix and in any case.

    A mask of a picture that cannot be read (`unread`) is no problem of its own.
    """
    split, images, masks = pair
    twins = _twins(pictures) if images == masks else set()
    endings = ENDINGS[1:] if images == masks and not twins else ENDINGS
    stems = {_stem(root, images, name) for name in pictures}
    by_stem: defaultdict[str, list[str]] = defaultdict(list)
    for name in candidates:
        by_stem[_stem(root, masks, name)].append(name)
    if twins:
        pictures = [name for name in pictures if name not in twins]
        by_stem = defaultdict(list, {_stem(root, masks, name): [name] for name in twins})
        candidates = sorted(twins)
    elif images == masks:
        own = {stem + ending for stem in stems for ending in endings} & stems
        candidates = [name for name in candidates if _stem(root, masks, name) in own]
        pictures = [name for name in pictures if name not in candidates]
    rows, problems = [], []
    used: set[str] = set()
    where = masks.relative_to(root).as_posix()
    for name in pictures:
        matches = [
            mask for stem in _stems(root, images, name) for ending in endings for mask in by_stem.get(stem + ending, ())
        ]
        used.update(matches)
        if len(matches) == 1:
            rows.append(MaskRow(name=name, mask=matches[0], split=split))
        elif matches:
            problems.append(BadSample(name, f"it has {len(matches)} masks: {', '.join(matches)}", "keep one"))
        else:
            missing = f"{PurePosixPath(name).stem}{endings[0]}.png"
            fix = "add it, or move the picture out of the data"
            problems.append(BadSample(name, f"it has no mask {missing} in {where}/", fix))
    waiting = {stem + ending for name in unread for stem in _stems(root, images, name) for ending in endings}
    folder = images.relative_to(root).as_posix()
    problems += [
        BadSample(name, f"there is no picture of this name in {folder}/", "add it, or move the mask out of the data")
        for name in candidates
        if name not in used and _stem(root, masks, name) not in waiting
    ]
    return rows, problems


def _twins(names: Sequence[str]) -> set[str]:
    """The PNGs of a folder in which every picture is a JPEG with a PNG of the same name; empty for other folders."""
    if not _are_twins(map(_split, names)):
        return set()
    return {name for name in names if name.lower().endswith(".png")}


def _is_other(stem: str, pictures: set[str], masks: set[str]) -> bool:
    """Whether it lies beside Cityscapes' masks: in colours, by instances, or of all classes beside those to learn."""
    if stem.endswith(ALL_CLASSES) and stem.removesuffix(ALL_CLASSES) + LEARNT in masks:
        return True
    base = next((stem.removesuffix(end) for end in OTHER_ENDINGS if stem.endswith(end)), None)
    return base is not None and stem not in pictures


def _stems(root: Path, folder: Path, name: str) -> list[str]:
    """What the name of a picture may have in common with that of its mask."""
    stem = _stem(root, folder, name)
    return [stem, *(stem.removesuffix(end) for end in PICTURE_ENDINGS if stem.endswith(end))]


def _stem(root: Path, folder: Path, name: str) -> str:
    """The path below its folder without suffix, in lower case."""
    return folded(PurePosixPath(root / name).relative_to(folder.as_posix()).with_suffix("").as_posix())
