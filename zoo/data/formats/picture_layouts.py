"""How pictures with and without labels are recognised: class folders, folders, tables, pairs, published names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest, DataSource, counted
from zoo.api.errors import DataError, UnknownName, UsageError
from zoo.api.formats import FormatMatch
from zoo.data.formats.class_folders.csv_manifest import manifest_tables, names_pictures
from zoo.data.formats.class_folders.table_files import LISTS, TABLES
from zoo.data.formats.class_folders.torchvision_names import NAMED
from zoo.data.formats.detect import Formats, built_in_formats, detect_format, refuse_options
from zoo.data.formats.folders import LOOK_AT, PICTURES, contents, described, subfolders
from zoo.data.formats.identities.pairs import holds_pairs
from zoo.data.formats.other_tasks import refuse_other_task
from zoo.data.formats.parts import ROLES, find_parts
from zoo.data.formats.split_names import split_words, splits_of_folders
from zoo.runs.user_paths import expand_user

_SCHEME = re.compile(r"([a-z][a-z0-9]+):(.*)", re.DOTALL)
SOME: Final = 1_000
"""Pictures of a folder that are looked at by name."""
PUBLISHED: Final = "torchvision"
"""The scheme of published datasets, which are named and not kept in a format."""


def detect_pictures(
    request: DataRequest, *, embedded: Sequence[str], accepted: Sequence[str], installed: Formats | None = None
) -> DataSource:
    """The source in one of the accepted formats, or of those installed; DataError says what was found instead."""
    formats = {**picture_formats(accepted), **(installed or {})}
    scheme = _SCHEME.fullmatch(request.source)
    if scheme and request.source not in embedded and not expand_user(request.source).exists():
        return _named(request, scheme[1], scheme[2], published=PUBLISHED in accepted)
    also = ("torchvision:NAME",) if PUBLISHED in accepted else ()
    return detect_format(request, formats=formats, embedded=embedded, also=also, nothing=_nothing)


def picture_formats(accepted: Sequence[str]) -> Formats:
    """The built-in formats of these names; of those with labels where class folders are accepted."""
    task = "image-reconstruction" if "class-folders" not in accepted else "image-classification"
    known = built_in_formats("image-embedding" if "pairs" in accepted else task)
    return {name: known[name] for name in accepted if name in known}


def detect_class_folders(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A folder with a folder of pictures for each class; DataError where it may be something else."""
    if not path.is_dir():
        return None
    if request.format:
        return FormatMatch(location=path)
    folder = inner_folder(path)
    pictures = _pictures_in(folder)
    refuse_other_task(folder, request, labelled=True)
    names = subfolders(folder)
    if len(names) == 1 and ROLES.issuperset(split_words(names[0])) and not subfolders(folder / names[0]):
        raise DataError(f"{folder} holds {names[0]}/ alone: a folder of pictures, and none of classes")
    if not names:
        raise DataError(f"{folder} holds {counted(pictures, 'picture')} but no class folders")
    for split, part in find_parts(folder, labelled=True, request=request).folders:
        if split == "train" and not subfolders(part):
            raise _no_class_folders(folder, part)
    return FormatMatch(location=folder)


def name_classes(files: Sequence[str]) -> list[str]:
    """What the names of pictures begin with, where that may be their class: cat.0.jpg, dog.0.jpg; else empty."""
    folders = Counter(Path(name).parent for name in files)
    largest = max(folders, key=folders.__getitem__, default=None)
    stems = [Path(name).stem for name in files if Path(name).parent == largest]
    numbered = [re.fullmatch(r"(.*?[^\W\d])[._ -]?\d[\d._ -]*", stem) for stem in stems]
    names = sorted({match[1] for match in numbered if match})
    return names if all(numbered) and 1 < len(names) <= len(stems) / 2 else []


