"""Which encodings a person is shown where bytes are no UTF-8."""

from __future__ import annotations

import pytest

from zoo.data.formats.likely_encodings import Reading, likely_readings


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Le café était très bon, crème brûlée à côté"),
        ("cp1252", "Müller sagt: “größer” – don’t"),
        ("cp1250", "Zażółć gęślą jaźń"),
        ("cp1251", "Отличный фильм, всем советую"),
        ("koi8-r", "Отличный фильм"),
        ("cp866", "Отличный фильм"),
        ("cp932", "とても良い映画です。おすすめ"),
        ("cp949", "아주 좋은 영화"),
        ("gb18030", "这部电影很好看"),
        ("big5", "這部電影很好看"),
        ("cp1253", "Πολύ καλή ταινία"),
        ("mac-roman", "Müller größer"),
    ],
)
def test_the_first_reading_is_the_one_that_was_written(encoding: str, text: str) -> None:
    assert likely_readings([text.encode(encoding)])[0].encoding == encoding


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("euc-jp", "とても良い映画です"), ("cp850", "Müller größer"), ("cp1254", "Çok güzel bir şey, ığüş İyi")],
)
def test_others_are_among_those_that_are_shown(encoding: str, text: str) -> None:
    assert encoding in [reading.encoding for reading in likely_readings([text.encode(encoding)])]


def test_the_first_line_is_shown_around_its_first_special_character() -> None:
    lines = [f"{'so many words before '}{'x' * 10} Käse und noch viel mehr danach".encode("cp1252"), b"\xfc"]
    [reading] = likely_readings(lines, most=1)
    assert reading == Reading("cp1252", "…before xxxxxxxxxx Käse und noch viel me…")


def test_bytes_that_are_no_text_have_no_reading() -> None:
    assert likely_readings([bytes(range(128, 256)) * 3]) == []


def test_zero_bytes_are_read_as_utf_16() -> None:
    assert [reading.encoding for reading in likely_readings(["é a".encode("utf-16-le")])] == ["utf-16-le"]
