"""What is known of zoo's own models before anybody exports them: verdicts.json, written by docs/supported.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("verdicts.json")


def as_text(measured: Mapping[str, tuple[str, float, int]], estimated: Mapping[str, tuple[float, int]]) -> str:
    """The file's content: verdict, CPU seconds and MB by full name, and the latter two of models nobody swept."""
    lines = [f'"{name}": {json.dumps(values)}' for name, values in (*measured.items(), *estimated.items())]
    return "{\n" + ",\n".join(sorted(lines)) + "\n}\n"


def known_verdict(full_name: str) -> str:
    """A line for `zoo info`: what a sweep said of the model, or what its proof is estimated to take; "" for neither."""
    values = _known().get(full_name)
    if values is None:
        return ""
    *verdict, seconds, megabytes = values
    cost = f"{seconds:.0f} CPU s and {megabytes / 1e3:.1f} GB"
    return f"{verdict[0]} with random weights, {cost}" if verdict else f"not swept yet; about {cost}"


@cache
def _known() -> dict[str, list[Any]]:
    document: dict[str, list[Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return document
