"""What labels must be before anybody learns from them: classes from train, the same in every split."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches

from zoo.api.data import DataNote, Split, counted
from zoo.api.errors import BadSample
from zoo.data.formats.samples import FileRow

LISTED = re.compile(r"""[\[({]\s*(['"].*|[\d\s.]+,[\d\s.,]+)[\])}]""", re.DOTALL)
"""A label that is written as a list."""
MOST_LABELS = 10
MOST_CLASSES = 0.6
"""Of all items: where more than ten classes are more than this share of them, labels are no classes."""
MISSING = frozenset({"nan", "null", "none", "n/a", "na", "<na>", "#n/a", "undefined"})
"""What programs write into a table where a label is missing; it may be the name of a class as well."""
IMBALANCE = 100
"""A largest class that many times the smallest is worth a note."""


def classes_of(rows: Sequence[FileRow]) -> tuple[str, ...]:
    """The labels of train (of everything, where the source has no splits), sorted as torchvision sorts them."""
    return tuple(sorted({row.label for row in rows if row.split in (None, "train")}))


def label_problems(rows: Sequence[FileRow], classes: Sequence[str], *, new_labels: bool = False) -> list[BadSample]:
    """Too few classes, nearly as many as there are items, and those that train does not have.

    With `new_labels` the labels are no classes to choose from, but say which items belong together: two items may be
    all that there is of each.
    """
    problems = [
        BadSample(ascii(label)[1:-1], "the name of this class is not valid UTF-8", "rename it")
        for label in classes
        if any("\ud800" <= letter <= "\udfff" for letter in label)  # as Python reads such bytes
    ]
    if len(classes) == 1:
        problems.append(BadSample(classes[0], "there is only this class", "add items of at least one other class"))
    several = next((label for label in classes if LISTED.fullmatch(label)), None)
    if several is not None:
        reason = "this label is a list: an item of several classes"
        problems.append(BadSample(several, reason, "write one class an item: zoo learns one label each"))
    count = sum(row.split in (None, "train") for row in rows)
    if not new_labels and len(classes) > max(MOST_LABELS, MOST_CLASSES * count):
        reason = f"the {count:,} training items have {len(classes):,} different labels: hardly two of one class"
        fix = "if these are numbers to predict or names of items, --label-column names the column of classes"
        problems.append(BadSample(f"{classes[0]}, {classes[1]}, …", reason, fix))
    extra = Counter((row.split, row.label) for row in rows if row.label not in classes)
    for (split, label), count in sorted(extra.items(), key=str):
        near = _near(label, classes)
        fix = "if it is the same class, give it the same name" if near else "add items of it to train"
        reason = f"{counted(count, 'item')} of a class that train does not have{near}"
        problems.append(BadSample(f"{split}: {label}", reason, fix))
    return problems


def label_notes(rows: Sequence[FileRow], classes: Sequence[str]) -> list[str]:
    """Sentences on classes that are rare, that a split lacks, or whose names are nearly one."""
    notes: list[str] = []
    folded: dict[str, str] = {}
    for name in classes:
        twin = folded.setdefault(_same(name), name)
        if twin != name:
            message = f"{twin!r} and {name!r} are taken for two classes"
            notes.append(DataNote(message, kind="similar-classes", items=2, examples=(twin, name)))
    counts: dict[Split | None, Counter[str]] = {}
    for row in rows:
        counts.setdefault(row.split, Counter())[row.label] += 1
    for split, labels in counts.items():
        absent = [name for name in classes if name not in labels]
        if split not in (None, "train") and absent:
            message = f"{split} has nothing of {', '.join(absent[:5])}{', …' if len(absent) > 5 else ''}"
            notes.append(DataNote(message, kind="missing-class", items=len(absent), examples=absent[:5]))
    for name in classes:
        if name.strip().lower() in MISSING:
            items = sum(labels[name] for labels in counts.values())
            message = (
                f"{counted(items, 'item is', 'items are')} of the class {name!r}, which programs write for no label"
            )
            notes.append(DataNote(message, kind="unlabelled", items=items, examples=(name,)))
    train = counts.get("train", Counter()) + counts.get(None, Counter())
    most, least = max(train, key=lambda name: train[name]), min(train, key=lambda name: train[name])
    if train[most] > IMBALANCE * train[least]:
        message = f"{most} has {train[most]:,} items and {least} only {train[least]:,}: rare classes are learnt badly"
        notes.append(DataNote(message, kind="imbalance", items=train[least], examples=(most, least)))
    return notes


def _same(name: str) -> str:
    """What two spellings of one class have in common: "Cat" and "cat ", "1" and "1.0"."""
    try:
        return f"{float(name):g}"
    except ValueError:
        return name.casefold().strip()


def _near(label: str, classes: Sequence[str]) -> str:
    folded = {name.casefold(): name for name in classes}
    close = get_close_matches(label.casefold(), folded, n=1, cutoff=0.8)
    return f" (train has {folded[close[0]]!r})" if close else ""
