"""Names of splits in every usual spelling, and names that mean none."""

from __future__ import annotations

import pytest

from zoo.data.formats.split_names import exact_split, split_of_file, split_words, splits_of_folders


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (
            "train Train TRAIN training Training trainset train_set train2017 TrainImages train-data 1_train trainval",
            "train",
        ),
        (
            "val VAL valid Valid validation Validation val2017 dev Dev development eval evaluation valImages",
            "validation",
        ),
        ("test Test TESTING testing test2017 testset holdout hold-out HeldOut hold_out test-dev testImages", "test"),
    ],
)
def test_usual_spellings(names: str, split: str) -> None:
    assert {name: exact_split(name) for name in names.split()} == dict.fromkeys(names.split(), split)


@pytest.mark.parametrize(
    "name",
    ["cat", "trainer", "contest", "retrain", "valley", "development plan x", "test tube", "2017", "", "evaluator"],
)
def test_names_that_say_more_or_nothing(name: str) -> None:
    assert exact_split(name) is None


@pytest.mark.parametrize(
    ("stem", "split"),
    [
        ("instances_train2017", "train"),
        ("train_annotations", "train"),
        ("annotations_train", "train"),
        ("train_coco", "train"),
        ("TrainAnnotations", "train"),
        ("instances-val", "validation"),
        ("instancesVal2017", "validation"),
        ("person_keypoints_val2017", "validation"),
        ("my.project.dev", "validation"),
        ("imdb_test", "test"),
        ("image_info_test-dev2017", "test"),
        ("reviews-holdout", "test"),
        ("train_test_all", None),
        ("instances_default", None),
        ("contest", None),
    ],
)
def test_names_of_files(stem: str, split: str | None) -> None:
    assert split_of_file(stem) == split


def test_words_are_cut_at_case_digits_and_punctuation() -> None:
    assert split_words("JPEGImages2012") == ("jpeg", "images")
    assert split_words("Held-Out_set") == ("heldout", "set")
    assert split_words("früh_train") == ("früh", "train")


def test_the_same_words_beside_different_splits_make_a_family() -> None:
    assert splits_of_folders(["seg_train", "seg_test", "seg_pred"]) == {"seg_train": "train", "seg_test": "test"}
    assert splits_of_folders(["train station", "bus station"]) == {}
    assert splits_of_folders(["cat", "dog"]) == {}
