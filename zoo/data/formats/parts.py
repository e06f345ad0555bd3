"""The folders of a source that stand for its splits.  What can be read in two ways is an error that shows both."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Final

from zoo.api.data import DataNote, DataRequest, Split, counted
from zoo.api.errors import BadSample, DataError, UsageError
from zoo.data.formats.folders import PICTURE_FILES, FileKind, hidden, is_about, subfolders, walk
from zoo.data.formats.split_names import split_words, splits_of_folders, word_set
from zoo.runs.user_paths import expand_user

OPTIONS: Final[Mapping[Split, str]] = {"train": "--train", "validation": "--val", "test": "--test"}
FEW_FOLDERS: Final = 4
"""At most so many folders of the same subfolders may be parts; more of them are classes."""
ROLES: Final = word_set("images image imgs img labels label masks mask annotations annotation")
"""Words of folders that belong to annotated pictures."""
NUMBERED: Final = re.compile(r"(fold|part|batch|chunk|cv|split|group)[ _-]?\d+", re.IGNORECASE)

Part = tuple[Split | None, Path]
"""A split, None where the source says nothing of splits, and the folder that holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The folders of a source with their splits."""

    folders: tuple[Part, ...]
    problems: tuple[BadSample, ...] = ()
    notes: tuple[str, ...] = ()


def find_parts(
    root: Path,
    *,
    labelled: bool,
    kind: FileKind = PICTURE_FILES,
    request: DataRequest | None = None,
    known: Collection[str] = (),
) -> Parts:
    """The split folders in `root`, or `root` itself where it has none; `labelled` where class folders are looked for.

    `known` are files in `root` that another reader reads.
    DataError where a folder could be a split as well as a class, or lies beside the splits and belongs to none.
    """
    chosen = chosen_parts(root, request)
    if chosen:
        return Parts(folders=chosen, notes=_left_out(root, chosen))
    names = [name for name in subfolders(root) if _holds(root, root / name, kind)]
    splits = splits_of_folders(names)
    if not splits:
        if labelled:
            if not (request and request.format):
                _refuse_roles(root, names)
            _refuse_unnamed_parts(root, names, kind)
        return Parts(folders=((None, root),))
    others = [name for name in names if name not in splits]
    if others:
        raise question(root, splits, others, labelled=labelled)
    if "train" not in splits.values():
        raise DataError(
            f"{root} has {listed(splits)} but no train/",
            hint=f"say what to learn from: --train {next(iter(splits))}, or --train . to read every folder as a class",
        )
    entries = sorted(root.iterdir())
    beside = [entry for entry in entries if _wanted(entry, kind)]
    loose = [entry.name for entry in beside if not is_about(entry)]
    problems = [*twins(splits)]
    if loose:
        reason = counted(len(loose), f"{kind.plural[:-1]} lies", f"{kind.plural} lie")
        reason += f" beside {listed(splits)}, in none of them"
        problems.append(BadSample(loose[0], reason, "move them into one of these folders, or out of the data"))
    empty = [name for name in subfolders(root) if name not in names]
    notes = [_note_left_out(empty, f"no {kind.plural} in it")] if empty else []
    about = [entry.name for entry in beside if is_about(entry)]
    notes += [note_about(about)] if about else []
    rest = [entry.name for entry in entries if entry not in beside and entry.is_file() and entry.name not in known]
    if rest:
        shown = ", ".join(rest[:5]) + (", …" if len(rest) > 5 else "")
        message = f"left out {shown}: beside {listed(splits)}, and no {kind.plural}"
        notes.append(DataNote(message, kind="left-out", what=shown, items=len(rest)))
    folders = tuple((split, _innermost(root / name)) for name, split in splits.items())
    return Parts(folders=folders, problems=tuple(problems), notes=tuple(notes))


def chosen_parts(root: Path, request: DataRequest | None) -> tuple[Part, ...]:
    """The folders that the request names; empty where it names none, (None, root) where train is "."."""
    named = {split: path for split, path in chosen_names(request).items() if path}
    if named == {"train": "."}:
        return ((None, root),)
    return tuple((split, chosen_path(root, split, name, folder=True)) for split, name in named.items())


def chosen_names(request: DataRequest | None) -> dict[Split, str]:
    """What the request names for each split; UsageError where nothing to learn from is named; DataError
    where parts share items."""
    if request is None:
        return {}
    named: dict[Split, str] = {"train": request.train, "validation": request.validation, "test": request.test}
    given = [split for split, name in named.items() if name]
    if given and not request.train:
        raise UsageError(
            f"{OPTIONS[given[0]]} {named[given[0]]} says nothing of what to learn from", hint="add --train DIR"
        )
    source = Path(request.source)
    paths = {split: (source / expand_user(named[split])).resolve() for split in given}
    for split in given[1:]:
        if paths[split] == paths["train"]:
            raise DataError(
                f"{OPTIONS[split]} {named[split]} is what --train names: a model knows what it has learned from",
                hint=f"give each part its own folder or file, or leave {OPTIONS[split]} out",
            )
    refuse_nested((split, f"{OPTIONS[split]} {named[split]}", path) for split, path in paths.items())
    return named


def chosen_path(root: Path, split: Split, name: str, *, folder: bool) -> Path:
    """What an option names below the source; UsageError where nothing of its kind lies there."""
    path = (root / expand_user(name)).resolve()
    there = path.is_dir() if folder else path.is_file()
    if not there or not path.is_relative_to(root.resolve()):
        what = "folder" if folder else "file"
        raise UsageError(
            f"{OPTIONS[split]} {name} names no {what} below {root}", hint=f"the {what} must lie in the data"
        )
    return root / path.relative_to(root.resolve())


def question(root: Path, splits: Mapping[str, Split], others: Sequence[str], *, labelled: bool) -> DataError:
    """The error for folders that lie beside split folders and are none themselves."""
    asked, several = listed(others), len(splits) > 1
    called = "are called after splits, and beside them" if several else "is called after a split, and beside it"
    parts = f"{listed(splits)} {'are parts' if several else 'is a part'} of the data"
    if "train" in splits.values():
        left = f"if {parts}, {say_which(splits)} leaves {asked} out"
    elif labelled:
        left = f"if {parts}, move the class folders into {root / 'train'}"
    else:
        left = f"if {parts}, name the folder to learn from as well: --train DIR {say_which(splits)}"
    rest = "if all of them are classes, --train . reads them so" if labelled else "--train . reads everything"
    return DataError(f"{root} holds {listed(splits)}, which {called} {asked}", hint=f"{left}; {rest}")


def refuse_nested(parts: Iterable[tuple[Split, str, Path]]) -> None:
    """DataError where a part lies inside another: what is learned from would be measured with as well.

    `parts` are splits with the words that name each, as "--test test", and their folders or files.
    """
    for (split, name, path), (other, around_name, around) in permutations(parts, 2):
        if split != other and path != around and path.is_relative_to(around):
            raise DataError(
                f"{name} lies inside {around_name}, so that the same items would be in both parts",
                hint="give each part a folder of its own, as in train/ and test/, and name these",
            )


def say_which(splits: Mapping[str, Split]) -> str:
    """The options that name these parts, as in "--train train --val dev"."""
    first: dict[Split, str] = {}
    for name, split in splits.items():
        first.setdefault(split, name)
    return " ".join(f"{OPTIONS[split]} {first[split]}" for split in OPTIONS if split in first)


def twins(splits: Mapping[str, Split]) -> list[BadSample]:
    """A problem for every second name of one split."""
    first: dict[Split, str] = {}
    problems = []
    for name, split in splits.items():
        earlier = first.setdefault(split, name)
        if earlier != name:
            fix = f"say which one is meant: {OPTIONS[split]} {earlier}, or {OPTIONS[split]} {name}"
            problems.append(BadSample(f"{name}/", f"there is {earlier}/ as well", fix))
    return problems


def listed(names: Iterable[str], most: int = 5) -> str:
    """As in "train/, val/ and test/"."""
    shown = [name if Path(name).suffix else f"{name}/" for name in names]
    if len(shown) > most:
        return f"{', '.join(shown[:most])} and {len(shown) - most} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def _innermost(folder: Path) -> Path:
    """The folder, or the only one in it where that is called the same or images, as some archives are packed."""
    names = subfolders(folder)
    if len(names) != 1 or not (names[0] == folder.name or ROLES.issuperset(split_words(names[0]))):
        return folder
    return folder / names[0] if names[0] == folder.name or subfolders(folder / names[0]) else folder


def _left_out(root: Path, chosen: tuple[Part, ...]) -> tuple[str, ...]:
    taken = {folder.relative_to(root).parts[:1] for _, folder in chosen}
    left = [name for name in subfolders(root) if (name,) not in taken and () not in taken]
    return (_note_left_out(left, "not among the folders asked for"),) if left else ()


def _note_left_out(folders: Sequence[str], why: str) -> DataNote:
    return DataNote(f"left out {listed(folders)}: {why}", kind="left-out", what=listed(folders), items=len(folders))


def note_about(names: Sequence[str]) -> DataNote:
    """What is said of files that only speak of the data."""
    what = ", ".join(names)
    why = "about the data, and none of them"
    return DataNote(f"left out {what}: {why}", kind="left-out", what=what, items=len(names))


def _holds(root: Path, folder: Path, kind: FileKind) -> bool:
    wanted = kind.suffixes | kind.unread
    return any(not skipped and Path(name).suffix.lower() in wanted for name, skipped in walk(root, folder))


def _wanted(entry: Path, kind: FileKind) -> bool:
    return not hidden(entry.name) and entry.suffix.lower() in kind.suffixes and entry.is_file()


def _refuse_roles(root: Path, names: Sequence[str]) -> None:
    """DataError where a folder is called images, labels or masks beside others: a class, or a part of annotations."""
    roles = [name for name in names if ROLES.issuperset(split_words(name)) and split_words(name)]
    if roles and len(names) > 1:
        raise DataError(
            f"{root} holds {listed(names)}: {listed(roles)} may belong to annotated pictures, or be a class",
            hint="--train . reads every folder as a class; --train DIR names the folder that holds the classes",
        )


def _refuse_unnamed_parts(root: Path, names: Sequence[str], kind: FileKind) -> None:
    """DataError where folders hold the same class folders, or are numbered as the parts of a set are."""
    if len(names) == 1:
        folder = root / names[0]
        inside = [sub for sub in subfolders(folder) if _holds(root, folder / sub, kind)]
        if inside and not any(_wanted(entry, kind) for entry in folder.iterdir()):
            raise DataError(
                f"{root} holds {listed(names)} alone, and in it {listed(inside)}: one class, or the folder of classes",
                hint=f"--train {names[0]} reads the folders in it as classes; one class alone teaches nothing",
            )
    numbered = len(names) > 1 and all(NUMBERED.fullmatch(name) for name in names)
    same: set[str] = set()
    if 1 < len(names) <= FEW_FOLDERS:
        below = [{sub for sub in subfolders(root / name) if _holds(root, root / name / sub, kind)} for name in names]
        loose = any(_wanted(entry, kind) for name in names for entry in (root / name).iterdir())
        same = set.intersection(*below)
        same = same if len(same) > max(1, max(map(len, below)) / 2) and not loose else set()
    if not numbered and not same:
        return
    why = f"hold the same folders {', '.join(sorted(same)[:3])}" if same else "are numbered as parts are"
    raise DataError(
        f"{root} holds {listed(names)}, which {why}: they may be parts of the data, or classes",
        hint=f"parts: --train {names[0]} --val {names[1]}; classes: --train . reads every folder as one",
    )
