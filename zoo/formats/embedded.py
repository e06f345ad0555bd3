"""The card of the embedded digits."""

from __future__ import annotations

from zoo.data_card import DataCard, DataSource, Split
from zoo.formats.samples import Sample, fingerprint

DIGITS = "digits"


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
