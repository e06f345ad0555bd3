"""Identity folders: one folder per person or thing, some of them held out whole, and pairs to verify."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from zoo.api.data import DataCard, DataNote, DataRequest, DataSource, Split
from zoo.api.errors import BadSample, DataError, UsageError
from zoo.api.problem import Json
from zoo.api.task import Progress
from zoo.data.formats.class_folders.checks import Kind, check_listing, seen_sample
from zoo.data.formats.class_folders.tree import list_class_folders
from zoo.data.formats.detect import read_source
from zoo.data.formats.identities.pairs import beside, read_pairs, resolve
from zoo.data.formats.inspection import Inspection
from zoo.data.formats.samples import FileListing, FileRow, Sample
from zoo.data.formats.splits import place
from zoo.data.formats.text_files import encoding_of

HELD_OUT: Final = 0.1
"""Share of the identities that are held out for validation where the source has none."""
FEWEST: Final = 2
"""Identities that a split needs: one identity alone gives no pair of different ones."""
TEST: Final[Split] = "test"
Splits = dict[Split, tuple[Sample, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """A listing whose labels are identities, with the pairs to verify as names of files."""

    listing: FileListing
    pairs: Sequence[tuple[str, str, bool]] = ()


def check_identities(source: DataSource, kind: Kind, *, progress: Progress) -> DataCard:
    """The card of identity folders, a table of path and label, or pairs alone; DataError with all that is wrong.

    Samples carry the number of their identity, those to learn from first; the fact `identities` counts these.  The
    fact `pairs` lists [position, position, 1 or 0] in the test split, where the source names pairs.
    """
    if source.request.ratios:
        raise UsageError("--ratios does not divide identities", hint="they are held out whole; leave it out")
    listing: FileListing | Identities = read_source(source)
    identities = listing if isinstance(listing, Identities) else Identities(listing=listing)
    paired = source.format == "pairs"
    identities = identities if paired else _with_enough(identities, skip=source.request.on_bad_sample == "skip")
    divide = _only_test if paired else split_by_identity
    card = check_listing(source, identities.listing, kind, labelled=False, progress=progress, divide=divide)
    facts: dict[str, Json] = {"identities": len({sample.label for sample in card.splits.get("train", ())})}
    if identities.pairs:
        facts["pairs"] = _by_index(identities.pairs, card.splits[TEST])
    return replace(card, facts={**card.facts, **facts})


def list_identities(location: Path, *, request: DataRequest) -> Identities:
    """Identity folders, and the pairs in a file beside them."""
    file = beside(location) or beside(location.parent)
    listing = list_class_folders(
        location, known=(file.name,) if file and file.parent == location else (), request=request
    )
    return Identities(listing=listing) if file is None else _with_pairs(listing, file, encoding_of(request))


def list_pairs(location: Path, *, request: DataRequest) -> Identities:
    """The pictures that a file of pairs names; nothing to learn from."""
    read, root = read_pairs(location, request.encoding), request.root or location.parent
    names = sorted({name for pair in read.pairs for name in (pair.first, pair.second)})
    files = [picture for name in names if (picture := _file(root, name))]
    pairs, missing = resolve(read.pairs, files)
    listing = FileListing(root=root, rows=[FileRow(name) for name in files], problems=[*read.problems, *missing])
    return Identities(listing=listing, pairs=pairs)


def _file(root: Path, name: str) -> str:
    """The name of a picture below the root; LFW's names come without a suffix."""
    if (root / name).is_file():
        return name
    suffixes = (".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".bmp", ".webp")
    return next((name + suffix for suffix in suffixes if (root / (name + suffix)).is_file()), "")


def _with_pairs(listing: FileListing, file: Path, encoding: str) -> Identities:
    """The identities that pairs name are for testing, whole, whatever folder they lie in."""
    read = read_pairs(file, encoding)
    pairs, missing = resolve(read.pairs, (row.name for row in listing.rows))
    labels = {row.name: row.label for row in listing.rows}
    named = {labels[name] for first, second, _ in pairs for name in (first, second)}
    wrong = [
        BadSample(f"{file.name}", f"{first} and {second} are {'not ' if same else ''}in one folder", "correct the line")
        for first, second, same in pairs
        if same != (labels[first] == labels[second])
    ]
    rows = [replace(row, split=TEST) if row.label in named else row for row in listing.rows]
    problems = [*listing.problems, *read.problems, *missing, *wrong]
    note = f"{len(named)} identities are named in {file.name}: they are for testing, and nothing is learnt from them"
    return Identities(listing=replace(listing, rows=rows, problems=problems, notes=[*listing.notes, note]), pairs=pairs)


def _with_enough(identities: Identities, *, skip: bool) -> Identities:
    """Identities to learn from need two pictures each; those of one are a problem, or left out where that was asked."""
    listing = identities.listing
    counts = Counter(row.label for row in listing.rows if row.split in (None, "train"))
    single = sorted(label for label, count in counts.items() if count == 1 and label)
    rows, problems, notes = listing.rows, list(listing.problems), list(listing.notes)
    if single and skip:
        rows = [row for row in rows if row.label not in single or row.split not in (None, "train")]
        shown = ", ".join(single[:5]) + (", …" if len(single) > 5 else "")
        message = f"left out {len(single)} identities of one picture as asked: {shown}"
        what = "identities of one picture"
        notes.append(DataNote(message, kind="left-out", what=what, items=len(single), examples=single[:5]))
    elif single:
        fix = "add another, or leave all such identities out with --on-bad-sample skip"
        problems += [BadSample(label, "this identity has one picture, and two are needed", fix) for label in single]
    problems += _nothing_to_verify(identities)
    given = any(row.split == "validation" for row in rows)
    needed = FEWEST if given else 2 * FEWEST
    enough = len(counts) - len(single)
    if enough < needed and not problems:
        problems.append(
            BadSample(
                str(listing.root.name),
                f"{enough} identities of two pictures or more, and {needed} are needed",
                "add identities: some are learnt from, others, never seen in training, are verified",
            )
        )
    return replace(identities, listing=replace(listing, rows=rows, problems=problems, notes=notes))


def _nothing_to_verify(identities: Identities) -> Iterator[BadSample]:
    """Splits in which no pair is of one identity, or none of two."""
    for split in ("validation", TEST) if not identities.pairs else ("validation",):
        counts = Counter(row.label for row in identities.listing.rows if row.split == split)
        if counts and (len(counts) < FEWEST or max(counts.values()) == 1):
            reason = (
                f"{len(counts)} identities, the largest of {max(counts.values())} pictures: nothing can be verified"
            )
            yield BadSample(split, reason, "two identities are needed, one of them with two pictures")


def split_by_identity(rows: Sequence[FileRow], seen: Inspection) -> tuple[Splits, list[str]]:
    """The samples of every split, and what must be said; whole identities are held out by the hash of their names."""
    notes: list[str] = []
    held = hold_out_identities(rows) if not any(row.split == "validation" for row in rows) else frozenset()
    if held:
        total = len({row.label for row in rows if row.split in (None, "train")})
        notes.append(f"{len(held)} of {total} identities were held out for validation, by the hash of their names")
    split_of = {row.name: "validation" if row.label in held else row.split or "train" for row in rows}
    in_split: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        in_split[split_of[row.name]].add(row.label)
    for split in ("validation", TEST):
        both = sorted(in_split["train"] & in_split[split])
        if both:
            flatters = f"are in {split} and learnt from too, such as {both[0]}: the scores will flatter"
            message = f"{len(both)} identities {flatters}"
            notes.append(DataNote(message, kind="leak", items=len(both), examples=both[:5]))
    learnt = sorted(in_split["train"])
    numbers = {label: number for number, label in enumerate([*learnt, *sorted({r.label for r in rows} - {*learnt})])}
    splits: Splits = {}
    for split in ("train", "validation", TEST):
        chosen = sorted((row for row in rows if split_of[row.name] == split), key=lambda row: row.name)
        if chosen:
            splits[split] = tuple(seen_sample(row.name, numbers[row.label], seen) for row in chosen)
    return splits, notes


def hold_out_identities(rows: Sequence[FileRow]) -> frozenset[str]:
    """The identities held out of training: those whose place is below the share, two of them at the least."""
    labels = sorted({row.label for row in rows if row.split in (None, "train")}, key=place)
    return frozenset(labels[: max(FEWEST, sum(place(label) < HELD_OUT for label in labels))])


def _only_test(rows: Sequence[FileRow], seen: Inspection) -> tuple[Splits, list[str]]:
    named = sorted(rows, key=lambda row: row.name)
    return {TEST: tuple(seen_sample(row.name, -1, seen) for row in named)}, []


def _by_index(pairs: Sequence[tuple[str, str, bool]], samples: Sequence[Sample]) -> Json:
    """The pairs by their positions in a split; those of pictures that were left out as bad are gone with them."""
    positions = {sample.name: number for number, sample in enumerate(samples)}
    kept = [(positions.get(first), positions.get(second), int(same)) for first, second, same in pairs]
    left: list[Json] = [
        [first, second, same] for first, second, same in kept if first is not None and second is not None
    ]
    if {same for first, second, same in kept if first is not None and second is not None} != {0, 1}:
        raise DataError(
            f"{len(left)} pairs are all of one kind", hint="name pairs of one identity and pairs of two identities"
        )
    return left
