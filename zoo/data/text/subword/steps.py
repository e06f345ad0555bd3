"""What is done to a text before it becomes tokens: the steps that `parts` makes of a tokenizer.json."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

Step = Mapping[str, Any]


def split_text(text: str, steps: Sequence[Step], *, first: bool) -> list[str]:
    """The pieces of a text after these steps; `first` where nothing of the whole text stands before it."""
    pieces = [text]
    for step in steps:
        if step["do"] == "split":
            pieces = [part for piece in pieces for part in _parts(piece, step)]
        else:
            pieces = [_changed(piece, step, first=first) for piece in pieces]
    return [piece for piece in pieces if piece]


def _changed(text: str, step: Step, *, first: bool) -> str:
    """A text after a step that leaves it one text."""
    if step["do"] == "begin":
        absent = not text.startswith(step["text"]) or not step["once"]
        return step["text"] + text if text and absent and (first or not step["first"]) else text
    changes: Mapping[str, Callable[[], str]] = {
        "form": lambda: unicodedata.normalize(step["form"], text),
        "replace": lambda: re.sub(step["pattern"], step["by"], text),
        "lower": lambda: "".join(map(str.lower, text)),  # sign by sign: a sigma stays what it is at the end of a word
        "bytes": lambda: "".join(byte_signs()[byte] for byte in text.encode()),
        "charsmap": lambda: "".join(_mapped(text, step)),
    }
    return changes[step["do"]]()


def _parts(text: str, step: Step) -> Iterable[str]:
    """A text split around what matches; by the behavior matches go, stay, or are joined to a neighbour."""
    parts, end = list[tuple[str, bool]](), 0
    for match in re.finditer(step["pattern"], text):
        parts += [(text[end : match.start()], step["invert"]), (match[0], not step["invert"])]
        end = match.end()
    parts = [(part, matched) for part, matched in (*parts, (text[end:], step["invert"])) if part]
    if step["behavior"] in ("Removed", "Isolated"):
        return [part for part, matched in parts if not matched or step["behavior"] == "Isolated"]
    kept, last, forwards = list[str](), None, step["behavior"] != "MergedWithNext"
    for part, matched in parts if forwards else parts[::-1]:
        if kept and (matched == last if step["behavior"] == "Contiguous" else matched and not last):
            kept[-1] = kept[-1] + part if forwards else part + kept[-1]
        else:
            kept.append(part)
        last = matched
    return kept if forwards else kept[::-1]


@cache
def byte_signs() -> tuple[str, ...]:
    """The visible sign that stands for each byte in GPT-2's vocabulary: itself, or one from U+0100 on."""
    printable, others = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}, iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in printable else next(others)) for byte in range(256))


def _mapped(text: str, step: Step) -> Iterator[str]:
    """SentencePiece's table: a sign with its marks, where that is under six bytes, by what its beginning means."""
    table = step["table"]
    for cluster in re.findall(step["clusters"], text):
        starts = (cluster[: end + 1] for end in range(len(cluster) if len(cluster.encode()) < 6 else 0))
        whole = next((table[start] for start in starts if start in table), None)
        yield "".join(table.get(sign, sign) for sign in cluster) if whole is None else whole
