"""What zoo understood of data, for people and for machines: `zoo data check`, and the first lines of `zoo train`."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Final

from zoo.api.data import DataCard, DataNote, Split, counted
from zoo.api.errors import BadSample, ZooError
from zoo.api.parts import NotesInput, Task
from zoo.api.problem import Input

SCHEMA: Final = 1
SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test")
FEW_ITEMS: Final = 10
"""A split of fewer items measures hardly anything."""
SHOWN_CLASSES: Final = 12
SHOWN_ORIGINS: Final = 4
"""Files of a split that are named one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSummary:
    """One split."""

    items: int = 0
    origins: tuple[str, ...] = ()
    """The files and folders that it comes from, below the source; "." for the source itself."""
    per_class: Mapping[str, int] = field(default_factory=dict)
    """Items of each class; of pictures with objects, objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSummary:
    """Data as they were understood, or what is wrong with them."""

    source: str
    task: str
    format: str
    encoding: str = ""
    """What the user says that files of text are in."""
    classes: tuple[str, ...] = ()
    splits: Mapping[Split, SplitSummary] = field(default_factory=dict)
    notes: tuple[DataNote, ...] = ()
    """Everything that there is to say: how it was read, what was left out, warnings."""
    problems: tuple[BadSample, ...] = ()
    fingerprint: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """As the card has them: sizes, channels, rates."""

    @property
    def left_out(self) -> tuple[DataNote, ...]:
        """What is not learnt from, and why."""
        return tuple(note for note in self.notes if note.kind == "left-out")

    @property
    def warnings(self) -> tuple[DataNote, ...]:
        """What may be wrong with the data, though they can be trained on."""
        return tuple(note for note in self.notes if note.kind not in ("left-out", "reading"))

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "schema": SCHEMA,
            "source": self.source,
            "task": self.task,
            "format": self.format,
            "classes": list(self.classes),
            "splits": {
                name: {"items": split.items, "from": list(split.origins), "per_class": dict(split.per_class)}
                for name in SPLITS
                for split in (self.splits.get(name, SplitSummary()),)
            },
            "left_out": [
                {"what": note.what or str(note), "items": note.items, "why": str(note)} for note in self.left_out
            ],
            "warnings": [
                {"kind": note.kind, "items": note.items, "message": str(note), "examples": list(note.examples)}
                for note in self.warnings
            ],
            "problems": [
                {"file": problem.file, "line": problem.line, "reason": problem.reason, "fix": problem.fix}
                for problem in self.problems
            ],
            "fingerprint": self.fingerprint,
        }

    def lines(self) -> Iterator[str]:
        """The same for people."""
        read_in = f" in {self.encoding}" if self.encoding else ""
        yield f"data: {self.source}, read as {self.format}{read_in} for {self.task}"
        if self.classes:
            yield f"classes: {_few(self.classes)}"
        for name in SPLITS:
            split = self.splits.get(name, SplitSummary())
            per_class = [f"{label} {count:,}" for label, count in split.per_class.items()]
            counts = f" ({_few(per_class)})" if per_class else ""
            origins = [f"{_folder_name(self.source)}/" if origin == "." else origin for origin in split.origins]
            yield f"{name}: {split.items:,} from {_few(origins)}{counts}" if split.items else f"{name}: none"
        yield from _facts(self.facts)
        yield from (str(note) for note in self.notes if note.kind == "reading")
        yield from (str(note) for note in self.left_out)
        yield from (f"warning: {note}" for note in self.warnings)


def summarise(card: DataCard, *, task: str, notes: Iterable[str] = ()) -> DataSummary:
    """What a checked card says; `notes` are said beside its own."""
    splits = {
        split: SplitSummary(items=len(items), origins=_origins(card, split), per_class=_per_class(card, items))
        for split, items in card.splits.items()
    }
    said = [_note(note) for note in (*card.notes, *notes, *_range_notes(card))]
    return DataSummary(
        source=card.source.request.source,
        task=task,
        format=card.source.format,
        encoding=card.source.request.encoding,
        classes=card.classes,
        splits=splits,
        notes=(*said, *_small_splits(splits), *_absent_classes(splits, said)),
        fingerprint=card.fingerprint,
        facts=card.facts,
    )


def summarise_for(task: Task, card: DataCard, input: Input | None) -> DataSummary:
    """What a checked card says, and what a model's input does to the data, where a model is known."""
    notes = task.data.input_notes(card, input) if input is not None and isinstance(task.data, NotesInput) else ()
    return summarise(card, task=task.name, notes=notes)


