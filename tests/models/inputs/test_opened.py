"""From what was given to files that a task can read, one at a time; nothing is left behind."""

from __future__ import annotations

import sys
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo import BadFile, ImageInput, LatentInput, MissingExtra, Problem, TableInput, TokenInput, UsageError
from zoo.data.formats.pictures.decode import read_picture
from zoo.models.inputs.opened import Opener, drawn_often
from zoo.models.inputs.source import (
    GivenAddress,
    GivenFile,
    GivenLatents,
    GivenStream,
    GivenValue,
    NamedInput,
    text_source,
)

PROBLEM = Problem(task="looking", input=ImageInput(size=(8, 8)))
RED = np.full((3, 4, 3), (255, 0, 0), np.uint8)


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    (tmp_path / "scratch").mkdir()
    return Opener(problem=PROBLEM, folder=tmp_path / "scratch")


def pictures(opener: Opener, *given: NamedInput) -> list[tuple[str, str, Any]]:
    """Name and item of each source with its picture, or with why there is none."""
    rows: list[tuple[str, str, Any]] = []
    for source in opener.sources(given):
        answer = source.failure.message if source.failure else read_picture(source.path) if source.path else None
        rows.append((str(source.name), source.item, answer))
    assert list(opener.folder.iterdir()) == []
    return rows


def png(levels: np.ndarray[Any, Any]) -> bytes:
    memory = BytesIO()
    Image.fromarray(levels).save(memory, "png")
    return memory.getvalue()


def test_standard_input_is_a_picture_an_archive_or_empty(opener: Opener) -> None:
    ((name, _, picture),) = pictures(opener, GivenStream(stream=BytesIO(png(RED))))
    assert (name, picture.tolist()) == ("-", RED.tolist())
    memory = BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("in/red.png", png(RED))
        archive.writestr("notes.txt", "x")
    notes: list[str] = []
    noting = replace(opener, note=notes.append)
    ((name, _, picture),) = pictures(noting, GivenStream(stream=BytesIO(memory.getvalue())))
    assert (name, picture.shape) == ("-/in/red.png", (3, 4, 3))
    assert notes == ["-: left out 1 file other than pictures (1 .txt)"]
    assert pictures(opener, GivenStream(stream=BytesIO())) == [("-", "", "standard input (-) is empty")]


