"""The tasks that zoo brings, as its catalogue gives them, and what they read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.parts import Task
from zoo.api.problem import Problem
from zoo.registry.catalog import Catalog

if TYPE_CHECKING:
    from zoo.api.task import Arrays


def builtin_task(name: str) -> Task:
    """The task of this name, its parts not yet made."""
    return Catalog.discover().make_task(f"zoo/{name}")


def read_one(task: Task, path: Path, problem: Problem) -> Arrays:
    """The inputs of a file that holds one item."""
    (item,) = task.data.read(path, problem)
    return item.inputs
