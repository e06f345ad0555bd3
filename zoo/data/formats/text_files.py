"""Files of text: UTF-8, or what their byte order mark says; anything else is an error that names the way to UTF-8."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

from zoo.api.errors import BadSample
from zoo.data.formats.folders import special_kind
from zoo.data.formats.inspection import SPECIAL_FIX

MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The encoding that a byte order mark stands for."""
WIDE: Final = 0.3
"""A share of zero bytes above this is UTF-16 without its mark."""


def decode_file(path: Path, name: str) -> str | BadSample:
    """The text of a file, its line ends \\n; or what is wrong with its bytes."""
    if kind := special_kind(path):
        return BadSample(name, f"it is {kind}, not a file", SPECIAL_FIX)
    raw = path.read_bytes()
    encoding = next((encoding for mark, encoding in MARKS.items() if raw.startswith(mark)), "utf-8-sig")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        expected = "UTF-8" if encoding == "utf-8-sig" else encoding.upper()
        reason = f"not {expected} text: byte 0x{raw[error.start]:02x} at {error.start:,}, in line {line}"
        return BadSample(name, reason, _way(name, "latin1" if encoding == "utf-8-sig" else encoding))
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        fix = _way(name, "utf-16le") if raw.count(0) > WIDE * len(raw) else "take it out: text has none"
        return BadSample(name, f"not text: a zero byte in line {line}", fix)
    text = text.replace("\r\n", "\n")
    return text if "\n" in text else text.replace("\r", "\n")


def _way(name: str, encoding: str) -> str:
    return f"save it as UTF-8, as in: iconv -f {encoding} -t utf-8 {name} (if {encoding} is what it was saved in)"