def test_an_archive_is_named_before_its_files(opener: Opener, tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", png(RED))
    ((name, item, picture),) = pictures(opener, GivenFile(path=path))
    assert (name, item, picture.shape) == (f"{path}/a.png", "", (3, 4, 3))


def test_what_fails_stops_nobody(opener: Opener, tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(png(RED))
    (tmp_path / "bad.zip").write_bytes(b"x")
    given: list[NamedInput] = [
        GivenFile(path=tmp_path / "bad.zip"),
        GivenAddress(url="http://127.0.0.1:9/x"),
        GivenFile(path=tmp_path / "red.png"),
    ]
    first, second, third = pictures(opener, *given)
    assert "cannot be read as a .zip archive" in first[2]
    assert second[2].startswith("http://127.0.0.1:9/x cannot be reached")
    assert third[2].shape == (3, 4, 3)


def video(path: Path) -> Path:
    """Four frames of 32 x 16 pixels, each brighter than the one before."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for level in (0, 60, 120, 180):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_video_is_answered_frame_by_frame(opener: Opener, tmp_path: Path) -> None:
    path = video(tmp_path / "clip.mp4")
    rows = pictures(opener, GivenFile(path=path))
    assert [(name, item) for name, item, _ in rows] == [(str(path), f"frame {number}") for number in (1, 2, 3, 4)]
    assert [picture.shape for _, _, picture in rows] == [(16, 32, 3)] * 4
    assert [picture.mean() for _, _, picture in rows] == pytest.approx([0, 60, 120, 180], abs=6)
    often = pictures(replace(opener, every=3), GivenFile(path=path))
    assert [item for _, item, _ in often] == ["frame 1", "frame 4"]


def test_what_is_no_video_is_a_sentence(opener: Opener, tmp_path: Path) -> None:
    pytest.importorskip("av")
    (tmp_path / "x.mp4").write_bytes(b"no video at all")
    ((_, _, said),) = pictures(opener, GivenFile(path=tmp_path / "x.mp4"))
    assert said.startswith(f"{tmp_path / 'x.mp4'} cannot be read as a video")


def test_a_video_without_its_reader_names_the_extra(
    opener: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "x.mp4").write_bytes(b"x")
    (source,) = opener.sources([GivenFile(path=tmp_path / "x.mp4")])
    assert isinstance(source.failure, MissingExtra)
    assert source.failure.message == f"{tmp_path / 'x.mp4'} is a video, and reading videos needs the package av"
    assert source.failure.hint == 'pip install "edgezoo[video]" (with libx264 and libx265, GPL)'


def test_pictures_in_memory_are_read_as_files_are(opener: Opener) -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    clear = np.dstack([RED, np.full((3, 4), 0, np.uint8)])
    for value, expected in (
        (RED, RED),
        (grey, np.repeat(grey[..., None], 3, axis=2)),
        (grey[..., None], np.repeat(grey[..., None], 3, axis=2)),
        (clear, np.full((3, 4, 3), 255, np.uint8)),
        (Image.fromarray(RED), RED),
        (Image.fromarray(RED).convert("CMYK"), RED),
    ):
        ((name, _, picture),) = pictures(opener, GivenValue(value=value, name="input 1"))
        assert (name, picture.tolist()) == ("input 1", expected.tolist())
    rows = pictures(opener, GivenValue(value=np.stack([RED, RED]), name="input 1"))
    assert [item for _, item, _ in rows] == ["picture 1", "picture 2"]


def test_a_picture_in_memory_keeps_which_way_up_it_is(opener: Opener, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RED).save(tmp_path / "turned.jpg", exif=exif)
    with Image.open(tmp_path / "turned.jpg") as opened:
        ((_, _, picture),) = pictures(opener, GivenValue(value=opened, name="input 1"))
    assert picture.shape == (4, 3, 3)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (RED.astype(np.float32) / 255, "this array is float32"),
        (np.zeros((3, 5, 6), np.uint8), "has the shape [3, 5, 6]"),
        (np.zeros((2, 3, 4, 5), np.uint8), "has the shape [2, 3, 4, 5]"),
        (np.zeros((0, 4, 3), np.uint8), "has the shape [0, 4, 3]"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(opener: Opener, value: Any, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        list(opener.sources([GivenValue(value=value, name="input 1")]))
    assert said in caught.value.message


def test_latents_are_drawn_from_their_seed(tmp_path: Path) -> None:
    problem = Problem(task="making", input=LatentInput(size=3))
    opener = Opener(problem=problem, folder=tmp_path, latent="z")
    (source,) = opener.sources([GivenLatents(count=5, seed=7)])
    assert source.arrays is not None
    expected = np.random.default_rng(7).standard_normal((5, 3), np.float32)
    assert np.array_equal(source.arrays["z"], expected)


def test_rows_in_memory_become_a_table(tmp_path: Path) -> None:
    facts: Any = {"columns": ["width", "height"]}
    opener = Opener(problem=Problem(task="sums", input=TableInput(), facts=facts), folder=tmp_path)
    (source,) = (
        replace(source, name=source.path.read_text() if source.path else "")
        for source in opener.sources([GivenValue(value=np.array([[1.0, 2.5]]), name="input 1")])
    )
    assert str(source.name).splitlines() == ["width,height", "1.0,2.5"]
    with pytest.raises(UsageError, match=r"a row holds 2 numbers \(width, height\)"):
        list(opener.sources([GivenValue(value=np.zeros(3), name="input 1")]))


def test_texts_take_no_arrays(tmp_path: Path) -> None:
    opener = Opener(problem=Problem(task="reading", input=TokenInput()), folder=tmp_path)
    for value in (np.zeros(3), Image.fromarray(RED)):
        with pytest.raises(UsageError, match="this model takes no"):
            list(opener.sources([GivenValue(value=value, name="input 1")]))


def test_a_sample_counts_and_is_an_item_of_its_own() -> None:
    assert [(source.item, source.sample) for source in drawn_often([text_source("a")], 2)] == [
        ("sample 1", 0),
        ("sample 2", 1),
    ]
    assert [source.item for source in drawn_often([text_source("a")], 1)] == [""]


def test_a_failure_names_what_the_user_named(opener: Opener) -> None:
    broken = BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("a.txt", "x")
    ((name, _, said),) = pictures(opener, GivenStream(stream=BytesIO(broken.getvalue())))
    assert (name, said) == ("-", "- holds no pictures")
    assert isinstance(BadFile("x"), UsageError)
