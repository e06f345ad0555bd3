"""The pictures of a .zip: each in turn, under names of zoo's own, and no more than may be."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from zoo import BadFile
from zoo.data.formats.folders import PICTURE_FILES
from zoo.models.inputs.archive import ArchiveLimits, archive_files


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def read(path: Path, folder: Path, limits: ArchiveLimits | None = None) -> tuple[list[tuple[str, object]], list[str]]:
    """Names with bytes or with why there are none; and the notes."""
    notes: list[str] = []
    folder.mkdir(exist_ok=True)
    found: list[tuple[str, object]] = []
    for name, copy in archive_files(path, folder, PICTURE_FILES, note=notes.append, limits=limits):
        found.append((name, copy.message if isinstance(copy, BadFile) else copy.read_bytes()))
        assert len(list(folder.iterdir())) <= 1
    assert list(folder.iterdir()) == []
    return found, notes


def test_pictures_come_in_order_and_the_rest_is_left_out(tmp_path: Path) -> None:
    members = {"b.png": b"2", "in/a.JPG": b"1", "notes.txt": b"x", "__MACOSX/._b.png": b"x", ".DS_Store": b"x"}
    path = archive(tmp_path / "photos.zip", members)
    found, notes = read(path, tmp_path / "scratch")
    assert found == [("b.png", b"2"), ("in/a.JPG", b"1")]
    assert notes == [
        f"{path}: left out .DS_Store, ._b.png: names that begin with a dot, and folders that begin with an underscore, "
        "are not data",
        f"{path}: left out 1 file other than pictures (1 .txt)",
    ]


def test_no_name_leads_out_of_the_scratch_folder(tmp_path: Path) -> None:
    path = archive(tmp_path / "evil.zip", {"../../up.png": b"x", "/etc/root.png": b"y", "a.png": b"z"})
    (tmp_path / "in").mkdir()
    found, _ = read(path, tmp_path / "in" / "scratch")
    assert found == [("/etc/root.png", b"y"), ("a.png", b"z")]
    assert sorted(file.name for file in tmp_path.rglob("*.png")) == []


def test_a_link_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "links.zip"
    with zipfile.ZipFile(path, "w") as file:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("a.png", b"z")
    found, notes = read(path, tmp_path / "scratch")
    assert found == [("a.png", b"z")]
    assert notes == [f"{path}: left out 1 file other than pictures (1 links)"]


def test_what_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.zip", {"a.png": bytes(5_000_000), "b.png": b"z"})
    found, _ = read(path, tmp_path / "scratch", ArchiveLimits(file_bytes=2_000_000))
    assert found == [("a.png", "a.png unpacks to more than 2,000,000 bytes"), ("b.png", b"z")]
    with pytest.raises(BadFile, match="holds 2 files, and at most 1 are read"):
        read(path, tmp_path / "scratch", ArchiveLimits(files=1))


def test_a_size_that_is_a_lie_is_found_out(tmp_path: Path) -> None:
    path = archive(tmp_path / "lie.zip", {"a.png": bytes(5_000_000)})
    raw = path.read_bytes()
    path.write_bytes(raw.replace(struct.pack("<L", 5_000_000), struct.pack("<L", 10)))
    ((name, said),), _ = read(path, tmp_path / "scratch", ArchiveLimits(file_bytes=2_000_000))
    assert name == "a.png"
    assert isinstance(said, str)


def test_damage_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "not.zip"
    path.write_bytes(b"PK nonsense")
    with pytest.raises(BadFile, match=r"not\.zip cannot be read as a \.zip archive"):
        read(path, tmp_path / "scratch")
    whole = archive(tmp_path / "cut.zip", {"a.png": bytes(range(256)) * 40})
    raw = bytearray(whole.read_bytes())
    raw[60:70] = b"\xff" * 10
    whole.write_bytes(raw)
    ((_, said),), _ = read(whole, tmp_path / "scratch")
    assert isinstance(said, str) and said.startswith("a.png is damaged")
    with pytest.raises(BadFile, match="holds no pictures"):
        read(archive(tmp_path / "texts.zip", {"a.txt": b"x"}), tmp_path / "scratch")
