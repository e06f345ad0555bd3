"""Pascal VOC's lists of pictures: ImageSets/Main/train.txt and its like, a stem a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoo.api.data import DataRequest, Split, counted
from zoo.api.errors import DataError
from zoo.data.formats.folders import PICTURES
from zoo.data.formats.parts import chosen_names
from zoo.data.formats.split_names import TRAINVAL, exact_split, split_of_file, split_words


@dataclass(frozen=True, slots=True, kw_only=True)
class VocLists:
    """What the lists of a folder say."""

    folder: Path
    splits: Mapping[str, Split | None]
    """Stems of pictures with their split; None where the lists name no split."""
    lines: Sequence[tuple[str, str]] = ()
    """A stem with the file and line that name it, "train.txt line 4"."""
    files: Sequence[str] = ()
    """The lists that count."""
    splits_of_files: Mapping[str, Split | None] = field(default_factory=dict)
    """The split that each of them is."""
    notes: Sequence[str] = ()


def read_lists(folder: Path, request: DataRequest | None = None) -> VocLists:
    """The lists that are called after splits; one of another name counts where there are no others.

    A list of one class (cat_train.txt) and the union trainval.txt beside its parts say nothing of their own.
    DataError where a list beside the known ones names pictures that none of them does.
    """
    files = {file.stem: file for file in sorted(folder.glob("*")) if file.suffix.lower() == ".txt" and file.is_file()}
    named = {split: Path(name).stem for split, name in chosen_names(request).items() if name}
    known = {stem: split for split, stem in named.items()} or {
        stem: split for stem in files if (split := exact_split(stem))
    }
    lacking = [stem for stem in known if stem not in files]
    if lacking and files:
        raise DataError(f"{folder} has no list {lacking[0]}.txt", hint=f"there are {', '.join(files)}")
    if "train" in [known[stem] for stem in known if not _is_union(stem)]:
        known = {stem: split for stem, split in known.items() if not _is_union(stem)}
    others = {stem: file for stem, file in files.items() if stem not in known and split_of_file(stem) is None}
    taken: dict[str, Split | None] = {**known} if known else dict.fromkeys(others)
    splits: dict[str, Split | None] = {}
    lines: list[tuple[str, str]] = []
    for stem, split in sorted(taken.items(), key=lambda item: _is_union(item[0])):
        for name, line in _lines(files[stem]):
            if _is_union(stem) and name in splits:
                continue  # trainval.txt beside val.txt
            if splits.setdefault(name, split) != split:
                raise DataError(
                    f"{folder / line} names {name}, which is in {splits[name]} already",
                    hint="a picture may stand in one list only: correct them, or say which count with --train LIST",
                )
            lines.append((name, line))
    if known and not named:
        _refuse_unknown(folder, known, others, splits)
    of_files = {f"{stem}.txt": split for stem, split in taken.items()}
    return VocLists(folder=folder, splits=splits, lines=lines, files=list(of_files), splits_of_files=of_files)


def _is_union(stem: str) -> bool:
    return TRAINVAL in split_words(stem)


def _refuse_unknown(
    folder: Path, known: Mapping[str, Split], others: Mapping[str, Path], splits: Mapping[str, Split | None]
) -> None:
    for stem, file in others.items():
        new = [name for name, _ in _lines(file) if name not in splits]
        if new:
            raise DataError(
                f"{folder} holds the lists {', '.join(known)}, and beside them {stem}.txt with "
                f"{counted(len(new), 'picture')} that none of them names, such as {new[0]}",
                hint=f"say which lists are the parts: --train {next(iter(known))}, or --train {stem}",
            )


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(file.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
        if line.strip():
            path = Path(line.split()[0].replace("\\", "/"))
            written = path.suffix.lower() in PICTURES | {".xml"}
            yield (path.stem if written else path.name), f"{file.name} line {number}"
