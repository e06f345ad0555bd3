"""The worst cases that a page shows, read back from it: what report.html holds beyond report.json.

Nothing but pictures and escaped text is read, so that a page that is made again from it is as harmless.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from html import unescape
from typing import Final

from zoo.bundle.report.page import ShownCase

_FIGURE: Final = (
    r'<figure>(?:<img src="data:image/png;base64,([A-Za-z0-9+/]+=*)" alt="[^"<>]*"/>)?'
    r"<figcaption><strong>([^<>]*)</strong>([^<>]*)</figcaption></figure>"
)
_CASE: Final = re.compile(
    r'<div class="shown"><h3>([^<>]*)</h3><div class="row">((?:' + _FIGURE.replace("(", "(?:").replace("(?:?:", "(?:")
    + r")*)</div></div>"
)  # fmt: skip
_STYLE: Final = re.compile(r"<style>([^<]*)</style>")
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def read_shown(page: str) -> list[ShownCase]:
    """The cases in order; what is no case is left out, and a page made from them differs there."""
    return [_case(unescape(match[1]), match[2]) for match in _CASE.finditer(page)]


def style_of(page: str) -> str:
    """The first style sheet of a page; empty where it has none."""
    match = _STYLE.search(page)
    return match[1] if match else ""


def _case(name: str, figures: str) -> ShownCase:
    """A case from its figures: the input, PyTorch's answer, the answer of a graph, which is the title."""
    texts: dict[str, str] = {}
    pictures: dict[str, bytes | None] = {}
    for match in re.finditer(_FIGURE, figures):
        title = unescape(match[2])
        texts[title], pictures[title] = unescape(match[3]), _png(match[1])
    graph = next((title for title in texts if title not in ("input", "PyTorch")), "")
    return ShownCase(
        graph=graph,
        case=name,
        reference=texts.get("PyTorch", ""),
        candidate=texts.get(graph, ""),
        input_png=pictures.get("input"),
        reference_png=pictures.get("PyTorch"),
        candidate_png=pictures.get(graph),
    )


def _png(text: str | None) -> bytes | None:
    """The bytes of an embedded picture; None for what is none."""
    try:
        data = b64decode(text or "", validate=True)
    except binascii.Error:
        return None
    return data if data.startswith(_PNG) else None
