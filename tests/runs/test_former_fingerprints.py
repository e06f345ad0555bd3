"""Data are known again by the fingerprint that zoo 0.1 gave them, which went by the sizes of files."""

from __future__ import annotations

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.data.formats.samples import Sample, fingerprint

SPLITS: dict[Split, tuple[Sample, ...]] = {"train": (Sample("a/0.png", 0, size=880, content="c" * 64),)}
BY_0_1 = fingerprint("class-folders", ("a",), {"train": (Sample("a/0.png", 0, size=880),)})


def card(now: str, former: str = "") -> DataCard:
    source = DataSource(request=DataRequest(source="photos"), format="class-folders")
    return DataCard(source=source, splits={}, fingerprint=now, former_fingerprint=former)


def test_sizes_give_the_fingerprint_of_then() -> None:
    assert fingerprint("class-folders", ("a",), SPLITS, by_size=True) == BY_0_1
    assert fingerprint("class-folders", ("a",), SPLITS) != BY_0_1


def test_either_fingerprint_is_that_of_the_data() -> None:
    assert card("now", "then").has_fingerprint("now") and card("now", "then").has_fingerprint("then")
    assert not card("now", "then").has_fingerprint("other")
    assert not card("now").has_fingerprint("")
