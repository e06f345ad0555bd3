"""docs/training.md: its table is that of the sources, and its command runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

from docs.train_options import PAGE, written

TEXT = PAGE.read_text()


def test_the_table_is_that_of_the_sources() -> None:
    assert written(TEXT) == TEXT, "python docs/train_options.py"


def test_the_command_on_the_page_runs(zoo_command: Callable[..., Any]) -> None:
    command, *_ = re.findall(r"^\$ zoo (.*)$", TEXT, re.MULTILINE)
    said = zoo_command(*shlex.split(command))
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == "next: zoo train cnn --epochs 2 --lr 0.05 --set recipe.clip=1"
