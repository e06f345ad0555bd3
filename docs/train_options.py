"""Writes the table of docs/training.md from `zoo.runs.train_options`: every option of a training, once.

python docs/train_options.py
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "export")]

from zoo.runs.train_options import TRAIN_OPTIONS, TrainOption  # noqa: E402  the checkout's own

PAGE = ROOT / "docs" / "training.md"
MARK = "<!-- written by docs/train_options.py from here on -->\n"
GOES_TO = {"config": "`{name}`", "recipe": "`recipe.{name}`", "start": ""}


def table() -> str:
    """The options as Markdown, in the order of `zoo train --help`."""
    rows = ["| `zoo train` | `zoo.train` | type | config.json | |", "|---|---|---|---|---|", *map(_row, TRAIN_OPTIONS)]
    return "\n".join(rows) + "\n"


def written(page: str) -> str:
    """The page with its table as the sources have it now."""
    return page.partition(MARK)[0] + MARK + "\n" + table()


def _row(option: TrainOption) -> str:
    flags = ", ".join(f"`{flag}`" for flag in (option.short, option.flag) if flag)
    recorded = "`recipe`" if option.multiple else GOES_TO[option.destination].format(name=option.name)
    return f"| {flags} | `{option.name}` | {_type(option.type)} | {recorded} | {option.help} |"


def _type(annotation: object) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    names = [part.__name__ for part in get_args(annotation) or (annotation,) if isinstance(part, type)]
    return f"list of {names[0]}" if get_origin(annotation) is not None and len(names) == 1 else " or ".join(names)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
