"""Which task the data at a path are for, where nobody says it: the formats are asked, those with labels first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from zoo.api.data import DataRequest, DataSource
from zoo.api.errors import DataError, ZooError
from zoo.api.specs import TaskSpec
from zoo.data.formats.detect import read_source
from zoo.data.formats.folders import LOOK_AT, contents
from zoo.data.formats.named_path import named_path
from zoo.data.formats.other_tools import other_tool
from zoo.data.formats.picture_layouts import name_classes
from zoo.data.formats.samples import FileListing
from zoo.data.formats.text.rows import TextNote, TextRow, named_files
from zoo.data.formats.text_files import check_encoding
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.user_paths import expand_user

UNLABELLED: Final = ("image-reconstruction", "image-generation", "text-generation", "audio-generation")
"""Tasks that learn from what has no labels, and can read most data of the others."""
PICTURES: Final = ("image-classification", "image-embedding", "image-reconstruction", "image-generation")
WHOLE: Final = (*PICTURES, "text-classification", "text-embedding", "text-generation")
"""Tasks that learn from whole pictures or texts, whatever annotations lie beside them."""
ANNOTATED: Final = ("object-detection", "semantic-segmentation")
"""Tasks that any .json file may be for: they come last where none begins as COCO's."""
SOME: Final = 20
"""Rows that are looked at to tell a table of pictures from one of texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredTask:
    """The task that data are for."""

    task: str
    """Its bare or full name."""
    others: tuple[str, ...] = ()
    """Other tasks that could read them."""


def infer_task(request: DataRequest, catalog: Catalog) -> InferredTask:
    """The first task whose format the data are kept in; DataError where no task can read them.

    UsageError where --encoding names none.
    A table that no task can use as it is goes to the first one that takes such tables, whose check says what is wrong.
    """
    check_encoding(request.encoding)
    sources: dict[str, DataSource] = {}
    unusable: list[str] = []
    errors: list[DataError] = []
    for entry in _ordered(catalog):
        try:
            source = catalog.make_task(entry.full_name).data.detect(request)
        except DataError as error:
            errors.append(error)
            continue
        except ZooError:
            continue  # --format of another task, a missing extra
        if _is_readable(source):
            sources[entry.bare_name] = source
        else:
            unusable.append(entry.bare_name)
    if sources:
        names = sorted(sources, key=lambda name: name in ANNOTATED and not sources[name].sure)
        _refuse_lost_labels(sources[names[0]], names[0])
        return InferredTask(task=names[0], others=tuple(names[1:]))
    named_path(request, accepted="name a folder, a file, or embedded data")
    chosen = next((error for error in errors if not error.hint.startswith("accepted are")), None)
    if chosen is not None:
        raise chosen
    if unusable:
        return InferredTask(task=unusable[0], others=tuple(unusable[1:]))
    hint = "name the task with --task, to see what it takes"
    raise DataError(f"{request.source} is no data that an installed task can read", hint=hint)


def _refuse_lost_labels(source: DataSource, task: str) -> None:
    """DataError where labels lie beside pictures, or in their names, that the task would not learn from.

    Who names a task has said what to learn.
    """
    top, request = expand_user(source.request.source), source.request
    if task not in WHOLE or not top.is_dir() or request.format or request.train:
        return
    files = contents(top, top, limit=LOOK_AT).files
    match = other_tool(top)
    if match and (files or match[1].suffix == ".csv"):
        file, tool = match
        reads = f"; --task {task} reads the pictures without it" if task in PICTURES else ""
        raise DataError(f"{file} is {tool.what}, which zoo does not read", hint=f"{tool.advice}{reads}")
    classes = name_classes(files) if task in PICTURES and task in UNLABELLED else []
    if classes:
        raise DataError(
            f"the pictures in {top} lie in no class folder, and their names begin with {', '.join(classes[:5])}",
            hint="for a classifier move those of each class into a folder of its own, or write a table (path,label); "
            f"--task {task} learns from them without labels",
        )


def _ordered(catalog: Catalog) -> list[RegistryEntry[TaskSpec]]:
    """Tasks in the order in which formats name them first; then those that need no labels; then those with neither."""
    ranks: dict[str, int] = {}
    for spec in (entry.spec for entry in catalog.formats()):
        ranks.setdefault(catalog.task(spec.tasks[0]).full_name, len(ranks))

    def rank(entry: RegistryEntry[TaskSpec]) -> tuple[bool, bool, int, str]:
        known = ranks.get(entry.full_name, len(ranks))
        return entry.full_name not in ranks, entry.spec.name in UNLABELLED, known, entry.full_name

    return sorted(catalog.tasks(), key=rank)


def _is_readable(source: DataSource) -> bool:
    """Whether a table, which every task may take for its own, names pictures that exist, or texts."""
    if source.location is None or not source.read or not source.location.is_file():
        return True
    try:
        content = read_source(source)
        if isinstance(content, FileListing):
            return any((content.root / row.name).is_file() for row in content.rows[:SOME])
        return not isinstance(content, Iterator) or _has_texts(list(islice(content, SOME)))
    except ZooError:
        return False


def _has_texts(entries: Sequence[Any]) -> bool:
    """Whether there are texts that are no names of files: a table of pictures that are missing holds no texts."""
    texts = [entry.text for entry in entries if isinstance(entry, TextRow) and not isinstance(entry, TextNote)]
    return bool(texts) and not named_files(texts)
