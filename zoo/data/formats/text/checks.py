"""From rows of text to a DataCard: labels, splits and duplicates checked, everything said, nothing left out."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from zoo.api.data import DataCard, DataNote, DataSource, Split, counted
from zoo.api.errors import BadSample, DataError, UsageError
from zoo.api.problem import Json
from zoo.api.task import Progress
from zoo.data.formats.bad_samples import failed, note_bad, share_left_out
from zoo.data.formats.labels import classes_of, label_notes, label_problems
from zoo.data.formats.samples import FileRow
from zoo.data.formats.splits import VALIDATION_SHARE, Ratios, check_ratios, divided, place
from zoo.data.formats.text.rows import Found, TextItem, TextNote, TextRow, named_files, shortened

TEXTS_PER_LABEL = 20
"""Texts per label from which on a tenth of them leaves enough to compare."""
SHORTEST = 1_000
"""Characters that a language model needs at least to learn from."""

TASKS = {"pictures": "--task image-classification", "sounds": "--task audio-generation, from their folder"}
"""Tasks that learn from files of a kind."""

SOME = 20
"""Texts that are looked at before all of them."""
Splits = dict[Split, tuple[TextItem, ...]]


def check_labelled(
    source: DataSource,
    entries: Iterable[Found],
    *,
    progress: Progress,
    new_labels: bool = False,
) -> DataCard:
    """The card of texts with labels; DataError lists everything that is wrong.

    With `new_labels` a split may have
    labels that train does not have, and where labels have few texts, whole labels are held out.
    """
    rows, notes = _usable(source, entries, progress)
    _refuse_names(source, rows)
    listed = [FileRow(row.where, row.label, row.split) for row in rows]
    classes = tuple(sorted({row.label for row in listed})) if new_labels else classes_of(listed)
    problems = label_problems(listed, classes, new_labels=new_labels)
    if problems:
        raise failed(_where(source), problems, hint="nothing was trained; put these right")
    splits, split_notes = _split_rows(
        rows, classes, whole=new_labels and len(rows) < TEXTS_PER_LABEL * len(classes), ratios=source.request.ratios
    )
    notes += [*split_notes, *(() if new_labels else label_notes(listed, classes)), *_duplicates(splits)]
    return _card(source, splits, classes, notes, {"longest": max(len(row.text) for row in rows)})


def _refuse_names(source: DataSource, rows: Sequence[TextRow]) -> None:
    """DataError where every line of the texts is the name of a picture, a sound or a video."""
    lines = [line for row in rows[:SOME] for line in row.text.split("\n") if line.strip()]
    kind = named_files(lines) and named_files(line for row in rows for line in row.text.split("\n") if line.strip())
    if kind:
        task = TASKS.get(kind, "")
        other = f", or take a model for {kind} ({task})" if task else ""
        raise DataError(
            f"the texts of {_where(source)} are names of {kind}, such as {lines[0].strip()}",
            hint=f"say --text-column for another column{other}",
        )


def check_corpus(source: DataSource, entries: Iterable[Found], *, progress: Progress) -> DataCard:
    """The card of running text; DataError where it cannot be read or is too short to learn from."""
    rows, notes = _usable(source, entries, progress)
    _refuse_names(source, rows)
    splits: dict[Split, list[TextItem]] = {"train": [], "validation": [], "test": []}
    for row in rows:
        splits[row.split or "train"].append(TextItem(row.text, name=row.where))
    shares = check_ratios(source.request.ratios)
    if source.request.ratios and (splits["validation"] or splits["test"]):
        raise UsageError("--ratios divides what has no splits, and the texts have some", hint="leave it out")
    for split, share in shares.items() if not splits["validation"] else ():
        kept = sum(value for other, value in shares.items() if splits[other])
        parts = [_cut(item, share / (1 - kept)) for item in splits["train"]]
        splits["train"] = [train for train, _ in parts if train.text]
        splits[split] = [last for _, last in parts if last.text]
        tenth = "tenth" if share == VALIDATION_SHARE else f"{share:.0%}"
        notes.append(f"the last {tenth} of every training text was held out for {split}")
    sizes = {name: sum(len(item.text) for item in items) for name, items in splits.items()}
    if sizes["train"] < SHORTEST or not sizes["validation"]:
        raise DataError(
            f"{_where(source)} has {sizes['train']:,} characters to learn from and {sizes['validation']:,} to validate "
            f"with; a language model needs at least {SHORTEST:,}",
            hint="give more text",
        )
    facts: dict[str, Json] = {"characters": {str(name): size for name, size in sizes.items()}}
    return _card(source, {name: tuple(items) for name, items in splits.items() if items}, (), notes, facts)


def _usable(source: DataSource, entries: Iterable[Found], progress: Progress) -> tuple[list[TextRow], list[str]]:
    """The good rows, and a note on what was skipped as asked; DataError otherwise."""
    rows: list[TextRow] = []
    problems: list[BadSample] = []
    notes: list[str] = [*source.notes]
    for done, entry in enumerate(entries, 1):
        if isinstance(entry, BadSample):
            problems.append(entry)
        elif isinstance(entry, TextNote):
            notes.append(entry.text)
        else:
            rows.append(entry)
        if done % 1000 == 0:
            progress(done, done)
    if problems:
        bad, skip = len(problems), source.request.on_bad_sample == "skip"
        share = share_left_out(_where(source), problems, bad=bad, total=len(rows) + bad, skip=skip)
        shown = ", ".join(f"{problem.where} ({problem.reason})" for problem in problems[:5])
        message = f"left out {bad} bad texts ({share:.2%}) as asked: {shown}"
        notes.append(note_bad(message, problems, what="bad texts", items=bad))
    if not any(row.split in (None, "train") for row in rows):
        raise DataError(f"{_where(source)} has no texts to train on", hint="add some, in the split train")
    return rows, notes


def _split_rows(
    rows: Sequence[TextRow], classes: Sequence[str], *, whole: bool, ratios: Ratios | None
) -> tuple[Splits, list[str]]:
    numbers = {name: number for number, name in enumerate(classes)}
    splits: dict[Split, list[TextItem]] = {"train": [], "validation": [], "test": []}
    for row in rows:
        splits[row.split or "train"].append(TextItem(row.text, numbers[row.label], row.where))
    if splits["validation"] or not whole or ratios:
        return divided(
            splits,
            ratios=ratios,
            name=lambda item: item.text,  # so that equal texts stay together
            group=lambda item: item.label,
            noun="training texts",
            by="hash of the text",
        )
    kept, held = hold_out_labels(splits["train"], classes)
    if not held:
        raise DataError("there are too few texts to hold any out for validation", hint="add more")
    splits |= {"train": kept, "validation": held}
    count = f"{len(held):,} of {len(kept) + len(held):,}"
    note = f"{count} training texts were held out for validation, by the hash of the label"
    return {name: tuple(items) for name, items in splits.items() if items}, [note]


def hold_out_labels(items: Sequence[TextItem], classes: Sequence[str]) -> tuple[list[TextItem], list[TextItem]]:
    """(kept, held out): all texts of those labels of two or more texts that the hash of their name holds out."""
    counts = Counter(item.label for item in items)
    ranked = sorted((label for label in counts if counts[label] > 1), key=lambda label: place(classes[label]))
    held = set(ranked[: max(1, round(len(counts) * VALIDATION_SHARE))])
    return [item for item in items if item.label not in held], [item for item in items if item.label in held]


def _cut(item: TextItem, share: float) -> tuple[TextItem, TextItem]:
    """A text and the share at its end, cut between two lines where there are lines."""
    at = int(len(item.text) * (1 - share))
    at = item.text.rfind("\n", 0, at) + 1 or at
    return replace(item, text=item.text[:at]), replace(item, text=item.text[at:])


def _duplicates(splits: Splits) -> list[str]:
    """Sentences on equal texts in two splits or under two classes."""
    occurrences: defaultdict[str, list[tuple[Split, TextItem]]] = defaultdict(list)
    for split, items in splits.items():
        for item in items:
            occurrences[item.text].append((split, item))
    leaked = [text for text, entries in occurrences.items() if len({split for split, _ in entries}) > 1]
    torn = [text for text, entries in occurrences.items() if len({item.label for _, item in entries}) > 1]
    notes: list[str] = []
    if leaked:
        some = repr(shortened(leaked[0]))
        are = counted(len(leaked), "text is", "texts are")
        message = f"{are} in two splits at once, such as {some}: the scores will flatter"
        notes.append(DataNote(message, kind="leak", items=len(leaked), examples=[*map(shortened, leaked[:5])]))
    if torn:
        message = (
            f"{counted(len(torn), 'text stands', 'texts stand')} under two classes, such as {shortened(torn[0])!r}"
        )
        notes.append(DataNote(message, kind="conflict", items=len(torn), examples=[*map(shortened, torn[:5])]))
    return notes


def _card(
    source: DataSource,
    splits: Splits,
    classes: Sequence[str],
    notes: Sequence[str],
    facts: Mapping[str, Json],
) -> DataCard:
    digest = hashlib.sha256("\0".join((source.format, *classes)).encode())
    for line in sorted(f"{split}\0{item.label}\0{item.text}" for split, items in splits.items() for item in items):
        digest.update(b"\n" + line.encode("utf-8", "surrogatepass"))
    return DataCard(
        source=source,
        splits=splits,
        classes=tuple(classes),
        facts=facts,
        fingerprint=digest.hexdigest(),
        notes=tuple(notes),
    )


def _where(source: DataSource) -> object:
    return source.location or source.request.source