def _no_class_folders(folder: Path, part: Path) -> DataError:
    """The error for a folder of a split whose pictures lie in no folder of a class."""
    others = [name for name in subfolders(folder) if contents(folder, folder / name, limit=SOME).files]
    if len(others) > 1 and not any(subfolders(folder / name) for name in others):
        return DataError(
            f"{part} holds no class folders", hint="--train . reads the folders called after splits as classes"
        )
    listing = contents(part, part, limit=SOME)
    names = name_classes(listing.files)
    if names:
        named = f"; their names begin with {', '.join(names[:5])}"
        fix = f"move them into {part.name}/{names[0]}/, {part.name}/{names[1]}/, …, or write a table"
    else:
        named, fix = "", "move the pictures of each class into a folder of its own, or write a table"
    return DataError(
        f"{part} holds {counted(len(listing.files), 'picture')} but no class folders{named}",
        hint=f"{fix} (path,label) beside {part.name}/",
    )


def detect_image_folder(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A folder of pictures, however deep; DataError where masks lie among them."""
    if not path.is_dir():
        return None
    folder = path if request.format else inner_folder(path)
    if not request.format:
        _pictures_in(folder)
        refuse_other_task(folder, request, labelled=False)
    return FormatMatch(location=folder)


def detect_manifest(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A table that names pictures."""
    table = path.is_file() and path.suffix.lower() in TABLES
    return FormatMatch(location=path) if table and (request.format or not holds_pairs(path, request.encoding)) else None


def detect_labelled_manifest(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A table of pictures and labels, or a folder with tables of its splits, which may be class folders as well."""
    if not path.is_dir():
        listed = path.suffix.lower() in LISTS and names_pictures(path, request, path.parent)
        return FormatMatch(location=path) if listed else detect_manifest(path, request=request)
    tables = manifest_tables(path, request, labelled=True)
    if not tables or any(
        file.suffix.lower() not in LISTS and holds_pairs(file, request.encoding) for file, _ in tables
    ):
        return None
    several = len(tables) > 1 or tables[0][0].parent != path
    return FormatMatch(location=path if several else tables[0][0], sure=bool(request.format))


def detect_pairs(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """LFW's pairs.txt, or a table with the columns a, b and same."""
    if not path.is_file() or not holds_pairs(path, request.encoding):
        return None
    return FormatMatch(location=path, sure=path.suffix.lower() != ".txt" or "pair" in path.stem.lower())


def inner_folder(path: Path) -> Path:
    """The only folder in a folder, where it holds the splits, as an unpacked archive does; else the folder itself."""
    names = subfolders(path)
    inside = path / names[0] if len(names) == 1 and not splits_of_folders(names) else None
    return inside if inside and "train" in splits_of_folders(subfolders(inside)).values() else path


def _pictures_in(folder: Path) -> int:
    """How many pictures are in a folder, of those that are looked at; DataError where there are none."""
    listing = contents(folder, folder, limit=LOOK_AT)
    if not listing.files:
        inside = f"no pictures (found {described(listing.others)})" if listing.others else "no files"
        raise DataError(f"{folder} holds {inside}")
    return len(listing.files)


def _nothing(path: Path) -> str:
    """What a path is that no format matches."""
    if path.suffix.lower() in PICTURES:
        return f"{path} is a single picture, not data to learn from"
    return f"{path} is not a layout of data that zoo knows"


def _named(request: DataRequest, scheme: str, name: str, *, published: bool) -> DataSource:
    if scheme in ("wds", "hf"):
        raise UsageError(f"{scheme}: sources are not supported yet", hint="download the data as folders or a CSV file")
    if scheme != PUBLISHED or not published:
        raise UsageError(f"unknown kind of source {scheme}: in {request.source!r}", hint="torchvision:NAME is known")
    if name not in NAMED:
        by_case = {known.lower(): known for known in NAMED}
        close = get_close_matches(name.lower(), by_case, n=3, cutoff=0.4)
        suggestion = f"did you mean {' or '.join(by_case[known] for known in close)}? " if close else ""
        raise UnknownName(f"torchvision:{name} is not known", hint=f"{suggestion}known are {', '.join(NAMED)}")
    refuse_options(request, what=f"{request.source} is a published dataset, whose parts are known")
    return DataSource(request=request, format=PUBLISHED, location=request.root)
