"""Every way in which people's data are wrong gets its own clear error, and nothing is left out silently."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import BadFile, DataError, UnknownName, UsageError
from zoo.data.formats import inspection
from zoo.data.formats.pictures.inspect import PICTURES, TRAITS, inspect_picture
from zoo.data.image import sources
from zoo.data.image.reading import reader

Paint = Callable[..., Path]
CLASSES = ("class-folders", "csv", "torchvision")
PLAIN = ("image-folder", "csv", "torchvision")


def silent(done: int, total: int) -> None:
    assert done <= total


def card(path: Path | str, *, labelled: bool = True, skip: bool = False, root: Path | None = None) -> DataCard:
    request = DataRequest(source=str(path), root=root, on_bad_sample="skip" if skip else "error")
    source = sources.detect(request, accepted=CLASSES if labelled else PLAIN)
    return sources.check(source, labelled=labelled, progress=silent)


def problems(path: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(DataError) as caught:
        card(path)
    assert caught.value.exit_code == 2
    return [(one.where, one.reason, one.fix) for one in caught.value.problems]


def fill(paint: Paint, *names: str, count: int = 4) -> None:
    for name in names:
        for number in range(count):
            paint(f"{name}/{number}.png")


# --- layouts that are right ------------------------------------------------------------------------


def test_class_folders_are_split_by_hash_and_say_so(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "dog", "cat", count=30)
    found = card(tmp_path)
    assert found.source.format == "class-folders" and found.source.location == tmp_path
    assert found.classes == ("cat", "dog")
    assert found.counts() == {"train": 54, "validation": 6}
    assert found.facts == {"channels": 3, "height": [5, 5], "width": [6, 6], "common_size": [5, 6]}
    assert any(note.startswith("6 of 60 training items were held out") for note in found.notes)
    assert {sample.label for sample in found.splits["train"]} == {0, 1}


def test_adding_a_class_moves_no_picture_to_another_split(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "b", "c", count=30)
    before = {split: {one.name for one in items} for split, items in card(tmp_path).splits.items()}
    fill(paint, "a", count=30)
    after = {split: {one.name for one in items} for split, items in card(tmp_path).splits.items()}
    assert all(before[split] <= after[split] for split in before)


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_split_folders_keep_their_split(paint: Paint, tmp_path: Path, name: str) -> None:
    fill(paint, "train/cat", "train/dog", f"{name}/cat", f"{name}/dog", "test/dog", count=2)
    found = card(tmp_path)
    assert found.counts() == {"train": 4, "validation": 4, "test": 2}
    assert [(one.name, one.label) for one in found.splits["test"]] == [("test/dog/0.png", 1), ("test/dog/1.png", 1)]
    assert "test has nothing of cat" in found.notes


def test_pictures_are_found_below_subfolders_of_a_class(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat/2024/may", "dog", count=3)
    assert {one.name.count("/") for split in card(tmp_path).splits.values() for one in split} == {1, 3}


def test_a_manifest_is_read_relative_to_itself_or_to_a_root(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "p", count=6)
    rows = [f"{number}.png,{'cat' if number % 2 else 'dog'},{'val' if number > 3 else 'train'}" for number in range(6)]
    (tmp_path / "p" / "list.csv").write_text("﻿path,label,split\n" + "\n".join(rows) + "\n", encoding="utf-8")
    found = card(tmp_path / "p" / "list.csv")
    assert found.classes == ("cat", "dog") and found.counts() == {"train": 4, "validation": 2}
    assert reader(found)(found.splits["train"][0]).shape == (5, 6, 3)
    (tmp_path / "list.tsv").write_text("label\tfilename\n" + "".join(f"{n % 2}\t{n}.png\n" for n in range(6)))
    moved = card(tmp_path / "list.tsv", root=tmp_path / "p")
    assert moved.classes == ("0", "1") and sum(moved.counts().values()) == 6
    assert reader(moved)(moved.splits["train"][0]).shape == (5, 6, 3)


def test_a_plain_folder_of_pictures(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "a", "b/c", count=10)
    found = card(tmp_path, labelled=False)
    assert found.classes == () and sum(found.counts().values()) == 20
    assert {one.label for one in found.splits["train"]} == {-1}


def test_the_digits_need_no_files() -> None:
    found = card("digits")
    assert found.counts() == {"train": 9000, "validation": 1000, "test": 2000}
    assert found.facts["channels"] == 1
    sample = found.splits["validation"][17]
    pixels = reader(found)(sample)
    assert pixels.shape == (28, 28, 3) and np.array_equal(pixels[..., 0], pixels[..., 2])


def test_grey_pictures_are_known_as_grey(paint: Paint, tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        paint(name, mode="L")
    assert card(tmp_path).facts["channels"] == 1
    paint("b/3.png")
    assert card(tmp_path).facts["channels"] == 3


# --- fingerprints ----------------------------------------------------------------------------------


def test_the_fingerprint_follows_the_data(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat", "dog")
    first = card(tmp_path).fingerprint
    assert card(tmp_path).fingerprint == first
    paint("dog/new.png")
    assert card(tmp_path).fingerprint != first
    (tmp_path / "dog/new.png").unlink()
    assert card(tmp_path).fingerprint == first


# --- layouts that are wrong ------------------------------------------------------------------------


def test_a_missing_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"there is no data at {tmp_path}/none") as caught:
        card(tmp_path / "none")
    assert "FOLDER/CLASS/*.jpg" in caught.value.hint and "embedded digits" in caught.value.hint


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no files"):
        card(tmp_path)


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match=r"holds no pictures \(found 1 \.txt\)"):
        card(tmp_path)


def test_pictures_without_class_folders(paint: Paint, tmp_path: Path) -> None:
    paint("1.png")
    with pytest.raises(DataError, match="holds 1 picture but no class folders"):
        card(tmp_path)
    paint("train/1.png")
    with pytest.raises(DataError, match="train holds 1 picture but no class folders"):
        card(tmp_path)


def test_validation_without_train(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "val/cat", "val/dog")
    with pytest.raises(DataError, match="has val/ but no train/"):
        card(tmp_path)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("one.png", "is a single picture"), ("all.zip", "is an archive"), ("x.nothing", "is not a layout of data")],
)
def test_single_files(name: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=sentence):
        card(tmp_path / name)


@pytest.mark.parametrize("source", ["wds:a.tar", "hf:mnist"])
def test_schemes_that_are_not_supported_say_so(source: str) -> None:
    with pytest.raises(UsageError, match="not supported yet"):
        card(source)


def test_unknown_schemes_and_names() -> None:
    with pytest.raises(UsageError, match="unknown kind of source s3:"):
        card("s3:bucket")
    with pytest.raises(UnknownName, match="torchvision:cifar is not known") as caught:
        card("torchvision:cifar")
    assert "did you mean CIFAR10" in caught.value.hint


# --- rows of the table of bad data -----------------------------------------------------------------


KEEP = "if it is no class, --train names the folder that holds the classes"


def test_an_empty_class_folder_and_one_of_raw_pictures(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat", "dog")
    (tmp_path / "bird").mkdir()
    (tmp_path / "fish").mkdir()
    (tmp_path / "fish" / "1.cr2").write_bytes(b"x")
    assert problems(tmp_path) == [
        ("bird/", "no pictures", f"add pictures; {KEEP}"),
        ("fish/", "no pictures (found 1 .cr2)", f"convert them to JPEG or PNG; {KEEP}"),
    ]


def test_a_raw_picture_beside_others_is_not_dropped_silently(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat", "dog")
    (tmp_path / "cat" / "1.CR2").write_bytes(b"x")
    assert problems(tmp_path) == [("cat/", "1 picture of a kind that cannot be read", "convert them to JPEG or PNG")]


SAME = "if it is the same class, give it the same name"


def test_a_class_that_train_does_not_have(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "train/beagle", "train/pug", "val/Beagle", "val/pug")
    expected = ("validation: Beagle", "4 items of a class that train does not have (train has 'beagle')", SAME)
    assert problems(tmp_path) == [expected]


def test_a_class_whose_name_is_no_text(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "a", os.fsdecode(b"caf\xe9"))
    with pytest.raises(DataError) as refused:
        card(tmp_path)
    assert [(one.where, one.reason) for one in refused.value.problems] == [
        (r"caf\udce9", "the name of this class is not valid UTF-8")
    ]


def test_one_class_only(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat")
    assert problems(tmp_path)[0][:2] == ("cat", "there is only this class")


def test_pictures_beside_class_folders(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat", "dog")
    paint("loose.png")
    assert problems(tmp_path)[0][:2] == ("loose.png", "1 picture lies outside every class folder")


def test_two_validation_folders(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "train/a", "train/b", "val/a", "valid/a")
    assert problems(tmp_path)[0][:2] == ("valid/", "there is val/ as well")


def test_bookkeeping_is_no_class_and_other_files_are_named(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat", "dog", ".ipynb_checkpoints", "__MACOSX/cat")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "cat" / "._0.png").write_bytes(b"x")
    (tmp_path / "cat" / "readme.txt").write_text("x")
    found = card(tmp_path)
    assert found.classes == ("cat", "dog") and sum(found.counts().values()) == 8
    left_out = "left out .DS_Store, ._0.png, .ipynb_checkpoints, __MACOSX: names that begin with a dot"
    assert any(note.startswith(left_out) for note in found.notes)
    assert "left out 1 file other than pictures (1 .txt)" in found.notes


def test_a_folder_beside_the_splits_is_a_question(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "train/a", "train/b", "extra/a")
    with pytest.raises(DataError, match="holds train/, which is called after a split, and beside it extra/") as caught:
        card(tmp_path)
    assert caught.value.hint == (
        "if train/ is a part of the data, --train train leaves extra/ out; if all of them are classes, --train . reads "
        "them so"
    )


def test_damaged_files_are_found_before_training(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat", "dog")
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8))
    noise.save(tmp_path / "cat" / "cut.jpg")
    (tmp_path / "cat" / "cut.jpg").write_bytes((tmp_path / "cat" / "cut.jpg").read_bytes()[:2000])
    (tmp_path / "cat" / "empty.jpg").write_bytes(b"")
    (tmp_path / "dog" / "page.jpg").write_text("<html><body>404</body></html>")
    Image.new("RGB", (500, 2)).save(tmp_path / "dog" / "strip.png")
    found = problems(tmp_path)
    assert [where for where, _, _ in found] == ["cat/cut.jpg", "cat/empty.jpg", "dog/page.jpg", "dog/strip.png"]
    assert re.match(r"is damaged: image file is truncated \(\d+ bytes not processed\)", found[0][1])
    assert found[1][1] == "is empty (0 bytes)"
    assert found[2][1] == "looks like HTML, not like a picture"
    assert found[3][1] == "is 500 x 2 pixels, more than 100 times longer than wide"
    assert {fix for _, _, fix in found} == {
        "if another program opens it, save it anew from there; else get it again, or move it out of the data"
    }


def test_skipping_is_asked_for_capped_and_said(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat", "dog", count=60)
    (tmp_path / "cat" / "7.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        card(tmp_path)
    assert "--on-bad-sample skip (0.83%)" in caught.value.hint
    found = card(tmp_path, skip=True)
    assert sum(found.counts().values()) == 119
    assert "left out 1 bad samples (0.83%) as asked: cat/7.png (is empty (0 bytes))" in found.notes
    (tmp_path / "cat" / "8.png").write_bytes(b"")
    with pytest.raises(DataError, match="2 problems") as caught:
        card(tmp_path, skip=True)
    assert caught.value.hint == "1.7% are bad; at most 1%, or one, may be skipped"


def test_special_pictures_are_counted(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
    Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20) * 100).save(tmp_path / "a" / "deep.png")
    Image.new("RGBA", (9, 9), (1, 2, 3, 4)).save(tmp_path / "a" / "clear.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (9, 4)).save(tmp_path / "b" / "turned.jpg", exif=exif)
    Image.new("CMYK", (9, 9)).save(tmp_path / "b" / "ink.jpg")
    Image.new("L", (9, 9)).save(tmp_path / "b" / "m.gif", save_all=True, append_images=[Image.new("L", (9, 9), 9)])
    found = card(tmp_path)
    assert [note for note in found.notes if note.startswith("1 pictures")] == [
        sentence.format(count=1) for sentence in TRAITS.values()
    ]
    assert found.facts["width"] == [4, 20]  # the turned one counts upright


def test_the_same_picture_in_two_splits_or_classes_is_noted(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "train/a", "train/b", "val/a", "val/b")
    twin = (tmp_path / "train/a/0.png").read_bytes()
    (tmp_path / "val/a/copy.png").write_bytes(twin)
    (tmp_path / "train/b/copy.png").write_bytes(twin)
    notes = card(tmp_path).notes
    assert (
        "1 picture is in two splits at once, such as train/a/0.png and val/a/copy.png: the scores will flatter" in notes
    )
    assert "1 picture stands under two classes, such as train/a/0.png and train/b/copy.png" in notes


def test_imbalance_is_noted(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "train/a", count=101)
    fill(paint, "train/b", "val/a", count=1)
    assert any(note.startswith("a has 101 items and b only 1") for note in card(tmp_path).notes)


def test_names_that_are_nearly_one_are_noted(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat", "Cat", "dog")
    assert "'Cat' and 'cat' are taken for two classes" in card(tmp_path).notes


def test_a_folder_that_may_not_be_read_is_an_error(
    paint: Paint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(paint, "cat", "dog")
    scan = os.scandir

    def refuse(path: Path | int) -> object:  # a number where a folder is removed
        if not isinstance(path, int) and Path(path).name == "dog":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match="dog cannot be read: Permission denied"):
        card(tmp_path)


# --- manifests -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("path,label\na.png,\n", "line 2", "a.png has no label"),
        ("path,label\n,x\n", "line 2", "the path is empty"),
        ("path,label,split\na.png,x,fold7\n", "line 2", "unknown split 'fold7'"),
        ("path,label,split\na.png,x,\n", "line 2", "a.png has no split"),
        ("path,label\na.png,x\na.png,y\n", "line 3", "a.png is in line 2 already, here as 'y', there as 'x'"),
        ("path,label\na.png,x\na.png,x\n", "line 3", "a.png is in line 2 already, here again"),
    ],
)
def test_wrong_lines_of_a_manifest(text: str, where: str, reason: str, paint: Paint, tmp_path: Path) -> None:
    paint("a.png")
    paint("b.png")
    (tmp_path / "list.csv").write_text(text + "b.png,z" + (",train" if "split" in text else "") + "\n")
    assert (f"list.csv {where}", reason) in [found[:2] for found in problems(tmp_path / "list.csv")]


def test_files_that_a_manifest_names_must_be_there(paint: Paint, tmp_path: Path) -> None:
    paint("a.png")
    (tmp_path / "list.csv").write_text("path,label\na.png,x\nb.png,y\n")
    assert problems(tmp_path / "list.csv") == [("list.csv line 3", f"no file {tmp_path}/b.png", "correct the path")]


def test_a_manifest_without_its_columns(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("name;kind\na;b\n")
    with pytest.raises(DataError, match="has no column path and label; its first line has name, kind"):
        card(tmp_path / "list.csv")
    (tmp_path / "list.csv").write_bytes("path,label\nä,b\n".encode("latin-1"))
    with pytest.raises(BadFile, match="is not UTF-8 text"):
        card(tmp_path / "list.csv")


def test_a_manifest_with_nothing_to_train_on(paint: Paint, tmp_path: Path) -> None:
    paint("a.png")
    (tmp_path / "list.csv").write_text("path,label,split\na.png,x,test\n")
    with pytest.raises(DataError, match="has no pictures to train on"):
        card(tmp_path / "list.csv")
    (tmp_path / "list.csv").write_text("path,label\n")
    with pytest.raises(DataError, match="names no pictures"):
        card(tmp_path / "list.csv")


# --- the memory of checks --------------------------------------------------------------------------


def test_a_second_check_decodes_only_what_changed(paint: Paint, tmp_path: Path) -> None:
    fill(paint, "cat", "dog")
    looked: list[str] = []

    def inspect(path: Path) -> inspection.Facts:
        looked.append(path.name)
        return inspect_picture(path)

    names = [f"cat/{number}.png" for number in range(4)]
    for expected in (4, 0):
        looked.clear()
        inspection.inspect_files(tmp_path, names, inspect, version="1", progress=silent)
        assert len(looked) == expected
    paint("cat/2.png", size=(9, 9))
    inspection.inspect_files(tmp_path, names, inspect, version="1", progress=silent)
    assert looked == ["2.png"]
    looked.clear()
    inspection.inspect_files(tmp_path, names, inspect, version="2", progress=silent)
    assert len(looked) == 4


def test_a_damaged_or_unwritable_memory_costs_time_only(
    paint: Paint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint("a.png")
    for folder in (tmp_path / "memory", Path("/proc/nowhere")):
        monkeypatch.setenv("ZOO_CACHE", str(folder))
        for _ in range(2):
            seen = inspection.inspect_files(tmp_path, ["a.png"], PICTURES.inspect, version="1", progress=silent)
            assert list(seen.facts) == ["a.png"]
            for memory in folder.glob("checks/*"):
                memory.write_text('{"a.png": ')


def test_many_files_are_sampled_first(paint: Paint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "SAMPLE_ABOVE", 20)
    monkeypatch.setattr(inspection, "SAMPLE", 5)
    fill(paint, "cat", "dog", count=15)
    assert sum(card(tmp_path).counts().values()) == 30
    for path in tmp_path.glob("*/*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="5 problems") as caught:
        card(tmp_path)
    assert "only a sample of 5 was looked at" in caught.value.hint


def test_progress_is_told(paint: Paint, tmp_path: Path) -> None:
    paint("a.png")
    paint("b.png")
    steps: list[tuple[int, int]] = []
    inspection.inspect_files(
        tmp_path, ["a.png", "b.png"], PICTURES.inspect, version="1", progress=lambda *step: steps.append(step)
    )
    assert steps == [(1, 2), (2, 2)]
