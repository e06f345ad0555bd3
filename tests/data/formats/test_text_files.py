"""Files of text in any encoding: what their mark says, what --encoding says, or UTF-8."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.api.errors import BadSample, UsageError
from zoo.data.formats.text_files import check_encoding, decode_file

TEXT = "Größe,a\nCafé,b\n"


@pytest.mark.parametrize(
    ("saved_in", "said"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-32", ""),
        ("utf-16", "cp1252"),  # its mark counts before the option
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "UTF-16BE"),
        ("cp1252", "cp1252"),
        ("cp1252", "latin1"),
        ("mac-roman", "mac-roman"),
        ("cp850", "cp850"),
    ],
)
def test_a_file_is_read_in_its_encoding(saved_in: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(TEXT.replace("\n", "\r\n").encode(saved_in))
    assert decode_file(tmp_path / "a.txt", "a.txt", said) == TEXT


@pytest.mark.parametrize(
    ("content", "said", "reason", "fix"),
    [
        (
            TEXT.encode("cp1252"),
            "",
            "in line 1, which reads 'Größe,a' as cp1252",
            "say which is right: --encoding cp1252",
        ),
        (TEXT.encode("cp1252"), "utf-16-le", "not utf-16-le text: byte 0xf6 at 2, in line 1", "--encoding cp1252"),
        (TEXT.encode(), "ascii", "not ascii text: byte 0xc3 at 2, in line 1; it is UTF-8", "leave --encoding out"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "", "not UTF-8 text: byte 0xff at 0, in line 1", "save it as UTF-8"),
    ],
)
def test_what_cannot_be_read_says_how_it_may_be_meant(
    content: bytes, said: str, reason: str, fix: str, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    problem = decode_file(tmp_path / "a.txt", "a.txt", said)
    assert isinstance(problem, BadSample)
    assert (reason in problem.reason, fix in problem.fix) == (True, True), problem


@pytest.mark.parametrize("name", ["", "cp1252", "UTF-16LE", "latin1", "windows-1252", "GBK", "shift_jis"])
def test_every_name_that_python_knows_is_taken(name: str) -> None:
    check_encoding(name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("cp125", "did you mean cp1258"), ("base64", "as in"), ("nothing at all", "as in"), ("unicode_escape", "as in")],
)
def test_other_names_are_refused(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="is no encoding") as caught:
        check_encoding(name)
    assert hint in caught.value.hint
