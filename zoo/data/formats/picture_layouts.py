"""What kind of source a request names: answered in under a second, without opening a single sample."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest, DataSource
from zoo.api.errors import DataError, UnknownName, UsageError
from zoo.data.formats.class_folders.torchvision_names import NAMED
from zoo.data.formats.folders import LOOK_AT, PICTURES, contents, described, subfolders
from zoo.data.formats.identities.pairs import holds_pairs
from zoo.data.formats.named_path import asked_format, named_path
from zoo.data.formats.other_tasks import refuse_other_task
from zoo.data.formats.parts import find_parts
from zoo.data.formats.split_names import splits_of_folders

_SCHEME = re.compile(r"([a-z][a-z0-9]+):(.*)", re.DOTALL)
FILES: Final = ("csv", "pairs")
"""Formats of a file; the others are those of a folder."""
LAYOUTS: Final = {
    "class-folders": "FOLDER/CLASS/*.jpg, or FOLDER/{train,val,test}/CLASS/*.jpg",
    "csv": "a CSV or TSV file with the columns path,label[,split]",
    "image-folder": "a folder of pictures, with or without train/ and val/ in it",
    "pairs": "LFW's pairs.txt, or a CSV file with the columns a,b,same",
    "torchvision": "torchvision:NAME",
}


def detect_layout(request: DataRequest, *, embedded: Sequence[str], accepted: Sequence[str]) -> DataSource:
    """The layout of a source among those accepted; DataError says what was found and what is accepted."""
    if request.source in embedded:
        return DataSource(request=request, format=request.source)
    path = Path(request.source).expanduser()
    scheme = _SCHEME.fullmatch(request.source)
    if scheme and not path.exists():
        return _named(request, scheme[1], scheme[2], accepted)
    hint = accepted_layouts(embedded=embedded, accepted=accepted)
    path = named_path(request, accepted=hint)
    if request.format:
        return DataSource(request=request, format=asked_format(request, path, accepted, FILES), location=path)
    if path.is_file():
        return DataSource(request=request, format=_file_format(path, accepted, hint), location=path)
    location = inner_folder(path)
    return DataSource(request=request, format=_folder_format(location, request, accepted, hint), location=location)


def inner_folder(path: Path) -> Path:
    """The only folder in a folder, where it holds the splits, as an unpacked archive does; else the folder itself."""
    names = subfolders(path)
    inside = path / names[0] if len(names) == 1 and not splits_of_folders(names) else None
    return inside if inside and "train" in splits_of_folders(subfolders(inside)).values() else path


def accepted_layouts(*, embedded: Sequence[str], accepted: Sequence[str]) -> str:
    """One sentence with everything a task takes."""
    return "accepted are " + "; ".join([LAYOUTS[name] for name in accepted] + [f"the embedded {n}" for n in embedded])


def _named(request: DataRequest, scheme: str, name: str, accepted: Sequence[str]) -> DataSource:
    if scheme in ("wds", "hf"):
        raise UsageError(f"{scheme}: sources are not supported yet", hint="download the data as folders or a CSV file")
    if scheme != "torchvision" or "torchvision" not in accepted:
        raise UsageError(f"unknown kind of source {scheme}: in {request.source!r}", hint="torchvision:NAME is known")
    if name not in NAMED:
        by_case = {known.lower(): known for known in NAMED}
        close = get_close_matches(name.lower(), by_case, n=3, cutoff=0.4)
        suggestion = f"did you mean {' or '.join(by_case[known] for known in close)}? " if close else ""
        raise UnknownName(f"torchvision:{name} is not known", hint=f"{suggestion}known are {', '.join(NAMED)}")
    return DataSource(request=request, format="torchvision", location=request.root)


def _file_format(path: Path, accepted: Sequence[str], hint: str) -> str:
    if "pairs" in accepted and holds_pairs(path):
        return "pairs"
    if path.suffix.lower() in (".csv", ".tsv") and "csv" in accepted:
        return "csv"
    if path.suffix.lower() in PICTURES:
        raise DataError(f"{path} is a single picture, not data to learn from", hint=hint)
    if path.suffix.lower() in (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"):
        raise DataError(f"{path} is an archive", hint="unpack it and give the folder")
    raise DataError(f"{path} is not a layout of data that zoo knows", hint=hint)


def _folder_format(path: Path, request: DataRequest, accepted: Sequence[str], hint: str) -> str:
    listing = contents(path, path, limit=LOOK_AT)
    if not listing.files:
        inside = f"no pictures (found {described(listing.others)})" if listing.others else "no files"
        raise DataError(f"{path} holds {inside}", hint=hint)
    labelled = "class-folders" in accepted
    refuse_other_task(path, request, labelled=labelled)
    if not labelled:
        return "image-folder"
    if not subfolders(path):
        raise DataError(f"{path} holds {len(listing.files)} pictures but no class folders", hint=hint)
    for split, folder in find_parts(path, labelled=True, request=request).folders:
        if split == "train" and not subfolders(folder):
            also = "; --train . reads the folders called after splits as classes"
            raise DataError(f"{folder} holds no class folders", hint=hint + also)
    return "class-folders"
