"""Identities are held out whole, and what cannot be learnt from or verified is named with its fix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.builtin import builtin_task
from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError
from zoo.data.embedded import digits
from zoo.data.formats.identities.folders import hold_out_identities
from zoo.data.formats.samples import FileRow
from zoo.data.image.reading import reader, stacked

Paint = Callable[..., Path]
TASK = builtin_task("image-embedding")


def card(path: Path | str, *, skip: bool = False, root: Path | None = None) -> DataCard:
    request = DataRequest(source=str(path), root=root, on_bad_sample="skip" if skip else "error")
    return TASK.data.check(TASK.data.detect(request), progress=lambda *_: None)


def refused(path: Path) -> list[tuple[str, str]]:
    with pytest.raises(DataError) as caught:
        card(path)
    assert all(one.fix for one in caught.value.problems)
    return [(one.where, one.reason) for one in caught.value.problems]


def people(paint: Paint, *names: str, count: int = 3) -> None:
    for name in names:
        for number in range(1, count + 1):
            paint(f"{name}/{name.rpartition('/')[2]}_{number:04d}.png")


def test_whole_identities_are_held_out_by_the_hash_of_their_names(paint: Paint, tmp_path: Path) -> None:
    names = [f"person {number}" for number in range(12)]
    people(paint, *names)
    found = card(tmp_path)
    held = hold_out_identities([FileRow(f"{name}/1.png", name) for name in names])
    assert found.counts() == {"train": 30, "validation": 6}
    assert {sample.name.split("/")[0] for sample in found.splits["validation"]} == held
    assert found.facts["identities"] == 10
    assert {sample.label for sample in found.splits["train"]} == set(range(10))
    assert {sample.label for sample in found.splits["validation"]} == {10, 11}
    assert "2 of 12 identities were held out for validation, by the hash of their names" in found.notes
    assert found.classes == ()


def test_another_identity_leaves_the_others_where_they_were() -> None:
    names = [f"person {number}" for number in range(200)]
    before = hold_out_identities([FileRow(name, name) for name in names])
    after = hold_out_identities([FileRow(name, name) for name in [*names, "somebody new"]])
    assert before == after - {"somebody new"}
    assert 10 <= len(before) <= 35


def test_identities_of_one_picture_are_named_or_left_out_as_asked(paint: Paint, tmp_path: Path) -> None:
    people(paint, *"abcdef")
    people(paint, "lonely", count=1)
    assert refused(tmp_path) == [("lonely", "this identity has one picture, and two are needed")]
    found = card(tmp_path, skip=True)
    assert found.facts["identities"] == 4
    assert "left out 1 identities of one picture as asked: lonely" in found.notes


def test_too_few_identities_are_refused(paint: Paint, tmp_path: Path) -> None:
    people(paint, "a", "b", "c")
    assert refused(tmp_path) == [(tmp_path.name, "3 identities of two pictures or more, and 4 are needed")]


def test_folders_of_splits_are_honoured_and_shared_identities_told(paint: Paint, tmp_path: Path) -> None:
    people(paint, "train/a", "train/b", "val/c", "val/a", "test/d", "test/e")
    found = card(tmp_path)
    assert found.counts() == {"train": 6, "validation": 6, "test": 6}
    assert found.facts["identities"] == 2
    assert "1 identities are in validation and learnt from too, such as a: the scores will flatter" in found.notes


def test_identities_that_pairs_name_are_for_testing(paint: Paint, tmp_path: Path) -> None:
    people(paint, *"abcdef")
    (tmp_path / "pairs.txt").write_text("1 1\na 1 3\na 2 b 1\n")
    found = card(tmp_path)
    names = [sample.name for sample in found.splits["test"]]
    assert names == [f"{who}/{who}_{number:04d}.png" for who in "ab" for number in (1, 2, 3)]
    assert found.facts["pairs"] == [[0, 2, 1], [1, 3, 0]]
    assert not any("not pictures" in note for note in found.notes)


def test_pairs_that_name_missing_files_or_contradict_the_folders_are_refused(paint: Paint, tmp_path: Path) -> None:
    people(paint, *"abcdef")
    (tmp_path / "pairs.csv").write_text(
        "a,b,same\na/a_0001.png,a/gone.png,1\na/a_0001.png,b/b_0001.png,1\na/a_0001.png,a/a_0002.png,1\n"
    )
    assert refused(tmp_path) == [
        ("pairs.csv line 2", "no picture a/gone.png"),
        ("pairs.csv", "a/a_0001.png and b/b_0001.png are not in one folder"),
    ]


def test_pairs_alone_are_something_to_evaluate_on(paint: Paint, tmp_path: Path) -> None:
    people(paint, "ann", "bob")
    file = tmp_path / "pairs.csv"
    file.write_text("a,b,same\nann/ann_0001.png,ann/ann_0002.png,1\nann/ann_0001.png,bob/bob_0003.png,0\n")
    found = card(file)
    assert found.counts() == {"test": 3}
    assert found.facts["pairs"] == [[0, 1, 1], [0, 2, 0]]
    assert reader(found)(found.splits["test"][2]).shape == (5, 6, 3)
    (tmp_path / "view2.txt").write_text("ann 1 2\nann 1 bob 3\n")
    assert card(tmp_path / "view2.txt").facts["pairs"] == [[0, 1, 1], [0, 2, 0]]


def test_a_table_of_labels_names_identities(paint: Paint, tmp_path: Path) -> None:
    lines = [f"{paint(f'{number}.png').name},who {number % 5}" for number in range(15)]
    file = tmp_path / "people.csv"
    file.write_text("\n".join(["path,label", *lines]))
    assert card(file).counts() == {"train": 9, "validation": 6}


def test_the_digits_are_identities_in_eight_positions() -> None:
    found = card("digits")
    data = digits.load()
    assert found.facts["identities"] == 50
    learnt, held = ({sample.label for sample in found.splits[name]} for name in ("train", "validation"))
    assert learnt == set(range(50)) and held == set(range(50, 56))
    test = found.splits["test"]
    assert {int(data.test_labels[sample.index]) for sample in test} == {7, 8, 9}
    assert len(test) == int((data.test_labels >= 7).sum())
    assert {int(data.train_labels[sample.index]) for sample in found.splits["train"]} == set(range(7))


def test_a_digit_is_turned_as_its_sample_says() -> None:
    found = card("digits")
    chosen = range(0, len(found.splits["train"]), 1000)
    samples = [found.splits["train"][place] for place in chosen]
    whole = stacked(found, "train")
    assert whole is not None
    for place, sample in zip(chosen, samples, strict=True):
        turn = int(sample.name.rpartition("/")[2])
        plain = digits.load().train_images[sample.index]
        assert np.array_equal(whole[place], np.rot90(plain[:, ::-1] if turn > 3 else plain, turn % 4))
        assert np.array_equal(reader(found)(sample)[..., 1], whole[place])
    assert len({sample.name.rpartition("/")[2] for sample in samples}) > 4


def test_a_split_in_which_nothing_can_be_verified_is_refused(paint: Paint, tmp_path: Path) -> None:
    people(paint, "train/a", "train/b", "val/c", "val/d")
    people(paint, "test/e", "test/f", count=1)
    assert refused(tmp_path) == [
        ("test", "2 identities, the largest of 1 pictures: nothing can be verified"),
    ]


def test_pairs_of_one_kind_are_refused(paint: Paint, tmp_path: Path) -> None:
    people(paint, "ann")
    (tmp_path / "pairs.csv").write_text("a,b,same\nann/ann_0001.png,ann/ann_0002.png,1\n")
    with pytest.raises(DataError, match="1 pairs are all of one kind"):
        card(tmp_path / "pairs.csv")
