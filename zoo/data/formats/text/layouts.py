"""What kind of text source a request names, and the files it consists of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest, DataSource, Split
from zoo.api.errors import DataError
from zoo.data.formats.class_folders.tree import SPLIT_FOLDERS, split_folders
from zoo.data.formats.folders import LOOK_AT, contents, subfolders
from zoo.data.formats.named_path import named_path
from zoo.data.formats.text.rows import PLAIN, TABLES, TEXT_FILES

LAYOUTS: Final = {
    "text-table": "a CSV, TSV or JSON Lines file with the columns text,label[,split]",
    "text-tables": "a folder with train.csv and, if wanted, validation.csv and test.csv (or .tsv, .jsonl)",
    "text-classes": "a folder with a folder of text files per class (spam/1.txt), or with train/ and more above these",
    "text-lines": "a CSV, TSV or JSON Lines file with the column text",
    "text-file": "a text file (.txt)",
    "text-folder": "a folder of text files, with or without train/, validation/ and test/ in it",
}


def detect_text(request: DataRequest, *, embedded: Sequence[str], accepted: Sequence[str]) -> DataSource:
    """The layout of a source among those accepted; DataError says what was found and what is accepted."""
    if request.source in embedded:
        return DataSource(request=request, format=request.source)
    accept = [LAYOUTS[name] for name in accepted] + [f"the embedded {name}" for name in embedded]
    hint = f"accepted are {'; '.join(accept)}"
    path = named_path(request, accepted=hint)
    found = _file_format(path) if path.is_file() else _folder_format(path)
    for name in found:
        if name in accepted:
            return DataSource(request=request, format=name, location=path)
    what = f"{path} is a {path.suffix or 'file without suffix'}" if path.is_file() else f"{path} holds {_held(path)}"
    raise DataError(f"{what}: not a layout of text that this task knows", hint=hint)


def _file_format(path: Path) -> tuple[str, ...]:
    if path.suffix.lower() in TABLES:
        return ("text-table", "text-lines")
    return ("text-file",) if path.suffix.lower() in PLAIN else ()


def _folder_format(path: Path) -> tuple[str, ...]:
    if any(split == "train" for _, split in split_files(path, TABLES)):
        return ("text-tables",)
    if _has_classes(path):
        return ("text-classes", "text-folder")
    return ("text-folder",) if next(plain_files(path), None) else ()


def _has_classes(path: Path) -> bool:
    """Whether text files lie in folders that may stand for classes."""
    folders = (folder / name for _, folder in split_folders(path, []) for name in subfolders(folder))
    return any(contents(path, folder, kind=TEXT_FILES, limit=LOOK_AT).files for folder in folders)


def _held(path: Path) -> str:
    kinds = sorted({file.suffix.lower() or "files without suffix" for file in path.iterdir() if file.is_file()})
    return ", ".join(kinds[:6]) or "no files"


def split_files(folder: Path, suffixes: Sequence[str]) -> list[tuple[Path, Split]]:
    """The files of a folder that are called after a split: train.csv, val.csv, test.jsonl."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in suffixes)
    return [(file, SPLIT_FOLDERS[file.stem.lower()]) for file in files if file.stem.lower() in SPLIT_FOLDERS]


def plain_files(folder: Path) -> Iterator[tuple[Path, Split | None]]:
    """Every text file below a folder in the order of names, and the split that its name or its first folder says."""
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if file.suffix.lower() in PLAIN and file.is_file() and not any(part.startswith((".", "_")) for part in parts):
            first = parts[0] if len(parts) > 1 else file.stem
            yield file, SPLIT_FOLDERS.get(first.lower())
