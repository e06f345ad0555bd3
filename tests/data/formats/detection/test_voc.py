"""Pascal VOC's XML as people have it: by stem and by the lists, a folder or two up, any DOCTYPE and case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError
from zoo.data.formats.detect import read_source
from zoo.data.formats.detection.checks import check_objects
from zoo.data.formats.detection.layouts import detect_objects

SIDE = 20


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(sum(map(ord, str(path)))).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(levels).save(path)


def xml(
    path: Path, *, label: str = "cat", left: int = 2, filename: str = "", extra: str = "", before: str = ""
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"{before}<annotation><filename>{filename}</filename><object><name>{label}</name>{extra}"
        f"<bndbox><xmin>{left}</xmin><ymin>3</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
    )


def world(root: Path, names: str = "abcd", **lists: str) -> Path:
    for number, name in enumerate(names):
        picture(root / "JPEGImages" / f"{name}.png")
        xml(root / "Annotations" / f"{name}.xml", left=number + 1)
    for stem, stems in lists.items():
        file = root / "ImageSets" / "Main" / f"{stem}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{name}\n" for name in stems))
    return root


def card(path: Path, **options: Any) -> DataCard:
    source = detect_objects(DataRequest(source=str(path), **options))
    assert (source.format, source.location is not None) == ("voc", True)
    listing = read_source(source)
    return check_objects(source, listing, progress=lambda *_: None)


def stems(found: DataCard) -> dict[str, list[str]]:
    return {split: [Path(sample.name).stem for sample in items] for split, items in found.splits.items()}


def problems(path: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        card(path)
    return [f"{problem.where}: {problem.reason}" for problem in caught.value.problems]


def test_pictures_that_were_renumbered_keep_their_boxes(tmp_path: Path) -> None:
    root = world(tmp_path, train="abc", val="d")
    for name, other in zip("abcd", "bcda", strict=True):
        xml(root / "Annotations" / f"{name}.xml", left="abcd".index(name) + 1, filename=f"{other}.png")
    found = card(root)
    boxes = {Path(sample.name).stem: sample.boxes[0][0] for items in found.splits.values() for sample in items}
    assert boxes == {"a": 0.0, "b": 1.0, "c": 2.0, "d": 3.0}
    assert stems(found) == {"train": ["a", "b", "c"], "validation": ["d"]}
    assert "4 files name another picture in <filename>; the one of their own name is taken" in found.notes


def test_only_what_the_lists_name_is_learnt_from(tmp_path: Path) -> None:
    found = card(world(tmp_path, names="abcdef", train="ab", val="c"))
    assert stems(found) == {"train": ["a", "b"], "validation": ["c"]}
    assert "left out 3 pictures that none of train.txt, val.txt names" in found.notes


@pytest.mark.parametrize(("up", "folder"), [(1, "VOC2012"), (2, "VOCdevkit/VOC2012")])
def test_one_or_two_folders_up(up: int, folder: str, tmp_path: Path) -> None:
    world(tmp_path / folder, train="abc", val="d")
    found = card(tmp_path)
    assert stems(found) == {"train": ["a", "b", "c"], "validation": ["d"]}
    assert found.splits["validation"][0].name == f"{folder}/JPEGImages/d.png"


def test_two_years_side_by_side(tmp_path: Path) -> None:
    world(tmp_path / "VOC2007", names="ab", train="a", val="b")
    world(tmp_path / "VOC2012", names="cd", train="c", val="d")
    assert stems(card(tmp_path)) == {"train": ["a", "c"], "validation": ["b", "d"]}


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"train": "ab", "val": "c", "trainval": "abc", "test": "d"}, {"train": "ab", "validation": "c", "test": "d"}),
        ({"training": "abc", "dev": "d"}, {"train": "abc", "validation": "d"}),
        ({"Train": "abc", "Validation": "d"}, {"train": "abc", "validation": "d"}),
        ({"trainval": "abc", "val": "d"}, {"train": "abc", "validation": "d"}),
    ],
)
def test_lists_of_any_spelling(lists: dict[str, str], expected: dict[str, str], tmp_path: Path) -> None:
    assert stems(card(world(tmp_path, **lists))) == {split: list(names) for split, names in expected.items()}


def test_cvats_only_list_holds_everything(tmp_path: Path) -> None:
    assert sum(card(world(tmp_path, names="abcdef", default="abcd")).counts().values()) == 4


def test_a_list_beside_the_known_ones_is_a_question(tmp_path: Path) -> None:
    root = world(tmp_path, train="ab", val="c", more="d")
    with pytest.raises(DataError, match=r"beside them more\.txt with 1 picture that none of them names") as caught:
        card(root)
    assert "--train train" in caught.value.hint
    assert stems(card(root, train="more", validation="val")) == {"train": ["d"], "validation": ["c"]}


def test_a_picture_in_two_lists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"val\.txt line 1 names b, which is in train already"):
        card(world(tmp_path, train="ab", val="bc"))


def test_difficult_objects_are_kept_apart(tmp_path: Path) -> None:
    root = world(tmp_path, train="abc", val="d")
    xml(root / "Annotations" / "a.xml", extra="<difficult>1</difficult>")
    xml(root / "Annotations" / "b.xml", extra="<difficult>0</difficult>")
    found = card(root)
    first, second, _ = found.splits["train"]
    assert (first.labels, first.ignored) == ((), (((1.0, 2.0, 9.0, 9.0), 0),))
    assert (second.labels, second.ignored) == ((0,), ())
    assert "1 object is marked difficult: they are not learnt, nor counted when missed" in found.notes


def test_a_doctype_is_accepted_and_an_entity_is_not(tmp_path: Path) -> None:
    root = world(tmp_path, train="abc", val="d")
    xml(root / "Annotations" / "a.xml", before='<?xml version="1.0"?><!DOCTYPE annotation SYSTEM "voc.dtd">')
    assert card(root).counts() == {"train": 3, "validation": 1}
    bomb = '<!DOCTYPE annotation [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;&a;">]>'
    xml(root / "Annotations" / "a.xml", label="&b;", before=bomb)
    assert problems(root) == ["Annotations/a.xml: it declares entities, which an annotation has no need of"]
    xml(root / "Annotations" / "a.xml", label="&x;", before='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>')
    assert problems(root) == ["Annotations/a.xml: it declares entities, which an annotation has no need of"]


def test_suffixes_of_any_case(tmp_path: Path) -> None:
    root = world(tmp_path, train="abc", val="d")
    (root / "JPEGImages" / "a.png").rename(root / "JPEGImages" / "a.PNG")
    (root / "Annotations" / "b.xml").rename(root / "Annotations" / "b.XML")
    assert stems(card(root)) == {"train": ["a", "b", "c"], "validation": ["d"]}


def test_xml_and_pictures_in_folders_of_their_own(tmp_path: Path) -> None:
    for part, names in (("train", "ab"), ("val", "c")):
        for name in names:
            picture(tmp_path / "images" / part / f"{name}.png")
            xml(tmp_path / "annots" / part / f"{name}.xml")
    assert stems(card(tmp_path)) == {"train": ["a", "b"], "validation": ["c"]}


def test_a_folder_of_xml_beside_those_of_splits_is_a_question(tmp_path: Path) -> None:
    for part, name in (("train", "a"), ("valid", "b"), ("more", "c")):
        picture(tmp_path / part / f"{name}.png")
        xml(tmp_path / part / f"{name}.xml")
    with pytest.raises(DataError, match="beside them more/"):
        card(tmp_path)


def test_the_filename_counts_only_where_no_picture_has_the_stem(tmp_path: Path) -> None:
    root = world(tmp_path, train="abc", val="d")
    (root / "JPEGImages" / "a.png").rename(root / "JPEGImages" / "photo.png")
    xml(root / "Annotations" / "a.xml", filename="photo.png")
    assert stems(card(root))["train"] == ["b", "c", "photo"]
    xml(root / "Annotations" / "a.xml", filename="gone.png")
    assert problems(root) == ["Annotations/a.xml: there is no picture a or gone.png beside it or in JPEGImages/"]


def test_a_pipe_among_the_annotations_is_a_sentence(tmp_path: Path) -> None:
    import os

    root = world(tmp_path)
    os.mkfifo(root / "Annotations" / "e.xml")
    assert problems(root) == ["Annotations/e.xml: it is a pipe, not a file"]
