"""The card of the embedded digits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from zoo.api.data import DataCard, DataSource, Split
from zoo.data.formats.identities.folders import HELD_OUT
from zoo.data.formats.samples import Sample, fingerprint
from zoo.data.formats.splits import place

DIGITS = "digits"
TURNED: Final = "turned-digits"
"""The format of the digits in eight positions, as identities; asked for by the same name."""
LEARNT: Final = 7
"""Digits below this are learnt as identities, the others are held out."""


def digits_card(source: DataSource, *, labelled: bool = True) -> DataCard:
    """9,000 pictures to learn from, 1,000 to choose by, 2,000 to be tested on; nothing needs checking."""
    from zoo.data.embedded import digits  # noqa: PLC0415  decoding them takes a tenth of a second

    classes = digits.CLASSES if labelled else ()
    splits, digest = _digits(labelled)
    return DataCard(
        source=source,
        splits=dict(splits),
        classes=classes,
        facts={"channels": 1, "height": [digits.SIDE, digits.SIDE], "width": [digits.SIDE, digits.SIDE]},
        fingerprint=digest,
    )


@cache
def _digits(labelled: bool) -> tuple[Mapping[Split, tuple[Sample, ...]], str]:
    """The digits by split, and their fingerprint; the same for everybody who asks."""
    from zoo.data.embedded import digits  # noqa: PLC0415

    data = digits.load()
    splits: dict[Split, tuple[Sample, ...]] = {}
    names: tuple[Split, ...] = ("train", "validation", "test")
    for name in names:
        labels = data.split(name)[1].tolist() if labelled else [-1] * len(data.split(name)[1])
        splits[name] = tuple(Sample(f"{name}/{index}", label, index) for index, label in enumerate(labels))
    classes = digits.CLASSES if labelled else ()
    return splits, fingerprint(f"{DIGITS} {digits.IDENTITY}", classes, splits)


def turned_digits_card(source: DataSource) -> DataCard:
    """Identities made of digits: 0 to 6 in eight positions each, some held out for validation, and 7 to 9 for testing.

    A turned or mirrored digit is another identity.  The 7s, 8s and 9s are those of the test pictures, upright.
    """
    from zoo.data.embedded import digits  # noqa: PLC0415  decoding them takes a tenth of a second

    data = digits.load()
    every = [(digit, turn) for digit in range(LEARNT) for turn in range(digits.TURNS)]
    held_out = sorted(every, key=lambda position: place(f"{position[0]} turned {position[1]}"))[
        : round(HELD_OUT * len(every))
    ]
    learnt = {
        position: number for number, position in enumerate(position for position in every if position not in held_out)
    }
    held = {position: number for number, position in enumerate(held_out, len(learnt))}
    checked = _positions("validation", data.split("validation")[1].tolist(), held)
    splits: dict[Split, tuple[Sample, ...]] = {
        "train": tuple(_positions("train", data.split("train")[1].tolist(), learnt)),
        "validation": tuple(sorted(checked, key=lambda sample: sample.index)),
        "test": tuple(
            Sample(f"test/{index}/0", len(every) + label - LEARNT, index)
            for index, label in enumerate(data.test_labels.tolist())
            if label >= LEARNT
        ),
    }
    return DataCard(
        source=source,
        splits=splits,
        facts={"channels": 1, "identities": len(learnt)},
        fingerprint=fingerprint(f"{TURNED} {digits.IDENTITY}", (), splits),
        notes=(
            f"{len(learnt)} identities to learn: the digits 0 to {LEARNT - 1} in eight positions each; {len(held)} "
            f"more are held out for validation, and the digits {LEARNT} to 9 for testing",
        ),
    )


def _positions(split: Split, labels: Sequence[int], numbers: Mapping[tuple[int, int], int]) -> Iterator[Sample]:
    """A sample for each picture in each (digit, turn) with a number, all pictures in one position before the next."""
    for turn in sorted({turn for _, turn in numbers}):
        for index, digit in enumerate(labels):
            if (digit, turn) in numbers:
                yield Sample(f"{split}/{index}/{turn}", numbers[digit, turn], index)