def failed_summary(error: ZooError, *, source: str, task: str, format: str) -> DataSummary:
    """What is wrong with data that cannot be trained on."""
    problems = getattr(error, "problems", ()) or (BadSample(source, error.message, error.hint),)
    return DataSummary(source=source, task=task, format=format, problems=tuple(problems))


def _folder_name(source: str) -> str:
    """What a folder is called: the last part of its path, also of `.` and `..`."""
    name = PurePath(source).name
    return name if name not in ("", "..") else Path(source).resolve().name


def _note(note: str) -> DataNote:
    return note if isinstance(note, DataNote) else DataNote(note)


def _origins(card: DataCard, split: Split) -> tuple[str, ...]:
    """What the card says, else the folder or the few files that the samples of a split are named after."""
    if card.origins.get(split):
        return card.origins[split]
    if card.source.location is None:
        return (card.source.request.source,)
    location = card.source.location
    if card.root is None and location.is_file():
        return (location.name,)
    names = [BadSample(str(getattr(sample, "name", "")), "", "").file for sample in card.splits[split]]
    files = list(dict.fromkeys(names))
    if len(files) <= SHOWN_ORIGINS < len(names) or not all(files):
        return tuple(files)
    common = posixpath.commonpath([posixpath.dirname(name) for name in files])
    classed = common and card.classes and posixpath.basename(common) in card.classes
    common = posixpath.dirname(common) if classed else common
    return (f"{common}/" if common else ".",)


def _per_class(card: DataCard, samples: Sequence[Any]) -> dict[str, int]:
    """How many items, or objects, each class has; empty where samples have no classes."""
    counts: Counter[int] = Counter()
    for sample in samples:
        labels = getattr(sample, "labels", None)
        labels = getattr(sample, "present", None) if labels is None else labels
        labels = [getattr(sample, "label", -1)] if labels is None else labels
        counts.update(label for label in labels if isinstance(label, int) and label >= 0)
    return {name: counts[number] for number, name in enumerate(card.classes)} if counts else {}


def _range_notes(card: DataCard) -> Iterator[DataNote]:
    """How pictures of 16 bits that do not use all of them are brought to 8."""
    white = card.facts.get("white_level")
    if isinstance(white, int):
        message = (
            f"the pictures of 16 bits use {white.bit_length()} of them: levels from 0 to {white:,} become 0 to 255"
        )
        yield DataNote(message, kind="range")


def _small_splits(splits: Mapping[Split, SplitSummary]) -> Iterator[DataNote]:
    for name, split in splits.items():
        if split.items < FEW_ITEMS:
            items = counted(split.items, "item")
            what = "hardly anything can be learnt" if name == "train" else "its scores say little"
            yield DataNote(f"{name} has {items}: {what}", kind="small-split", items=split.items, examples=(name,))


def _absent_classes(splits: Mapping[Split, SplitSummary], said: Sequence[DataNote]) -> Iterator[DataNote]:
    """Classes that a split lacks, where the checks of the task have not said so."""
    if any(note.kind in ("missing-class", "empty") for note in said):
        return
    for name, split in splits.items():
        absent = [label for label, count in split.per_class.items() if not count]
        if absent:
            message = f"{name} has nothing of {', '.join(absent[:5])}{', …' if len(absent) > 5 else ''}"
            yield DataNote(message, kind="missing-class", items=len(absent), examples=absent[:5])


def _facts(facts: Mapping[str, Any]) -> Iterator[str]:
    """Sizes of pictures, rate of sounds, longest text."""
    height, width = facts.get("height"), facts.get("width")
    if isinstance(height, list) and isinstance(width, list):
        colour = "grey" if facts.get("channels") == 1 else "colour"
        yield f"pictures: {_range(width)} pixels wide, {_range(height)} high, {colour}"
    if isinstance(facts.get("sample_rate"), int):
        yield f"sounds: {facts['sample_rate']:,} samples a second, {facts.get('samples', 0):,} samples"
    if isinstance(facts.get("longest"), int):
        yield f"texts: at most {facts['longest']:,} characters"


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _few(names: Sequence[str]) -> str:
    more = f", … and {len(names) - SHOWN_CLASSES:,} more" if len(names) > SHOWN_CLASSES else ""
    return ", ".join(names[:SHOWN_CLASSES]) + more
