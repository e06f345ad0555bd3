"""What kind of text source a request names, and the files it consists of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest, DataSource, Split
from zoo.api.errors import DataError
from zoo.api.formats import FormatMatch
from zoo.data.formats.detect import Formats, built_in_formats, detect_format
from zoo.data.formats.folders import is_about, subfolders, walk
from zoo.data.formats.parts import OPTIONS, chosen_names, chosen_path, find_parts, question
from zoo.data.formats.split_names import split_of_file, splits_of_folders
from zoo.data.formats.text.rows import PLAIN, TABLES, TEXT_FILES
from zoo.data.formats.text.sniff import LINES, all_hold, holds_labelled_lines, holds_records
from zoo.data.formats.text_files import encoding_of

SOME: Final = 1_000
"""Files that are looked at by name."""
MOST_FILES: Final = 20
"""More files of one folder are texts of their own, and no tables of them."""


def detect_text(
    request: DataRequest, *, embedded: Sequence[str], task: str, installed: Formats | None = None
) -> DataSource:
    """The format of a source, of zoo's own for a task or of those installed; DataError says what is accepted."""
    formats = installed or built_in_formats(task)
    return detect_format(request, formats=formats, embedded=embedded, nothing=_nothing)


def _nothing(path: Path) -> str:
    names = [Path(name) for name, _ in islice(walk(path, path), SOME)] if path.is_dir() else []
    bare = any(not name.suffix and not is_about(name) for name in names)
    what = f"{path} is a {path.suffix or 'file without suffix'}" if path.is_file() else f"{path} holds {_held(path)}"
    classes = path.is_dir() and _held(path) in (".txt", ".text")
    way = "; --format text-class-files reads every file as a class, a text a line" if classes else ""
    if bare and not classes:
        way = "; texts are known by .txt, and files in it have no suffix: give them one"
    return f"{what}: not a layout of text that this task knows{way}"


def detect_table(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A CSV, TSV or JSON Lines file, or one of JSON records."""
    table = path.is_file() and (path.suffix.lower() in TABLES or holds_records(path, request.encoding))
    return FormatMatch(location=path) if table else None


def detect_labelled_table(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """The same, or a file with a label and a text a line."""
    if path.is_file() and holds_labelled_lines(path, request.encoding):
        return FormatMatch(location=path)
    return detect_table(path, request=request)


def detect_labelled_tables(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A folder of tables, or of files with a label and a text a line, one of them to learn from."""
    if path.is_dir() and (files := labelled_files(path, request)):
        return FormatMatch(location=path, sure="train" in [split for _, split in files])
    return detect_tables(path, request=request)


def labelled_files(folder: Path, request: DataRequest) -> list[tuple[Path, Split | None]]:
    """The files of a folder without tables that hold a label and a text a line, with their splits; empty for others."""
    if split_files(folder, TABLES, request=request):
        return []
    named = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in LINES and not is_about(file)]
    files = [file for file in named if file.is_file() and not _hidden((file.name,))]
    if len(files) > MOST_FILES or not all_hold(files, request.encoding):
        return []
    return split_files(folder, LINES, request=request, files=files)


def detect_file(path: Path, *, request: DataRequest) -> FormatMatch | None:  # noqa: ARG001  every format's
    """A file of plain text."""
    return FormatMatch(location=path) if path.is_file() and path.suffix.lower() in PLAIN else None


def detect_tables(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A folder of tables, one of them to learn from; not sure where there is one that is called after no split."""
    tables = split_files(path, TABLES, request=request) if path.is_dir() else []
    splits = [split for _, split in tables]
    if tables and None not in splits and "train" not in splits and not _has_texts(path):
        names = " and ".join(file.name for file, _ in tables)
        raise DataError(f"{path} has {names}, and nothing to learn from", hint=f"--train {tables[0][0].name} says what")
    return FormatMatch(location=path, sure="train" in splits) if tables else None


def detect_classes(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A folder with a folder of text files for each class, and no table to learn from."""
    if not path.is_dir() or (not request.format and _has_train_table(path, request)):
        return None
    return FormatMatch(location=path) if _has_classes(path, request) else None


def detect_folder(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A folder of text files, and no table to learn from."""
    if not path.is_dir() or (not request.format and _has_train_table(path, request)):
        return None
    return FormatMatch(location=path) if next(plain_files(path, request=request), None) else None


def _has_train_table(path: Path, request: DataRequest) -> bool:
    return any(split == "train" for _, split in split_files(path, TABLES, request=request))


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
    folder: Path, suffixes: Sequence[str], *, request: DataRequest | None = None, files: Sequence[Path] | None = None
) -> list[tuple[Path, Split | None]]:
    """The files of a folder that are called after a split, or that the request names: train.csv, imdb_dev.tsv.

    The only file of a folder may have any name.  DataError where a file beside them is called after none, or two after
    one.
    """
    chosen = {split: name for split, name in chosen_names(request).items() if name}
    if chosen and any(Path(name).suffix.lower() in suffixes for name in chosen.values()):
        return [(chosen_path(folder, split, name, folder=False), split) for split, name in chosen.items()]
    encoding = encoding_of(request)
    if files is None:
        files = [
            file
            for file in sorted(folder.iterdir())
            if file.is_file()
            and not is_about(file)
            and (file.suffix.lower() in suffixes or holds_records(file, encoding))
        ]
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


def about_files(folder: Path) -> list[str]:
    """The files of a folder that only speak of the data, as a README does."""
    return [file.name for file in sorted(folder.iterdir()) if is_about(file)]


def other_files(folder: Path) -> list[str]:
    """The visible files below a folder that are neither text nor about the data."""
    names = sorted(name for name, hidden in walk(folder, folder) if not hidden)
    return [name for name in names if Path(name).suffix.lower() not in PLAIN and not is_about(Path(name))]


def _hidden(parts: Sequence[str]) -> bool:
    return any(part.startswith((".", "_")) for part in parts)
