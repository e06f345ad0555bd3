"""Folders that stand for splits, in every task; what could be read in two ways is a question."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.builtin import builtin_task
from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError, UsageError
from zoo.data.audio import sources as sounds
from zoo.data.audio.mu_law import wave_bytes
from zoo.data.image import sources as images

Paint = Callable[..., Path]
SPELLINGS = [
    ("training", "testing"),
    ("Train", "Val"),
    ("TRAIN", "VALIDATION"),
    ("train", "dev"),
    ("training_set", "validation_set"),
    ("train2017", "val2017"),
    ("TrainImages", "TestImages"),
    ("seg_train", "seg_test"),
]


def silent(done: int, total: int) -> None:
    assert done <= total


def card(path: Path, *, labelled: bool = True, **options: Any) -> DataCard:
    accepted = ("class-folders", "csv") if labelled else ("image-folder", "csv")
    source = images.detect(DataRequest(source=str(path), **options), accepted=accepted)
    return images.check(source, labelled=labelled, progress=silent)


def fill(paint: Paint, *names: str, count: int = 4) -> None:
    for name in names:
        for number in range(count):
            paint(f"{name}/{number}.png")


def other_split(name: str) -> str:
    return "test" if "test" in name.lower() else "validation"


@pytest.mark.parametrize(("train", "other"), SPELLINGS)
def test_class_folders_of_any_spelling(train: str, other: str, paint: Paint, tmp_path: Path) -> None:
    fill(paint, f"{train}/0", f"{train}/1", f"{other}/0", f"{other}/1")
    found = card(tmp_path)
    assert found.classes == ("0", "1")
    assert found.counts()[other_split(other)] == 8
    assert sum(found.counts().values()) == 16
    assert {sample.name.split("/")[0] for sample in found.splits["train"]} == {train}


@pytest.mark.parametrize(("train", "other"), SPELLINGS)
def test_plain_pictures_of_any_spelling(train: str, other: str, paint: Paint, tmp_path: Path) -> None:
    fill(paint, train, other)
    found = card(tmp_path, labelled=False)
    assert {sample.name.split("/")[0] for sample in found.splits["train"]} == {train}
    assert {sample.name.split("/")[0] for sample in found.splits[other_split(other)]} == {other}  # type: ignore[index]


@pytest.mark.parametrize(("train", "other"), SPELLINGS)
def test_sounds_of_any_spelling(train: str, other: str, tmp_path: Path) -> None:
    for number, name in enumerate((f"{train}/a", f"{train}/b", f"{other}/a", f"{other}/b")):
        for item in range(2):
            path = tmp_path / name / f"{item}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            signal = np.random.default_rng(10 * number + item).uniform(-0.5, 0.5, 2000)
            path.write_bytes(wave_bytes(signal, 8000))
    found = sounds.check(sounds.detect(DataRequest(source=str(tmp_path))), progress=silent)
    assert found.classes == ("a", "b")
    assert found.counts()[other_split(other)] == 4


@pytest.mark.parametrize(("train", "other"), SPELLINGS)
def test_texts_of_any_spelling(train: str, other: str, tmp_path: Path) -> None:
    for part in (train, other):
        for label in ("ham", "spam"):
            for number in range(4):
                path = tmp_path / part / label / f"{number}.txt"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{part} {label} {number}")
    task = builtin_task("text-classification")
    found = task.data.check(task.data.detect(DataRequest(source=str(tmp_path))), progress=silent)
    assert found.classes == ("ham", "spam")
    assert found.counts()[other_split(other)] == 8


@pytest.mark.parametrize(("train", "other"), SPELLINGS)
def test_running_text_of_any_spelling(train: str, other: str, tmp_path: Path) -> None:
    for part in (train, other):
        (tmp_path / part).mkdir()
        (tmp_path / part / "a.txt").write_text(f"{part} text\n" * 200)
    (tmp_path / "README.md").write_text("about")
    task = builtin_task("text-generation")
    found = task.data.check(task.data.detect(DataRequest(source=str(tmp_path))), progress=silent)
    assert [item.name for item in found.splits["train"]] == [f"{train}/a.txt"]
    assert "left out README.md: about the data, and none of them" in found.notes
    assert [item.name for item in found.splits[other_split(other)]] == [f"{other}/a.txt"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("train", "other"),
    [
        ("train.txt", "dev.txt"),
        ("corpus.train.txt", "corpus.dev.txt"),
        ("wiki.train.tokens.txt", "wiki.valid.tokens.txt"),
    ],
)
def test_files_of_running_text_of_any_spelling(train: str, other: str, tmp_path: Path) -> None:
    for name in (train, other):
        (tmp_path / name).write_text(f"{name}\n" * 200)
    task = builtin_task("text-generation")
    source = task.data.detect(DataRequest(source=str(tmp_path)))
    found = task.data.check(source, progress=silent)
    assert [item.name for item in found.splits["train"]] == [train]
    assert [item.name for item in found.splits["validation"]] == [other]
    (tmp_path / "chapter.txt").write_text("more")
    with pytest.raises(DataError, match=r"beside them chapter\.txt"):
        task.data.detect(DataRequest(source=str(tmp_path)))


def test_a_readme_beside_the_texts_of_classes_is_no_text(tmp_path: Path) -> None:
    for part in ("train", "dev"):
        for label in ("ham", "spam"):
            (tmp_path / part / label).mkdir(parents=True)
            for number in range(4):
                (tmp_path / part / label / f"{number}.txt").write_text(f"{part} {label} {number}")
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "train" / "README.txt").write_text("about")
    task = builtin_task("text-classification")
    found = task.data.check(task.data.detect(DataRequest(source=str(tmp_path))), progress=silent)
    assert found.counts() == {"train": 8, "validation": 8}
    assert "left out README.md: about the data, and none of them" in found.notes
    assert "left out 1 file other than texts (1 .txt)" in found.notes


@pytest.mark.parametrize(
    ("folders", "said", "hint"),
    [
        (("train/a", "train/b", "val/a", "more/a"), "train/ and val/, .* beside them more/", "--train train --val val"),
        (("train", "car", "plane"), "train/, .* beside it car/ and plane/", "--train . reads them so"),
        (("learn/a", "learn/b", "check/a", "check/b"), "hold the same folders a, b", "--train check --val learn"),
        (("fold1", "fold2", "fold3"), "numbered as parts are", "--train ."),
        (("val/a", "val/b"), r"has val/ but no train/", "--train val"),
        (("test", "car"), "test/, which is called after a split, and beside it car/", "move the class folders into "),
        (("test", "car"), "and beside it car/", "if test/ is a part of the data"),
        (("val", "test", "car"), "which are called after splits, and beside them car/", "val/ are parts of the data"),
        (("a", "b", "labels"), "labels/ may belong to annotated pictures, or be a class", "--train ."),
        (("train", "test"), "train holds no class folders", "--train . reads the folders called after splits as"),
    ],
)
def test_what_can_be_read_in_two_ways_is_a_question(
    folders: tuple[str, ...], said: str, hint: str, paint: Paint, tmp_path: Path
) -> None:
    fill(paint, *folders)
    with pytest.raises(DataError) as caught:
        card(tmp_path)
    assert re.search(said, caught.value.message)
    assert hint in caught.value.hint


def test_the_options_decide(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "learn/a", "learn/b", "check/a", "check/b")
    named = card(tmp_path, train="learn", validation="check")
    assert (named.classes, named.counts()) == (("a", "b"), {"train": 8, "validation": 8})
    classes = card(tmp_path, train=".")
    assert (classes.classes, sum(classes.counts().values())) == (("check", "learn"), 16)
    alone = card(tmp_path, train="learn")
    assert sum(alone.counts().values()) == 8
    assert "left out check/: not among the folders asked for" in alone.notes
    with pytest.raises(UsageError, match="--val check says nothing of what to learn from"):
        card(tmp_path, validation="check")
    with pytest.raises(UsageError, match="--train nothing names no folder below"):
        card(tmp_path, train="nothing")
    with pytest.raises(UsageError, match=r"--train \.\. names no folder below"):
        card(tmp_path / "learn", train="..")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"train": ".", "test": "test"}, "--test test lies inside --train ., so that the same items would be in both"),
        ({"train": "a/../", "validation": "test/x"}, "--val test/x lies inside --train a/../"),
        ({"train": "test/x", "test": "test"}, "--train test/x lies inside --test test"),
        ({"train": "a", "validation": "test/x", "test": "test"}, "--val test/x lies inside --test test"),
        ({"train": "a", "test": "./a"}, "--test ./a is what --train names: a model knows what it has learned from"),
    ],
)
def test_no_part_lies_in_another(options: dict[str, Any], said: str, paint: Paint, tmp_path: Path) -> None:
    fill(paint, "a", "b", "test/x", "test/y")
    with pytest.raises(DataError) as caught:
        card(tmp_path, **options)
    assert caught.value.message.startswith(said)
    assert "each part" in caught.value.hint


def test_a_class_may_be_called_train(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "train", "car", "plane")
    assert card(tmp_path, train=".").classes == ("car", "plane", "train")


def test_pictures_beside_the_split_folders_are_named(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "train/a", "train/b", "val/a", "val/b")
    paint("loose.png")
    with pytest.raises(DataError) as caught:
        card(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason) == ("loose.png", "1 picture lies beside train/ and val/, in none of them")


def test_a_folder_without_data_beside_the_splits_is_named(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "train/a", "train/b", "val/a", "val/b")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "how.txt").write_text("x")
    assert "left out docs/: no pictures in it" in card(tmp_path).notes


def test_an_archive_unpacks_into_a_folder_of_its_own(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "data/pets/train/train/a", "data/pets/train/train/b", "data/pets/test/a", "data/pets/test/b")
    found = card(tmp_path / "data")
    assert found.classes == ("a", "b")
    assert found.counts()["test"] == 8


@pytest.mark.parametrize("wrapping", ["flowers", "flowers/flowers", "archive/my data/flowers", "images"])
def test_a_folder_alone_in_another_is_read_and_said(wrapping: str, paint: Paint, tmp_path: Path) -> None:
    fill(paint, f"{wrapping}/a", f"{wrapping}/b", "__MACOSX/x")
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "flowers.zip").write_bytes(b"x")
    found = card(tmp_path)
    assert found.classes == ("a", "b")
    assert f"{wrapping}/ is read: the only folder in {tmp_path.name}" in found.notes


def test_splits_may_lie_deep_in_folders_of_one(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "x/y/z/train/a", "x/y/z/train/b", "x/y/z/val/a", "x/y/z/val/b")
    assert card(tmp_path).counts() == {"train": 8, "validation": 8}


def test_the_folder_of_a_split_alone_is_no_wrapping(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "val/a", "val/b")
    with pytest.raises(DataError, match="has val/ but no train/"):
        card(tmp_path)


def test_class_folders_below_a_folder_of_images(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "train/images/a", "train/images/b", "val/images/a", "val/images/b")
    assert card(tmp_path).classes == ("a", "b")


def test_ratios_divide_what_has_no_splits(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "a", "b", count=20)
    found = card(tmp_path, ratios=(0.6, 0.2, 0.2))
    assert found.counts() == {"train": 24, "validation": 8, "test": 8}
    assert [note for note in found.notes if "held out" in note] == [
        "8 of 40 training items were held out for test, by the hash of their names",
        "8 of 40 training items were held out for validation, by the hash of their names",
    ]
    with pytest.raises(UsageError, match=r"--ratios 0\.6,0\.2,0\.3 is no division"):
        card(tmp_path, ratios=(0.6, 0.2, 0.3))


def test_ratios_divide_no_split_of_the_source_again(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "train/a", "train/b", "val/a", "val/b")
    with pytest.raises(UsageError, match="the data have a validation split"):
        card(tmp_path, ratios=(0.8, 0.2, 0.0))


@pytest.mark.parametrize(("count", "held"), [(60, 36), (10, 6), (4, 2)])
def test_a_tenth_of_few_is_a_tenth(count: int, held: int, paint: Paint, tmp_path: Path) -> None:
    fill(paint, *"abcdef", count=count)
    assert held <= card(tmp_path).counts()["validation"] <= held + 4 + held // 3


def test_the_data_of_another_task_is_a_question(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "images", "masks")
    with pytest.raises(DataError, match="looks like data for semantic-segmentation: images/ holds pictures") as caught:
        card(tmp_path)
    assert "--train ." in caught.value.hint
    assert card(tmp_path, train=".").classes == ("images", "masks")
    with pytest.raises(DataError, match="looks like data for semantic-segmentation"):
        card(tmp_path, labelled=False)


def test_a_detection_set_given_to_a_classifier_is_a_question(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "train/images", "valid/images")
    for part in ("train", "valid"):
        (tmp_path / part / "labels").mkdir()
        (tmp_path / part / "labels" / "0.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    with pytest.raises(DataError, match="looks like data for object-detection: labels/ holds YOLO's text files"):
        card(tmp_path)
    (tmp_path / "data.yaml").write_text("train: train/images\nval: valid/images\nnames: [cat]\n")
    with pytest.raises(DataError, match=r"looks like data for object-detection: data\.yaml is a dataset of YOLO"):
        card(tmp_path)


def test_a_pipe_among_the_pictures_is_a_sentence(paint: Paint, tmp_path: Path) -> None:
    import os

    fill(paint, "a", "b")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    with pytest.raises(DataError) as caught:
        card(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.where, problem.reason) == ("a/pipe.png", "it is a pipe, not a file")


def test_one_bad_file_of_few_may_be_skipped(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "a", "b")
    (tmp_path / "a" / "0.png").write_bytes(b"")
    assert sum(card(tmp_path, on_bad_sample="skip").counts().values()) == 7


def test_the_fingerprint_rests_on_contents(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "a", "b")
    picture = tmp_path / "a" / "0.bmp"
    from PIL import Image

    Image.new("RGB", (6, 5), "red").save(picture)
    before, size = card(tmp_path).fingerprint, picture.stat().st_size
    Image.new("RGB", (6, 5), "blue").save(picture)
    assert picture.stat().st_size == size
    assert card(tmp_path).fingerprint != before


def test_pictures_of_a_camera_begin_with_an_underscore(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "a", "b")
    paint("a/_MG_0001.JPG")
    assert sum(card(tmp_path).counts().values()) == 9


def test_a_format_that_is_asked_for_is_taken_or_refused(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "images", "masks")
    assert card(tmp_path, format="class-folders").classes == ("images", "masks")
    with pytest.raises(UsageError, match="--format coco is none of this task"):
        card(tmp_path, format="coco")
    with pytest.raises(UsageError, match=f"--format csv: {tmp_path} is no such data"):
        card(tmp_path, format="csv")


@pytest.mark.parametrize(
    ("source", "options", "sentence"),
    [
        ("digits", {"ratios": (0.8, 0.1, 0.1)}, "--ratios does not apply: digits is embedded data"),
        ("digits", {"train": "cat"}, "--train does not apply: digits is embedded data"),
        ("digits", {"format": "csv"}, "--format does not apply: digits is embedded data"),
        ("torchvision:MNIST", {"train": "a"}, "--train does not apply: torchvision:MNIST is a published dataset"),
        ("torchvision:MNIST", {"label_column": "a"}, "--label-column does not apply: torchvision:MNIST"),
    ],
)
def test_an_option_that_nothing_would_read_is_refused(source: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        images.detect(DataRequest(source=source, **options), accepted=("class-folders", "csv", "torchvision"))


def test_an_option_that_the_format_does_not_know_is_refused(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat", "dog")
    with pytest.raises(UsageError, match=r"--label-column does not apply: .* is read as class-folders"):
        card(tmp_path, label_column="kind")
    rows = [f"cat/{number}.png,cat" for number in range(3)]
    (tmp_path / "data.csv").write_text("\n".join(["path,label", *rows]))
    with pytest.raises(UsageError, match=r"--train does not apply: .*data\.csv is read as csv"):
        images.detect(
            DataRequest(source=str(tmp_path / "data.csv"), train=".", validation="dog"),
            accepted=("class-folders", "csv"),
        )
