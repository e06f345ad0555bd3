"""What kind of text source a request names, and the files it consists of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest, DataSource, Split
from zoo.api.errors import DataError
from zoo.data.formats.folders import is_about, subfolders, walk
from zoo.data.formats.named_path import asked_format, named_path
from zoo.data.formats.parts import OPTIONS, chosen_names, chosen_path, find_parts, question
from zoo.data.formats.split_names import split_of_file, splits_of_folders
from zoo.data.formats.text.rows import PLAIN, TABLES, TEXT_FILES

FILES: Final = ("text-table", "text-lines", "text-file")
"""Formats of a file; the others are those of a folder."""
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
    if request.format:
        return DataSource(request=request, format=asked_format(request, path, accepted, FILES), location=path)
    formats = _file_format(path) if path.is_file() else _folder_format(path, request, accepted)
    for name in formats:
        if name in accepted:
            return DataSource(request=request, format=name, location=path)
    what = f"{path} is a {path.suffix or 'file without suffix'}" if path.is_file() else f"{path} holds {_held(path)}"
    raise DataError(f"{what}: not a layout of text that this task knows", hint=hint)


def _file_format(path: Path) -> tuple[str, ...]:
    if path.suffix.lower() in TABLES:
        return ("text-table", "text-lines")
    return ("text-file",) if path.suffix.lower() in PLAIN else ()


def _folder_format(path: Path, request: DataRequest, accepted: Sequence[str]) -> tuple[str, ...]:
    tables = split_files(path, TABLES, request=request)
    if any(split == "train" for _, split in tables):
        return ("text-tables",)
    if "text-classes" in accepted and _has_classes(path, request):
        return ("text-classes", "text-folder")
    if next(plain_files(path, request=request), None):
        return ("text-folder",)
    if tables and all(split for _, split in tables):
        names = " and ".join(file.name for file, _ in tables)
        raise DataError(f"{path} has {names}, and nothing to learn from", hint=f"--train {tables[0][0].name} says what")
    return ("text-tables",) if tables else ()


def _has_classes(path: Path, request: DataRequest) -> bool:
    """Whether text files lie in folders that may stand for classes."""
    parts = find_parts(path, labelled=True, kind=TEXT_FILES, request=request)
    return any(_has_texts(folder / name) for _, folder in parts.folders for name in subfolders(folder))


def _has_texts(folder: Path) -> bool:
    suffixes = TEXT_FILES.suffixes
    return any(not skipped and Path(name).suffix.lower() in suffixes for name, skipped in walk(folder, folder))


def _held(path: Path) -> str:
    kinds = sorted({file.suffix.lower() or "files without suffix" for file in path.iterdir() if file.is_file()})
    return ", ".join(kinds[:6]) or "no files"


def split_files(
    folder: Path, suffixes: Sequence[str], *, request: DataRequest | None = None
) -> list[tuple[Path, Split | None]]:
    """The files of a folder that are called after a split, or that the request names: train.csv, imdb_dev.tsv.

    The only file of a folder may have any name.  DataError where a file beside them is called after none, or two after
    one.
    """
    chosen = {split: name for split, name in chosen_names(request).items() if name}
    if chosen and any(Path(name).suffix.lower() in suffixes for name in chosen.values()):
        return [(chosen_path(folder, split, name, folder=False), split) for split, name in chosen.items()]
    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in suffixes and file.is_file()]
    splits = {file: split for file in files if (split := split_of_file(file.stem))}
    if "train" in splits.values():
        _refuse_odd_files(folder, splits, [file for file in files if file not in splits])
    return [*splits.items()] if splits or len(files) != 1 else [(files[0], None)]


def _refuse_odd_files(folder: Path, splits: Mapping[Path, Split], others: Sequence[Path]) -> None:
    first: dict[Split, Path] = {}
    for file, split in splits.items():
        earlier = first.setdefault(split, file)
        if earlier != file:
            raise DataError(
                f"{folder} holds {earlier.name} and {file.name}, both called after {split}",
                hint=f"say which is meant: {_options(first)}",
            )
    if others:
        known = ", ".join(file.name for file in splits)
        raise DataError(
            f"{folder} holds {known}, which are called after splits, and beside them {others[0].name}",
            hint=f"say which files are the parts: {_options(first)} leaves {others[0].name} out",
        )


def _options(files: Mapping[Split, Path]) -> str:
    return " ".join(f"{option} {files[split].name}" for split, option in OPTIONS.items() if split in files)


def plain_files(folder: Path, *, request: DataRequest | None = None) -> Iterator[tuple[Path, Split | None]]:
    """Every text file below a folder in the order of names, and the split that its name or its first folder says.

    DataError where a file or folder beside those of splits belongs to none; a README or licence does not count.
    """
    chosen = {split: folder / name for split, name in chosen_names(request).items() if name}
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() in PLAIN and not file.is_dir() and not _hidden(file.relative_to(folder).parts)
    ]
    if chosen:
        for file in files:
            yield from ((file, split) for split, part in chosen.items() if part == file or part in file.parents)
        return
    tops = {file: file.relative_to(folder).parts[0] for file in files}
    inside = splits_of_folders(sorted({top for file, top in tops.items() if file.name != top}))
    stems = splits_of_folders(sorted(file.stem for file, top in tops.items() if file.name == top))
    splits = {file: inside.get(top) if file.name != top else stems.get(file.stem) for file, top in tops.items()}
    known = {tops[file]: split for file, split in splits.items() if split}
    others = sorted({tops[file] for file, split in splits.items() if not split and not is_about(file)})
    if known and others:
        raise question(folder, known, others, labelled=False)
    if known and "train" not in known.values():
        raise DataError(f"{folder} has {', '.join(known)}, and nothing to learn from", hint="say it with --train")
    yield from ((file, split) for file, split in splits.items() if split or not known)


def corpus_notes(source: DataSource) -> list[str]:
    """A sentence on the files of a folder of texts that only speak of the data."""
    folder = source.location
    if source.format != "text-folder" or folder is None:
        return []
    read = {file for file, _ in plain_files(folder, request=source.request)}
    about = [file.name for file in sorted(folder.iterdir()) if is_about(file) and file not in read]
    return [f"left out {', '.join(about)}: about the data, and none of them"] if about else []


def _hidden(parts: Sequence[str]) -> bool:
    return any(part.startswith((".", "_")) for part in parts)
