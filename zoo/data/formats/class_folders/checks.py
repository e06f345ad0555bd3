"""From a listing to a DataCard: labels, files, splits and duplicates checked, everything said, nothing left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from zoo.api.data import DataCard, DataSource, Split
from zoo.api.errors import DataError
from zoo.api.problem import Json
from zoo.api.task import Progress
from zoo.data.formats.bad_samples import failed, share_left_out
from zoo.data.formats.inspection import Facts, Inspect, Inspection, inspect_files
from zoo.data.formats.labels import classes_of, label_notes, label_problems
from zoo.data.formats.samples import Listing, Row, Sample, fingerprint
from zoo.data.formats.splits import hold_out


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


Divide = Callable[[Sequence[Row], Mapping[str, int]], tuple[dict[Split, tuple[Sample, ...]], list[str]]]
"""(rows, sizes by name) -> the samples of every split, and what must be said about it."""


def check_listing(
    source: DataSource,
    listing: Listing,
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
    notes = [*listing.notes, *_bad_samples(where, names, seen, skip=skip)]
    rows = [row for row in listing.rows if row.name in seen.facts]
    splits, split_notes = divide(rows, seen.sizes) if divide else make_splits(rows, classes, sizes=seen.sizes)
    notes += split_notes
    notes += label_notes(rows, classes) if labelled else ()
    notes += _trait_notes(seen, kind)
    notes += duplicate_notes(splits, seen, word=kind.word)
    return DataCard(
        source=source,
        splits=splits,
        classes=classes,
        facts=kind.summarise(seen.facts.values()),
        fingerprint=fingerprint(source.format, classes, splits),
        notes=tuple(notes),
    )


def make_splits(
    rows: Sequence[Row], classes: Sequence[str], *, sizes: Mapping[str, int]
) -> tuple[dict[Split, tuple[Sample, ...]], list[str]]:
    """The samples of every split in the order of their names; validation is held out of train where there is none."""
    numbers = {name: number for number, name in enumerate(classes)}
    splits: dict[Split, list[Sample]] = {"train": [], "validation": [], "test": []}
    for row in sorted(rows, key=lambda row: row.name):
        splits[row.split or "train"].append(Sample(row.name, numbers.get(row.label, -1), size=sizes.get(row.name, 0)))
    return with_validation(splits)


def with_validation(splits: dict[Split, list[Sample]]) -> tuple[dict[Split, tuple[Sample, ...]], list[str]]:
    """The same splits, a tenth of train held out by the hash of its name where validation is empty."""
    notes = []
    if not splits["validation"]:
        held = hold_out(splits["train"], name=lambda item: item.name, group=lambda item: item.label)
        splits = {**splits, "train": held[0], "validation": held[1]}
        notes.append(
            f"{len(held[1]):,} of {sum(map(len, held)):,} training items were held out for validation, by the hash of "
            "their names"
        )
        if not held[1]:
            raise DataError("there are too few samples to hold any out for validation", hint="add more")
    return {name: tuple(items) for name, items in splits.items() if items}, notes


def duplicate_notes(splits: Mapping[Split, Sequence[Sample]], seen: Inspection, *, word: str) -> list[str]:
    """Sentences on equal files in two splits or under two classes."""
    places: defaultdict[str, list[tuple[Split, Sample]]] = defaultdict(list)
    for split, items in splits.items():
        for item in items:
            places[str(seen.facts[item.name]["sha256"])].append((split, item))
    twins = [found for found in places.values() if len(found) > 1]
    notes = []
    leaked = [found for found in twins if len({split for split, _ in found}) > 1]
    if leaked:
        (_, first), (_, second) = leaked[0][0], next(one for one in leaked[0] if one[0] != leaked[0][0][0])
        notes.append(
            f"{len(leaked)} {word} are in two splits at once, such as {first.name} and {second.name}: "
            "the scores will flatter"
        )
    torn = [found for found in twins if len({item.label for _, item in found}) > 1]
    if torn:
        first, second = torn[0][0][1], next(item for _, item in torn[0] if item.label != torn[0][0][1].label)
        notes.append(f"{len(torn)} {word} stand under two classes, such as {first.name} and {second.name}")
    return notes


def _bad_samples(where: object, names: Sequence[str], seen: Inspection, *, skip: bool) -> list[str]:
    bad = len(seen.problems)
    if not bad:
        return []
    looked = "" if seen.complete else f"; only a sample of {len(seen.facts) + bad:,} was looked at"
    share = share_left_out(where, seen.problems, bad=bad, total=len(names), skip=skip, looked=looked)
    shown = ", ".join(f"{one.where} ({one.reason})" for one in seen.problems[:5])
    return [f"left out {bad} bad samples ({share:.2%}) as asked: {shown}{', …' if bad > 5 else ''}"]


def _trait_notes(seen: Inspection, kind: Kind) -> list[str]:
    counts: Counter[str] = Counter()
    for facts in seen.facts.values():
        traits = facts.get("traits")
        counts.update(str(trait) for trait in (traits if isinstance(traits, list) else []))
    return [kind.traits[name].format(count=f"{counts[name]:,}") for name in kind.traits if counts[name]]
