"""From a listing to a DataCard: labels, files, splits and duplicates checked, everything said, nothing left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from zoo.api.data import DataCard, DataNote, DataSource, NoteKind, Split, counted
from zoo.api.errors import DataError
from zoo.api.problem import Json
from zoo.api.task import Progress
from zoo.data.formats.bad_samples import failed, note_bad, share_left_out
from zoo.data.formats.duplicates import double_notes, leak_notes
from zoo.data.formats.inspection import Facts, Inspect, Inspection, inspect_files
from zoo.data.formats.labels import classes_of, label_notes, label_problems
from zoo.data.formats.samples import FileListing, FileRow, Sample, fingerprint, origins_of
from zoo.data.formats.splits import Ratios, divided


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a task's samples are: how to look into one, and what to make of what was seen."""

    word: str
    """What several are called: "pictures"."""
    version: str
    """Names the inspecting code and its libraries."""
    inspect: Inspect
    """Facts of one file: "sha256" of its bytes, "traits" (list of names), and whatever `summarise` reads."""
    traits: Mapping[str, str]
    """A sentence per trait, with {count}."""
    summarise: Callable[[Iterable[Facts]], dict[str, Json]]
    """All facts -> the facts of the card."""
    trait_kinds: Mapping[str, NoteKind] = field(default_factory=dict)
    """What a trait warns of; those that are not named only say how a file was read."""


Divide = Callable[[Sequence[FileRow], Inspection], tuple[dict[Split, tuple[Sample, ...]], list[str]]]
"""(rows, what was seen in their files) -> the samples of every split, and what must be said about it."""


def check_listing(
    source: DataSource,
    listing: FileListing,
    kind: Kind,
    *,
    labelled: bool,
    progress: Progress,
    divide: Divide | None = None,
) -> DataCard:
    """The card of a listing; DataError with every problem, those of names before any file is opened.

    `divide` makes the splits where they are not those of classes.
    """
    where = source.location or source.request.source
    classes = classes_of(listing.rows) if labelled else ()
    if not listing.rows and not listing.problems:
        raise DataError(f"{where} names no {kind.word}")
    if not any(row.split in (None, "train") for row in listing.rows) and not listing.problems:
        raise DataError(f"{where} has no {kind.word} to train on", hint="one split must be called train")
    problems = [*listing.problems, *(label_problems(listing.rows, classes) if labelled else ())]
    if problems:
        raise failed(where, problems, hint=f"nothing was trained, and the {kind.word} were not looked into yet")
    skip = source.request.on_bad_sample == "skip"
    names = [row.name for row in listing.rows]
    seen = inspect_files(
        listing.root, names, kind.inspect, version=kind.version, progress=progress, stop_early=not skip
    )
    notes = [*source.notes, *listing.notes, *_bad_samples(where, names, seen, word=kind.word, skip=skip)]
    rows = [row for row in listing.rows if row.name in seen.facts]
    splits, split_notes = (
        divide(rows, seen) if divide else make_splits(rows, classes, seen, ratios=source.request.ratios)
    )
    notes += split_notes
    notes += label_notes(rows, classes) if labelled else ()
    notes += _trait_notes(seen, kind)
    notes += duplicate_notes(splits, word=kind.word)
    return DataCard(
        source=source,
        splits=splits,
        classes=classes,
        facts=kind.summarise(seen.facts.values()),
        fingerprint=fingerprint(source.format, classes, splits),
        former_fingerprint=fingerprint(source.format, classes, splits, by_size=True),
        notes=tuple(notes),
        root=listing.root,
        origins=origins_of(listing.origins, splits),
    )


def make_splits(
    rows: Sequence[FileRow], classes: Sequence[str], seen: Inspection, *, ratios: Ratios | None = None
) -> tuple[dict[Split, tuple[Sample, ...]], list[str]]:
    """The samples of every split in the order of their names; validation is held out of train where there is none."""
    numbers = {name: number for number, name in enumerate(classes)}
    splits: dict[Split, list[Sample]] = {"train": [], "validation": [], "test": []}
    for row in sorted(rows, key=lambda row: row.name):
        splits[row.split or "train"].append(seen_sample(row.name, numbers.get(row.label, -1), seen))
    return with_validation(splits, ratios=ratios)


def seen_sample(name: str, label: int, seen: Inspection) -> Sample:
    """The sample of a file that was looked into."""
    return Sample(name, label, size=seen.sizes[name], content=str(seen.facts[name]["sha256"]))


def with_validation(
    splits: dict[Split, list[Sample]], *, ratios: Ratios | None = None
) -> tuple[dict[Split, tuple[Sample, ...]], list[str]]:
    """The same splits, a tenth of train (or as `ratios` say) held out by the hash of its name where there is none."""
    return divided(
        splits, ratios=ratios, name=lambda item: item.name, group=lambda item: item.label, noun="training items"
    )


def duplicate_notes(splits: Mapping[Split, Sequence[Sample]], *, word: str) -> list[str]:
    """Sentences on equal files in two splits or under two classes."""
    contents = {split: [(item.name, item.content) for item in items] for split, items in splits.items()}
    notes = [*leak_notes(contents, word=word), *double_notes(contents, word=word)]
    first: dict[str, Sample] = {}
    torn: dict[str, str] = {}
    for item in (item for items in splits.values() for item in items):
        earlier = first.setdefault(item.content, item)
        if earlier.label != item.label:
            torn.setdefault(item.content, f"{earlier.name} and {item.name}")
    if torn:
        message = counted(len(torn), f"{word[:-1]} stands", f"{word} stand")
        message += f" under two classes, such as {next(iter(torn.values()))}"
        notes.append(DataNote(message, kind="conflict", items=len(torn), examples=[*torn.values()][:5]))
    return notes


def _bad_samples(where: object, names: Sequence[str], seen: Inspection, *, word: str, skip: bool) -> list[str]:
    bad = len(seen.problems)
    if not bad:
        return []
    looked = "" if seen.complete else f"; only a sample of {len(seen.facts) + bad:,} was looked at"
    share = share_left_out(where, seen.problems, bad=bad, total=len(names), skip=skip, looked=looked)
    shown = ", ".join(f"{problem.where} ({problem.reason})" for problem in seen.problems[:5])
    message = f"left out {bad} bad samples ({share:.2%}) as asked: {shown}{', …' if bad > 5 else ''}"
    return [note_bad(message, seen.problems, what=f"bad {word}", items=bad)]


def _trait_notes(seen: Inspection, kind: Kind) -> list[str]:
    counts: Counter[str] = Counter()
    for facts in seen.facts.values():
        traits = facts.get("traits")
        counts.update(str(trait) for trait in (traits if isinstance(traits, list) else []))
    return [
        DataNote(
            sentence.format(count=f"{counts[name]:,}"), kind=kind.trait_kinds.get(name, "reading"), items=counts[name]
        )
        for name, sentence in kind.traits.items()
        if counts[name]
    ]
