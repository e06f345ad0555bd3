"""Trees of published data as people download them, without a task: read as meant, or refused by name with a way out."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError
from zoo.data.infer_task import infer_task
from zoo.registry.catalog import Catalog

Paint = Callable[..., Path]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.discover()


@pytest.fixture
def world(tmp_path: Path, paint: Paint) -> tuple[Path, Paint]:
    return tmp_path, paint


def written(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))


def understood(path: Path, catalog: Catalog, task: str = "", **options: Any) -> tuple[str, DataCard]:
    request = DataRequest(source=str(path), **options)
    task = task or infer_task(request, catalog).task
    data = catalog.make_task(task).data
    return task, data.check(data.detect(request), progress=lambda *_: None)


def refused(path: Path, catalog: Catalog, task: str = "", **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        understood(path, catalog, task, **options)
    problems = "".join(f"\n{problem.where}: {problem.reason} ({problem.fix})" for problem in caught.value.problems)
    return f"{caught.value.message}\n{caught.value.hint}{problems}"


def classes(paint: Paint, folder: str, names: tuple[str, ...] = ("a", "b"), count: int = 6) -> list[str]:
    files = [f"{name}/{name}_{number}.jpg" for name in names for number in range(count)]
    for file in files:
        paint(f"{folder}/{file}")
    return files


# --- read -------------------------------------------------------------------------------------------------


def test_food_101(paint: Paint, tmp_path: Path, catalog: Catalog) -> None:
    files = classes(paint, "images", ("apple_pie", "sushi"), 10)
    for split, own in (("train", files[:7] + files[10:17]), ("test", files[7:10] + files[17:])):
        written(tmp_path / f"meta/{split}.txt", "".join(f"{file.removesuffix('.jpg')}\n" for file in own))
        written(tmp_path / f"meta/{split}.json", json.dumps({"apple_pie": own}))
    written(tmp_path / "meta/classes.txt", "apple_pie\nsushi\n")
    task, card = understood(tmp_path, catalog)
    assert (task, card.classes, card.counts()["test"]) == ("image-classification", ("apple_pie", "sushi"), 6)
    assert card.counts()["train"] + card.counts()["validation"] == 14
    assert f"images/ is read: the only folder with pictures in {tmp_path.name}; beside it lie meta" in card.notes


def test_imagenet_as_it_is_downloaded(paint: Paint, tmp_path: Path, catalog: Catalog) -> None:
    for split in ("train", "val"):
        classes(paint, f"ILSVRC/Data/CLS-LOC/{split}", ("n01440764", "n01443537"))
    paint("ILSVRC/Data/CLS-LOC/test/1.jpg")
    written(tmp_path / "LOC_synset_mapping.txt", "n01440764 tench\n")
    written(tmp_path / "ILSVRC/ImageSets/CLS-LOC/train_cls.txt", "n01440764/x 1\n")
    task, card = understood(tmp_path, catalog)
    assert (task, card.counts()) == ("image-classification", {"train": 12, "validation": 12})
    assert any("test/: its 1 picture lies in no class folder" in note for note in card.notes)


def test_cub_is_divided_by_its_own_numbers(paint: Paint, tmp_path: Path, catalog: Catalog) -> None:
    files = classes(paint, "images", ("001.Albatross", "002.Auklet"), 12)
    written(tmp_path / "images.txt", "".join(f"{number} {file}\n" for number, file in enumerate(files, 1)))
    written(tmp_path / "train_test_split.txt", "".join(f"{n} {int(n % 12 < 9)}\n" for n in range(1, 25)))
    written(tmp_path / "image_class_labels.txt", "1 1\n")
    written(tmp_path / "classes.txt", "1 001.Albatross\n2 002.Auklet\n")
    written(tmp_path / "bounding_boxes.txt", "1 60.0 27.0 325.0 304.0\n")
    task, card = understood(tmp_path, catalog)
    assert (task, card.counts()["test"]) == ("image-classification", 6)
    assert "the splits are those of ../train_test_split.txt" in card.notes


@pytest.mark.parametrize("both", [True, False], ids=["with labelTrainIds", "with labelIds alone"])
def test_cityscapes(both: bool, paint: Paint, tmp_path: Path, catalog: Catalog) -> None:
    for split, city in (("train", "aachen"), ("val", "frankfurt")):
        for number in range(3):
            stem = f"{city}/{city}_{number}_19"
            paint(f"leftImg8bit/{split}/{stem}_leftImg8bit.png")
            kinds = ("labelIds", "instanceIds", *(("labelTrainIds",) if both else ()))
            for kind in kinds:
                paint(f"gtFine/{split}/{stem}_gtFine_{kind}.png", mode="L").touch()
                mask(tmp_path / f"gtFine/{split}/{stem}_gtFine_{kind}.png", 1 if kind == "labelTrainIds" else 2)
            paint(f"gtFine/{split}/{stem}_gtFine_color.png")
    task, card = understood(tmp_path, catalog)
    assert (task, card.counts()) == ("semantic-segmentation", {"train": 3, "validation": 3})
    assert len(card.classes) == (2 if both else 3)


def mask(path: Path, largest: int) -> None:
    import numpy as np
    from PIL import Image

    levels = np.zeros((5, 6), np.uint8)
    levels[1:3], levels[3:] = 1, largest
    Image.fromarray(levels).save(path)


def test_the_classes_of_ade20k_are_named(paint: Paint, tmp_path: Path, catalog: Catalog) -> None:
    for split in ("training", "validation"):
        for number in range(3):
            paint(f"images/{split}/ADE_{number}.jpg")
            paint(f"annotations/{split}/ADE_{number}.png", mode="L")
            mask(tmp_path / f"annotations/{split}/ADE_{number}.png", 2)
    written(tmp_path / "objectInfo150.txt", "Idx\tRatio\tName\n1\t0.15\twall\n2\t0.1\tbuilding, edifice\n")
    assert understood(tmp_path, catalog)[1].classes == ("other", "wall", "building")


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("rt-polarity.pos", "rt-polarity.neg"), {}),
        (("positive.txt", "negative.txt"), {}),
        (("train/pos.txt", "train/neg.txt", "test/pos.txt", "test/neg.txt"), {}),
        (("german.txt", "french.txt"), {"format": "text-class-files"}),
    ],
)
def test_a_file_of_texts_for_each_class(
    names: tuple[str, ...], options: dict[str, Any], tmp_path: Path, catalog: Catalog
) -> None:
    for name in names:
        written(tmp_path / name, "".join(f"{name} film {number}\n" for number in range(40)))
    written(tmp_path / "rt-polaritydata.README.1.0.txt", "about")
    task, card = understood(tmp_path, catalog, **options)
    assert (task, card.source.format, len(card.classes)) == ("text-classification", "text-class-files", 2)
    assert card.counts()["train"] + card.counts()["validation"] == 80
    assert card.counts().get("test", 0) == (80 if len(names) == 4 else 0)


def test_texts_of_other_names_are_running_text(tmp_path: Path, catalog: Catalog) -> None:
    for name in ("chapter one.txt", "chapter two.txt"):
        written(tmp_path / name, "It was a dark night.\n" * 40)
    assert understood(tmp_path, catalog)[0] == "text-generation"
    assert "--format text-class-files" in refused(tmp_path, catalog, "text-classification")


def test_texts_of_no_class_are_left_out(tmp_path: Path, catalog: Catalog) -> None:
    for split in ("train", "test"):
        for label in ("pos", "neg", *(("unsup",) if split == "train" else ())):
            for number in range(12):
                written(tmp_path / split / label / f"{number}.txt", f"{label} film {number} {split}")
    _, card = understood(tmp_path, catalog, "text-classification")
    assert card.classes == ("neg", "pos")
    assert "left out train/unsup/: its 12 texts are of no class" in card.notes


def test_one_folder_of_recordings_is_no_class(tmp_path: Path, catalog: Catalog) -> None:
    from zoo.data.audio.mu_law import wave_bytes

    for number in range(4):
        (tmp_path / "wavs").mkdir(exist_ok=True)
        (tmp_path / f"wavs/LJ{number}.wav").write_bytes(wave_bytes(sound(number), 8000))
    written(tmp_path / "metadata.csv", "LJ0|text|text\n")
    assert understood(tmp_path, catalog, "audio-generation")[1].source.format == "wav-folder"


def sound(seed: int) -> Any:
    import numpy as np

    return np.random.default_rng(seed).uniform(-0.5, 0.5, 2000)


def test_a_competitions_test_table_without_labels_is_left_out(tmp_path: Path, catalog: Catalog) -> None:
    rows = [f"{number},tweet number {number},{number % 2}\n" for number in range(60)]
    written(tmp_path / "train.csv", "id,text,target\n" + "".join(rows))
    written(tmp_path / "test.csv", "id,text\n1,tweet\n")
    written(tmp_path / "sample_submission.csv", "id,target\n1,0\n")
    task, card = understood(tmp_path, catalog)
    assert (task, sorted(card.counts())) == ("text-classification", ["train", "validation"])
    assert "left out test.csv: it has no labels, so that nothing is measured" in card.notes
    written(tmp_path / "train.csv", "id,text\n1,tweet\n")
    assert "train.csv has no column label" in refused(tmp_path, catalog)


def test_a_table_of_breeds_beside_train_and_test(paint: Paint, tmp_path: Path, catalog: Catalog) -> None:
    for number in range(24):
        paint(f"{'train' if number < 20 else 'test'}/{number:04x}.jpg")
    rows = "".join(f"{number:04x},{('boxer', 'pug')[number % 2]}\n" for number in range(20))
    written(tmp_path / "labels.csv", f"id,breed\n{rows}")
    task, card = understood(tmp_path, catalog)
    assert (task, card.source.format, card.classes) == ("image-classification", "csv", ("boxer", "pug"))


def test_pairs_beside_the_folder_of_identities(paint: Paint, tmp_path: Path, catalog: Catalog) -> None:
    for name in ("Al_Gore", "Bo_Derek", "Cher", "Dido", "Eve", "Flea", "Gil"):
        for number in range(1, 4):
            paint(f"lfw/{name}/{name}_{number:04}.jpg")
    written(tmp_path / "pairs.txt", "10\t300\nAl_Gore\t1\t2\nCher\t1\tBo_Derek\t2\n")
    _, card = understood(tmp_path, catalog, "image-embedding")
    assert card.counts()["test"] == 9


# --- refused by name ----------------------------------------------------------------------------------------


def idx(folder: Path, paint: Paint) -> None:
    (folder / "train-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 2051, 1, 28, 28) + bytes(784))


def matlab(folder: Path, paint: Paint) -> None:
    paint("jpg/image_00001.jpg")
    (folder / "imagelabels.mat").write_bytes(b"MATLAB 5.0 MAT-file")


def matlab_alone(folder: Path, paint: Paint) -> None:
    (folder / "train_32x32.mat").write_bytes(b"MATLAB 5.0 MAT-file")


def cats_and_dogs(folder: Path, paint: Paint) -> None:
    for number in range(6):
        for name in ("cat", "dog"):
            paint(f"train/{name}.{number}.jpg")
        paint(f"test1/{number}.jpg")
    written(folder / "sampleSubmission.csv", "id,label\n1,0\n")


def open_images(folder: Path, paint: Paint) -> None:
    paint("train/0001.jpg")
    written(
        folder / "train-annotations-bbox.csv", "ImageID,LabelName,XMin,XMax,YMin,YMax\n0001,/m/01,0.1,0.5,0.1,0.5\n"
    )


def kitti(folder: Path, paint: Paint) -> None:
    paint("training/image_2/000000.png")
    line = "Car 0.00 0 -1.58 5.0 7.0 14.0 15.0 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n"
    written(folder / "training/label_2/000000.txt", line)


def wider(folder: Path, paint: Paint) -> None:
    classes(paint, "WIDER_train/images", ("0--Parade", "1--Handshaking"))
    written(folder / "wider_face_split/wider_face_train_bbx_gt.txt", "0--Parade/1.jpg\n1\n2 2 8 8 0 0 0 0 0 0\n")


def bdd(folder: Path, paint: Paint) -> None:
    paint("images/100k/train/1.jpg")
    labels = [{"name": "1.jpg", "labels": [{"category": "car", "box2d": {"x1": 1, "y1": 1, "x2": 3, "y2": 3}}]}]
    written(folder / "labels/bdd100k_labels_images_train.json", json.dumps(labels))


def pixels(folder: Path, paint: Paint) -> None:
    written(folder / "train.csv", "label,pixel0,pixel1,pixel2\n" + "1,0,0,0\n" * 20)


def celeba(folder: Path, paint: Paint) -> None:
    paint("img_align_celeba/000001.jpg")
    written(folder / "list_attr_celeba.txt", "1\n5_o_Clock_Shadow Smiling\n000001.jpg -1 1\n")


def cifar(folder: Path, paint: Paint) -> None:
    (folder / "cifar-10-batches-py").mkdir()
    (folder / "cifar-10-batches-py/data_batch_1").write_bytes(b"\x80\x02}q\x00")


def full_ade(folder: Path, paint: Paint) -> None:
    for stem in ("ADE_train_1", "ADE_train_2"):
        paint(f"images/ADE/training/urban/street/{stem}.jpg")
        paint(f"images/ADE/training/urban/street/{stem}_seg.png")


@pytest.mark.parametrize(
    ("make", "what", "way"),
    [
        (idx, "is one of MNIST's files", "--data torchvision:MNIST --data-root DIR"),
        (matlab, "imagelabels.mat is a file of Matlab", "torchvision:Flowers102"),
        (matlab_alone, "train_32x32.mat is a file of Matlab", "torchvision:SVHN"),
        (cats_and_dogs, "their names begin with cat, dog", "write a table (path,label)"),
        (open_images, "is a table of boxes", "zoo reads boxes as COCO, YOLO"),
        (kitti, "is KITTI's text files", "zoo reads boxes as COCO, YOLO"),
        (wider, "is WIDER FACE's list of boxes", "zoo reads boxes as COCO, YOLO"),
        (bdd, "is BDD100K's JSON", "bdd100k.label.to_coco"),
        (pixels, "train.csv is a table of pixels", "write every row as a picture"),
        (celeba, "is CelebA's list of attributes", "one of the attributes (path,label)"),
        (cifar, "is one of CIFAR's files", "--data torchvision:CIFAR10 --data-root DIR"),
        (full_ade, "is a mask of the full ADE20K", "ADEChallengeData2016"),
    ],
)
def test_labels_that_zoo_does_not_read_are_not_lost(
    make: Callable[[Path, Paint], None], what: str, way: str, world: tuple[Path, Paint], catalog: Catalog
) -> None:
    make(*world)
    said = refused(world[0], catalog)
    assert (what in said, way in said) == (True, True), said


def test_the_pets_have_three_ways(paint: Paint, tmp_path: Path, catalog: Catalog) -> None:
    for name in ("Abyssinian_1", "beagle_1"):
        paint(f"images/{name}.jpg")
        paint(f"annotations/trimaps/{name}.png", mode="L")
    written(tmp_path / "annotations/list.txt", "#Image CLASS-ID SPECIES BREED ID\nAbyssinian_1 1 1 1\n")
    said = refused(tmp_path, catalog, "image-classification")
    assert "--data torchvision:OxfordIIITPet" in said and "--train ." not in said


@pytest.mark.parametrize("inside", ["val", "val/images"])
def test_a_validation_folder_without_classes_is_named(
    inside: str, paint: Paint, tmp_path: Path, catalog: Catalog
) -> None:
    classes(paint, "train", ("n01440764", "n01443537"))
    for number in range(4):
        paint(f"{inside}/val_{number}.jpg")
    said = refused(tmp_path, catalog, "image-classification")
    assert "val/: its 4 pictures lie in no class folder (sort them into val/CLASS/" in said


@pytest.mark.parametrize("task", ["text-classification", "text-generation"])
@pytest.mark.parametrize(("suffix", "kind"), [(".wav", "sounds"), (".mp4", "videos"), (".jpg", "pictures")])
def test_names_of_files_are_no_texts(task: str, suffix: str, kind: str, tmp_path: Path, catalog: Catalog) -> None:
    rows = "".join(f"a long folder/clip number {number}{suffix},{'ab'[number % 2]}\n" for number in range(60))
    written(tmp_path / "r.csv", f"text,label\n{rows}")
    said = refused(tmp_path / "r.csv", catalog, task)
    assert f"are names of {kind}, such as a long folder/clip number 0{suffix}" in said
