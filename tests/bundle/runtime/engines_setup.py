"""What the runtimes of `engines` need."""

from __future__ import annotations

import zoo


def homeless() -> str:
    houses: dict[str, str] = {}
    return houses["HOUSE"]


def boardless() -> str:
    raise zoo.MissingExtra("a board is needed", hint="plug it in")


def here() -> str:
    return "/tmp"
