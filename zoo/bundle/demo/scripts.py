"""The modules in script/ as one module, which a page can hold and a folder can carry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("script")
_IMPORT: Final = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=async function|function|const|class)", re.MULTILINE)


def joined_script(entry: str) -> str:
    """The text of a module of script/ with the modules that it imports put before it, each once.

    All share one scope, so a name stands in one module only; what `entry` exports stays exported.
    """
    *needed, last = _modules(entry, seen=set())
    parts = [_EXPORT.sub("", _text(name)) for name in needed]
    return "\n".join(part.strip() + "\n" for part in (*parts, _text(last)))


def _text(name: str) -> str:
    return _IMPORT.sub("", (FOLDER / name).read_text(encoding="utf-8"))


def _modules(name: str, *, seen: set[str]) -> Iterator[str]:
    """The names of a module and of those that it needs, the needed ones first."""
    seen.add(name)
    for other in _IMPORT.findall((FOLDER / name).read_text(encoding="utf-8")):
        if other not in seen:
            yield from _modules(other, seen=seen)
    yield name
