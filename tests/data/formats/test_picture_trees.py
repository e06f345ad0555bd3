"""Trees of labelled pictures as people have them: read with the right classes, or refused with the reason."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.api.data import DataCard, DataNote, DataRequest
from zoo.api.errors import DataError
from zoo.data.image import sources

Paint = Callable[..., Path]


def card(path: Path, **options: Any) -> DataCard:
    source = sources.detect(DataRequest(source=str(path), **options), accepted=("class-folders", "csv"))
    return sources.check(source, labelled=True, progress=lambda *_: None)


def labels(found: DataCard, split: Any = "train") -> dict[str, str]:
    return {sample.name: found.classes[sample.label] for sample in found.splits.get(split, ())}


def left_out(found: DataCard) -> list[str]:
    return [str(note) for note in found.notes if isinstance(note, DataNote) and note.kind == "left-out"]


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        card(path, **options)
    problems = "".join(f"\n{problem.where}: {problem.reason} ({problem.fix})" for problem in caught.value.problems)
    return f"{caught.value}{problems}"


# --- tables beside folders of pictures ----------------------------------------------------------------


def test_a_competitions_table_beside_its_pictures(paint: Paint, tmp_path: Path) -> None:
    for number in range(20):
        paint(f"train_images/{number}.jpg")
    paint("test_images/100.jpg")
    rows = "".join(f"{number}.jpg,{'ab'[number % 2]}\n" for number in range(20))
    (tmp_path / "train.csv").write_text("image_id,label\n" + rows)
    (tmp_path / "sample_submission.csv").write_text("image_id,label\n100.jpg,a\n")
    (tmp_path / "label_names.json").write_text('{"a": "ant"}')
    found = card(tmp_path)
    assert found.counts() == {"train": 16, "validation": 4}
    assert (labels(found) | labels(found, "validation"))["train_images/3.jpg"] == "b"
    assert left_out(found) == ["left out 1 picture that train.csv does not name, such as test_images/100.jpg"]


@pytest.mark.parametrize(
    "tables", [("train.csv", "val.csv"), ("Training.tsv", "dev.tsv"), ("train.jsonl", "eval.jsonl")]
)
def test_tables_of_splits(tables: tuple[str, str], paint: Paint, tmp_path: Path) -> None:
    for table, numbers in zip(tables, ((0, 1, 2, 3), (4, 5)), strict=True):
        rows = [(f"images/{number}.png", "ab"[number % 2]) for number in numbers]
        for name, _ in rows:
            paint(name)
        if table.endswith("jsonl"):
            text = "".join(json.dumps({"image": name, "label": label}) + "\n" for name, label in rows)
        else:
            mark = "\t" if table.endswith("tsv") else ";"
            text = f"file{mark}class\n" + "".join(f"{name}{mark}{label}\n" for name, label in rows)
        (tmp_path / table).write_bytes(text.encode("utf-8-sig"))
    found = card(tmp_path)
    assert labels(found, "validation") == {"images/4.png": "a", "images/5.png": "b"}
    assert found.origins == {"train": (tables[0],), "validation": (tables[1],)}


@pytest.mark.parametrize("table", ["metadata.csv", "metadata.jsonl", "_classes.csv"])
def test_a_table_in_the_folder_of_every_split(table: str, paint: Paint, tmp_path: Path) -> None:
    for split in ("train", "valid"):
        rows = [(f"{split}{number}.png", "ab"[number % 2]) for number in range(4)]
        for name, _ in rows:
            paint(f"{split}/{name}")
        if table.startswith("_"):  # Roboflow marks the class with a 1
            marked = (f"{name}, {int(label == 'a')}, {int(label == 'b')}\n" for name, label in rows)
            text = "filename, a, b\n" + "".join(marked)
        elif table.endswith("csv"):
            text = "file_name,label\n" + "".join(f"{name},{label}\n" for name, label in rows)
        else:
            text = "".join(json.dumps({"file_name": name, "label": label}) + "\n" for name, label in rows)
        (tmp_path / split / table).write_text(text)
    found = card(tmp_path)
    assert labels(found)["train/train1.png"] == "b"
    assert labels(found, "validation")["valid/valid2.png"] == "a"


def test_several_classes_of_one_picture_are_refused_with_its_line(paint: Paint, tmp_path: Path) -> None:
    for number in range(4):
        paint(f"images/{number}.png")
    (tmp_path / "train.csv").write_text("id,cat,dog\n0,1,0\n1,0,1\n2,1,1\n3,0,1\n")
    assert "train.csv line 4: 2 is marked as cat and dog (mark one class" in refused(tmp_path)


def test_lists_of_paths_and_labels(paint: Paint, tmp_path: Path) -> None:
    for number in range(6):
        paint(f"images/my {number}.jpg")
    (tmp_path / "train.txt").write_text("".join(f"images/my {number}.jpg {number % 2}\n" for number in range(4)))
    (tmp_path / "val.txt").write_text("".join(f"images/my {number}.jpg {number % 2}\n" for number in (4, 5)))
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    found = card(tmp_path)
    assert found.classes == ("0", "1")
    assert labels(found, "validation") == {"images/my 4.jpg": "0", "images/my 5.jpg": "1"}
    assert card(tmp_path / "train.txt").classes == ("0", "1")


def test_tables_that_say_no_split_are_a_question(paint: Paint, tmp_path: Path) -> None:
    for number in range(4):
        paint(f"{number}.png")
    for name in ("first.csv", "second.csv"):
        (tmp_path / name).write_text("path,label\n0.png,a\n1.png,b\n2.png,a\n3.png,b\n")
    said = refused(tmp_path)
    assert "holds first.csv and second.csv, which all name its pictures" in said or "no class folders" in said


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("filename,width,height,class,xmin,ymin,xmax,ymax", "{name},6,5,{label},1,1,3,3"),
        ("image_id,label,bbox", '{name},{label},"[1, 1, 2, 2]"'),
        ("ImageID,LabelName,XMin,XMax,YMin,YMax", "{name},{label},.1,.2,.1,.2"),
    ],
)
def test_a_table_of_boxes_is_no_table_of_classes(header: str, row: str, paint: Paint, tmp_path: Path) -> None:
    rows = [row.format(name=f"{number}.png", label="ab"[number % 2]) for number in range(4)]
    for number in range(4):
        paint(f"{number}.png")
    (tmp_path / "train.csv").write_text("\n".join([header, *rows]) + "\n")
    assert "looks like data for object-detection" in refused(tmp_path / "train.csv")
    column = next(name for name in header.split(",") if name.lower() in ("class", "label", "labelname"))
    assert card(tmp_path / "train.csv", label_column=column).classes == ("a", "b")


# --- names ---------------------------------------------------------------------------------------------


def test_accents_are_the_same_in_every_form_of_unicode(paint: Paint, tmp_path: Path) -> None:
    for split, form in (("train", "NFC"), ("val", "NFD")):
        for label in ("café", "thé"):
            for number in range(3):
                paint(f"{split}/{unicodedata.normalize(form, label)}/{split}{number}{label[0]}.png")  # type: ignore[arg-type]
    found = card(tmp_path)
    assert found.classes == ("café", "thé")
    assert found.counts() == {"train": 6, "validation": 6}


def test_a_table_finds_names_in_every_form_of_unicode(paint: Paint, tmp_path: Path) -> None:
    for number in range(4):
        paint(unicodedata.normalize("NFD", f"été/é{number}.png"))
    rows = "".join(f"été/é{number}.png,{'ab'[number % 2]}\n" for number in range(4))
    (tmp_path / "data.csv").write_text("path,label\n" + unicodedata.normalize("NFC", rows))
    assert sum(card(tmp_path / "data.csv").counts().values()) == 4


def test_labels_that_are_lists_or_numbers_to_predict_are_refused(paint: Paint, tmp_path: Path) -> None:
    for number in range(20):
        paint(f"{number}.png")
    rows = "".join(f"{number}.png,{number * 0.37}\n" for number in range(20))
    (tmp_path / "data.csv").write_text("path,label\n" + rows)
    assert "the 20 training items have 20 different labels" in refused(tmp_path / "data.csv")
    listed = "".join(f"{number}.png,\"['cat', 'dog']\"\n" for number in range(20))
    (tmp_path / "data.csv").write_text("path,label\n" + listed)
    assert "an item of several classes" in refused(tmp_path / "data.csv")


def test_one_and_one_point_nought_may_be_one_class(paint: Paint, tmp_path: Path) -> None:
    for number in range(6):
        paint(f"{number}.png")
    rows = "".join(f"{number}.png,{('1', '1.0', '2')[number % 3]}\n" for number in range(6))
    (tmp_path / "data.csv").write_text("path,label\n" + rows)
    assert "'1' and '1.0' are taken for two classes" in card(tmp_path / "data.csv").notes


# --- class folders ---------------------------------------------------------------------------------------


def test_an_unlabelled_test_set_is_left_out_aloud(paint: Paint, tmp_path: Path) -> None:
    for number in range(4):
        paint(f"train/a/{number}.png")
        paint(f"train/b/{number}.png")
        paint(f"test/{number}.png")
    found = card(tmp_path)
    assert "test" not in found.counts()
    assert left_out(found) == ["left out test/: its 4 pictures lie in no class folder, so that nothing is measured"]


def test_a_class_that_a_split_lacks_may_have_an_empty_folder(paint: Paint, tmp_path: Path) -> None:
    for label in "abc":
        for number in range(3):
            paint(f"train/{label}/{number}.png")
    paint("val/a/1.png")
    paint("val/b/1.png")
    (tmp_path / "val" / "c").mkdir()
    assert "validation has nothing of c" in card(tmp_path).notes
    (tmp_path / "val" / "d").mkdir()
    assert "val/d/: no pictures" in refused(tmp_path)


def test_folders_in_classes_are_pooled_aloud(paint: Paint, tmp_path: Path) -> None:
    for name in ("animal/cat", "animal/dog", "plant/tree"):
        for number in range(3):
            paint(f"{name}/{number}.png")
    found = card(tmp_path)
    assert found.classes == ("animal", "plant")
    said = "2 classes have folders in them, such as animal/cat/: their pictures belong to the class animal"
    assert said in found.notes


def test_classes_in_the_names_of_files_are_named_with_what_to_do(paint: Paint, tmp_path: Path) -> None:
    for number in range(3):
        paint(f"train/cat.{number}.jpg")
        paint(f"train/dog.{number}.jpg")
    said = refused(tmp_path)
    assert "holds 6 pictures but no class folders; their names begin with cat, dog" in said
    assert "--train ." not in said


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (("train.txt", "test.txt"), "{label}/{number}"),
        (("training_list.txt", "testing_list.txt"), "{label}/{number}.png"),
        (("train.csv", "test.csv"), "images/{label}/{number}.png,{label}"),
        (("splits/train.lst", "splits/test.lst"), "{label}/{number}.png 3"),
    ],
)
def test_lists_beside_class_folders_are_the_splits(
    files: tuple[str, str], line: str, paint: Paint, tmp_path: Path
) -> None:
    for label in "ab":
        for number in range(5):
            paint(f"{label}/{number}.png")
    (tmp_path / files[0]).parent.mkdir(exist_ok=True)
    for file, numbers in zip(files, ((0, 1, 2), (3,)), strict=True):
        lines = [line.format(label=label, number=number) for label in "ab" for number in numbers]
        (tmp_path / file).write_text("\n".join(lines) + "\n")
    found = card(tmp_path, format="class-folders")
    assert sorted(labels(found, "test")) == ["a/3.png", "b/3.png"]
    assert found.counts() == {"train": 5, "validation": 1, "test": 2}
    assert left_out(found) == [f"left out 2 files that none of {files[1]}, {files[0]} names"]


def test_what_no_list_names_is_learnt_from_where_no_list_is_for_training(paint: Paint, tmp_path: Path) -> None:
    for label in "ab":
        for number in range(5):
            paint(f"{label}/{number}.png")
    (tmp_path / "validation_list.txt").write_text("a/0.png\nb/1.png\n")
    found = card(tmp_path)
    assert found.counts() == {"train": 8, "validation": 2}
    assert left_out(found) == []
    (tmp_path / "testing_list.txt").write_text("a/0.png\nb/2.png\n")
    assert "a/0.png is in testing_list.txt and in validation_list.txt" in refused(tmp_path)


# --- files that hold everything ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("data.parquet", "pandas.read_parquet('data.parquet').to_csv('data.csv', index=False)"),
        ("data.xlsx", "save it as CSV"),
        ("data.tfrecord", "write its pictures, texts or sounds into files"),
        ("data.npz", "a file of arrays or records"),
        ("data.tar", "unpack it"),
        ("data.tar.gz", "unpack it"),
        ("data.7z", "unpack it"),
    ],
)
def test_data_in_one_piece_are_refused_with_what_to_do(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    assert said in refused(tmp_path / name)
    assert said in refused(tmp_path)
