"""The card of the embedded digits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from zoo.data_card import DataCard, DataSource, Split
from zoo.formats.identities import HELD_OUT
from zoo.formats.samples import Sample, fingerprint
from zoo.formats.splits import place

DIGITS = "digits"
TURNED: Final = "turned-digits"
"""The format of the digits in eight positions, as identities; asked for by the same name."""
LEARNT: Final = 7
"""Digits below this are learnt as identities, the others are held out."""


def digits_card(source: DataSource, *, labelled: bool = True) -> DataCard:
    """9,000 pictures to learn from, 1,000 to choose by, 2,000 to be tested on; nothing needs checking."""
    from zoo.data import digits  # noqa: PLC0415  decoding them takes a tenth of a second

    data = digits.load()
    splits: dict[Split, tuple[Sample, ...]] = {}
    names: tuple[Split, ...] = ("train", "validation", "test")
    for name in names:
        labels = data.split(name)[1].tolist() if labelled else [-1] * len(data.split(name)[1])
        splits[name] = tuple(Sample(f"{name}/{index}", label, index) for index, label in enumerate(labels))
    classes = digits.CLASSES if labelled else ()
    return DataCard(
        source=source,
        splits=splits,
        classes=classes,
        facts={"channels": 1, "height": [digits.SIDE, digits.SIDE], "width": [digits.SIDE, digits.SIDE]},
        fingerprint=fingerprint(f"{DIGITS} {digits.SHA256}", classes, splits),
    )


def turned_digits_card(source: DataSource) -> DataCard:
    """Identities made of digits: 0 to 6 in eight positions each, some held out for validation, and 7 to 9 for testing.

    A turned or mirrored digit is another identity.  The 7s, 8s and 9s are those of the test pictures, upright.
    """
    from zoo.data import digits  # noqa: PLC0415  decoding them takes a tenth of a second

    data = digits.load()
    names = {f"{digit} turned {turn}": (digit, turn) for digit in range(LEARNT) for turn in range(digits.TURNS)}
    by_place = sorted(names, key=place)
    held = by_place[: round(HELD_OUT * len(names))]
    learnt = [name for name in names if name not in held]
    numbers = {names[name]: number for number, name in enumerate([*learnt, *held])}
    splits: dict[Split, tuple[Sample, ...]] = {
        "train": tuple(_positions(data.split("train")[1].tolist(), "train", {names[name] for name in learnt}, numbers)),
        "validation": tuple(
            _positions(data.split("validation")[1].tolist(), "validation", {names[name] for name in held}, numbers)
        ),
        "test": tuple(
            Sample(f"test/{index}/0", len(names) + label - LEARNT, index)
            for index, label in enumerate(data.test_labels.tolist())
            if label >= LEARNT
        ),
    }
    return DataCard(
        source=source,
        splits=splits,
        facts={"channels": 1, "identities": len(learnt)},
        fingerprint=fingerprint(f"{TURNED} {digits.SHA256}", (), splits),
        notes=(
            f"{len(learnt)} identities to learn: the digits 0 to {LEARNT - 1} in eight positions each; {len(held)} "
            f"more are held out for validation, and the digits {LEARNT} to 9 for testing",
        ),
    )


def _positions(
    labels: Sequence[int],
    split: Split,
    wanted: Collection[tuple[int, int]],
    numbers: Mapping[tuple[int, int], int],
) -> Iterator[Sample]:
    """A sample for each picture in each wanted (digit, turn)."""
    turns = {digit: sorted(turn for one, turn in wanted if one == digit) for digit in range(LEARNT)}
    for index, digit in enumerate(labels):
        for turn in turns.get(digit, ()):
            yield Sample(f"{split}/{index}/{turn}", numbers[digit, turn], index)
