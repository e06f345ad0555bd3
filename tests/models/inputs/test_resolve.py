"""What the words of `zoo predict` name: files, folders, globs, addresses, standard input, texts, samples."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from tests.builtin import builtin_task
from zoo import ImageInput, LatentInput, TokenInput, UsageError
from zoo.models.inputs.resolve import InputKind, input_files, resolve_inputs
from zoo.models.inputs.source import (
    GivenAddress,
    GivenFile,
    GivenLatents,
    GivenStream,
    GivenText,
    NamedInput,
)

PICTURES = InputKind(task=builtin_task("image-classification"), input=ImageInput(size=(8, 8)))
TEXTS = InputKind(task=builtin_task("text-classification"), input=TokenInput())
MADE = InputKind(task=builtin_task("image-generation"), input=LatentInput(size=3))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "more").mkdir()
    (tmp_path / "_kept").mkdir()
    for name in ("b.png", "a.JPG", "more/c.png", "notes.txt", "Thumbs.db", ".hidden.png", "_kept/d.png"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def files(*paths: Path) -> tuple[NamedInput, ...]:
    return tuple(GivenFile(path=path) for path in paths)


def test_a_folder_stands_for_its_pictures_and_says_what_it_left_out(folder: Path) -> None:
    found = input_files([folder / "b.png", folder], PICTURES.input)
    assert found.given == files(folder / "b.png", folder / "a.JPG", folder / "b.png", folder / "more" / "c.png")
    assert found.notes == (
        f"{folder}: left out .hidden.png, _kept: names that begin with a dot, and folders that begin with an "
        "underscore, are not data",
        f"{folder}: left out 2 files other than pictures (1 .db, 1 .txt)",
    )


def test_a_picture_that_cannot_be_read_is_not_left_out(folder: Path) -> None:
    (folder / "raw.cr2").write_bytes(b"x")
    found = input_files([folder], PICTURES.input)
    assert GivenFile(path=folder / "raw.cr2") in found.given
    assert found.notes[-1] == f"{folder}: left out 2 files other than pictures (1 .db, 1 .txt)"


def test_a_folder_without_any_picture_gives_every_file(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    assert input_files([tmp_path], PICTURES.input).given == files(tmp_path / "notes.txt")


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    for word, said in (
        ("gone.png", r"gone\.png does not exist"),
        ("*.png", r"no file matches .*\*\.png"),
        ("", "holds no files"),
    ):
        with pytest.raises(UsageError, match=said):
            resolve_inputs([str(tmp_path / word)], PICTURES)


def test_an_empty_word_is_not_the_current_folder() -> None:
    with pytest.raises(UsageError, match="an INPUT is empty"):
        resolve_inputs([""], PICTURES)
    assert resolve_inputs([""], TEXTS).given == (GivenText(text=""),)


def test_a_glob_stands_for_what_it_matches(folder: Path) -> None:
    assert resolve_inputs([str(folder / "m*" / "*.png")], PICTURES).given == files(folder / "more" / "c.png")
    assert resolve_inputs([str(folder / "**" / "[bc].png")], PICTURES).given == files(
        folder / "b.png", folder / "more" / "c.png"
    )
    assert resolve_inputs([str(folder / "[ab].*")], PICTURES).given == files(folder / "a.JPG", folder / "b.png")
    assert resolve_inputs([str(folder / "*.txt")], TEXTS).given == files(folder / "notes.txt")


def test_a_name_with_brackets_is_itself_where_it_exists(tmp_path: Path) -> None:
    (tmp_path / "a[1].png").write_bytes(b"x")
    assert resolve_inputs([str(tmp_path / "a[1].png")], PICTURES).given == files(tmp_path / "a[1].png")


def test_an_address_is_http_or_https() -> None:
    address = "https://example.com/a.png?size=1"
    assert resolve_inputs([address], PICTURES).given == (GivenAddress(url=address),)
    for other in ("file:///etc/passwd", "ftp://example.com/a.png", "FILE:///etc/passwd"):
        with pytest.raises(UsageError, match="is no http or https address"):
            resolve_inputs([other], PICTURES)


def test_standard_input_is_read_once() -> None:
    stream = BytesIO(b"x")
    assert resolve_inputs(["-"], PICTURES, stdin=stream).given == (GivenStream(stream=stream),)
    with pytest.raises(UsageError, match="can be read once only"):
        resolve_inputs(["-", "-"], PICTURES, stdin=stream)


def test_what_is_no_file_is_a_text_where_texts_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "Wh").write_bytes(b"x")
    for text in ("some words", "x" * 5000, "Wh?", "see https://example.com, please", "a\0b"):
        assert resolve_inputs([text], TEXTS).given == (GivenText(text=text),)
    assert resolve_inputs(["notes.txt"], TEXTS).given == files(Path("notes.txt"))
    with pytest.raises(UsageError, match="some words does not exist"):
        resolve_inputs(["some words"], PICTURES)


def test_a_model_of_latents_needs_no_input() -> None:
    assert resolve_inputs([], MADE).given == (GivenLatents(count=64, seed=0),)
    assert resolve_inputs([], MADE, samples=5, seed=3).given == (GivenLatents(count=5, seed=3),)
    with pytest.raises(UsageError, match="INPUT says which"):
        resolve_inputs(["7"], MADE, samples=5)
    with pytest.raises(UsageError, match="image-classification draws none"):
        resolve_inputs(["a.png"], PICTURES, samples=5)
