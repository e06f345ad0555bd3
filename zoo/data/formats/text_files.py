"""Files of text: what their byte order mark says, what --encoding says, or UTF-8; anything else is an error."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from difflib import get_close_matches
from encodings.aliases import aliases
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest
from zoo.api.errors import BadFile, BadSample, UsageError
from zoo.data.formats.folders import special_kind
from zoo.data.formats.inspection import SPECIAL_FIX
from zoo.data.formats.likely_encodings import WIDE, likely_readings

UTF8: Final = "utf-8-sig"
MARKS: Final = {
    codecs.BOM_UTF8: UTF8,
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The encoding that a byte order mark stands for; it counts before --encoding."""
WIDE_SHARE: Final = 0.3
"""A share of zero bytes above this is UTF-16 without its mark."""
LOOKED_AT: Final = 200
"""Lines that no encoding is sought for more than."""
NO_TEXTS: Final = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf_7", "undefined", "mbcs", "oem")
"""Codecs of Python that no file of text is in."""


def check_encoding(name: str) -> None:
    """UsageError where Python knows no encoding of texts by this name; an empty name is none."""
    if name and not _is_encoding(name):
        known = sorted({alias for pair in aliases.items() for alias in pair if _is_encoding(alias)})
        close = get_close_matches(_plain(name), known, n=3)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        raise UsageError(f"--encoding {name} is no encoding", hint=f"{hint}as in utf-16-le, cp1252, cp1251, gb18030")


def _is_encoding(name: str) -> bool:
    try:
        "".encode(name)  # LookupError for base64 and others that encode no text
        return _plain(codecs.lookup(name).name) not in NO_TEXTS
    except (LookupError, ValueError):
        return False


def encoding_of(request: DataRequest | None) -> str:
    """The encoding that a request names; empty for none."""
    return request.encoding if request else ""


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_")


def decode_file(path: Path, name: str, encoding: str = "") -> str | BadSample:
    """The text of a file, its line ends \\n; or what is wrong with its bytes, and how they may be meant.

    Args:
        path: A file of text.
        name: What errors call it.
        encoding: As in "cp1252"; empty for UTF-8, or what the byte order mark says.

    Returns:
        The text, or a `BadSample` that shows how a line reads in the likely encodings.

    Examples:
        >>> _ = Path("a.txt").write_bytes(b"one\\r\\ntwo")
        >>> zoo.decode_file(Path("a.txt"), "a.txt")
        'one\\ntwo'
    """
    if kind := special_kind(path):
        return BadSample(name, f"it is {kind}, not a file", SPECIAL_FIX)
    raw = path.read_bytes()
    marked = _marked(raw)
    if not (marked or encoding) and raw.count(0) > WIDE_SHARE * len(raw):
        return BadSample(
            name, "not UTF-8 text: every second byte is zero, as in UTF-16", f"say --encoding {_wide(raw)}"
        )
    chosen = marked or encoding or UTF8
    try:
        text = raw.decode(chosen)
    except UnicodeDecodeError as error:
        return _not_decoded(raw, error, name, chosen)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return BadSample(name, f"not text: a zero byte in line {line}", "take it out: text has none")
    text = text.replace("\r\n", "\n")
    return text if "\n" in text else text.replace("\r", "\n")


def file_text(path: Path, encoding: str = "") -> str:
    """The text of a file without which nothing can be read, as a table; BadFile where it is none."""
    text = decode_file(path, path.name, encoding)
    if isinstance(text, BadSample):
        raise BadFile(f"{path} is {text.reason}", hint=text.fix)
    return text


def decode_head(raw: bytes, encoding: str = "") -> str:
    """The beginning of a file as well as it can be read, to see what kind it is; empty where it is no text."""
    text = raw.decode(_marked(raw) or encoding or UTF8, "replace")
    return "" if "\0" in text else text.replace("\r\n", "\n")


def _marked(raw: bytes) -> str:
    return next((encoding for mark, encoding in MARKS.items() if raw.startswith(mark)), "")


def _wide(raw: bytes) -> str:
    """The order of bytes: of most letters the higher byte is zero."""
    return WIDE[0] if raw[1::2].count(0) > raw[::2].count(0) else WIDE[1]


def _not_decoded(raw: bytes, error: UnicodeDecodeError, name: str, encoding: str) -> BadSample:
    """What is wrong with bytes that an encoding does not have, how the line may be meant, and what decides."""
    number = raw.count(b"\n", 0, error.start) + 1
    said = "UTF-8" if encoding == UTF8 else encoding
    reason = f"not {said} text: byte 0x{raw[error.start]:02x} at {error.start:,}, in line {number}"
    if encoding != UTF8 and _decodes(raw, "utf-8"):
        return BadSample(name, f"{reason}; it is UTF-8", "leave --encoding out")
    lines = [raw] if b"\0" in raw else list(_odd_lines(raw))
    readings = [reading for reading in likely_readings(lines) if reading.encoding != encoding]
    shown = ", ".join(f"{reading.text!r} as {reading.encoding}" for reading in readings)
    reason = f"{reason}, which reads {shown}" if readings else reason
    if encoding == UTF8 and _has_utf8(raw):
        return BadSample(name, reason, f"other lines are UTF-8: correct line {number}")
    if not readings:
        return BadSample(name, reason, "save it as UTF-8, or name its encoding with --encoding")
    options = " or ".join(f"--encoding {reading.encoding}" for reading in readings)
    return BadSample(name, reason, f"say which is right: {options}")


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _odd_lines(raw: bytes) -> Iterator[bytes]:
    """The first lines that are no UTF-8."""
    odd = (line for line in raw.splitlines() if not line.isascii() and not _decodes(line, "utf-8"))
    yield from (line for _, line in zip(range(LOOKED_AT), odd, strict=False))


def _has_utf8(raw: bytes) -> bool:
    """Whether a line above ASCII is UTF-8."""
    return any(not line.isascii() and _decodes(line, "utf-8") for line in raw.splitlines())
