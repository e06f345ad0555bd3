"""Looking into every file of a listing: in threads, remembered by path, size and time of change.

What looking means is the task's: a function from a path to facts as JSON, which raises ValueError with a
sentence when the file cannot be used.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zoo.api.errors import BadSample, DiskError
from zoo.api.problem import Json
from zoo.api.task import Progress
from zoo.data.formats.folders import special_kind
from zoo.data.formats.splits import place
from zoo.runs.atomic import write_text
from zoo.runs.cache import cache_root

Facts = Mapping[str, Json]
Inspect = Callable[[Path], Facts]

SAMPLE_ABOVE: Final = 100_000
"""Where there are more files, a sample is looked at first, so that a hopeless source fails early."""
SAMPLE: Final = 1_000
CHUNK: Final = 1_000
"""Files that are given to the threads at a time: a hundred thousand tasks that wait would fill the memory."""
FIX: Final = "if another program opens it, save it anew from there; else get it again, or move it out of the data"
SPECIAL_FIX: Final = "move it out of the data, or copy what it gives into a file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What looking found, by the names of the listing."""

    facts: Mapping[str, Facts]
    sizes: Mapping[str, int]
    """Bytes of every readable file."""
    problems: Sequence[BadSample]
    complete: bool = True
    """False when a sample had problems and the rest was not looked at."""


def inspect_files(
    root: Path, names: Sequence[str], inspect: Inspect, *, version: str, progress: Progress, stop_early: bool = True
) -> Inspection:
    """Facts of every file; `version` names the inspecting code, so that old results are not taken for new ones."""
    memory = cache_root() / "checks" / f"{_digest(version, str(root))}.json"
    known = _remembered(memory)
    if len(names) > SAMPLE_ABOVE and stop_early:
        sample = sorted(names, key=place)[:SAMPLE]
        first = _look(root, sample, inspect, known, progress)
        if first.problems:
            return Inspection(facts=first.facts, sizes=first.sizes, problems=first.problems, complete=False)
    result = _look(root, names, inspect, known, progress)
    new = [name for name, facts in result.facts.items() if name not in known or facts is not known[name][2]]
    if new:
        _remember(memory, {**known, **_entries(root, result, new)})
    return result


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _look(
    root: Path, names: Sequence[str], inspect: Inspect, known: Mapping[str, list[Json]], progress: Progress
) -> Inspection:
    def look(name: str) -> tuple[int, Facts | BadSample]:
        path = root / name
        try:
            stat = path.stat()
            entry = known.get(name)
            if entry and entry[:2] == [stat.st_size, stat.st_mtime_ns] and isinstance(entry[2], dict):
                return stat.st_size, entry[2]
            if kind := special_kind(path):
                return 0, BadSample(name, f"it is {kind}, not a file", SPECIAL_FIX)
            return stat.st_size, inspect(path)
        except (ValueError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return 0, BadSample(name, reason.removeprefix(str(path)).strip(), FIX)

    facts: dict[str, Facts] = {}
    sizes: dict[str, int] = {}
    problems: list[BadSample] = []
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        parts = (names[start : start + CHUNK] for start in range(0, len(names), CHUNK))
        looked = (pair for part in parts for pair in zip(part, pool.map(look, part), strict=True))
        for done, (name, (size, result_or_problem)) in enumerate(looked, 1):
            if isinstance(result_or_problem, BadSample):
                problems.append(result_or_problem)
            else:
                facts[name], sizes[name] = result_or_problem, size
            progress(done, len(names))
    return Inspection(facts=facts, sizes=sizes, problems=problems)


def _entries(root: Path, result: Inspection, names: Sequence[str]) -> dict[str, list[Json]]:
    entries: dict[str, list[Json]] = {}
    for name in names:
        stat = (root / name).stat()
        if stat.st_size == result.sizes[name]:
            entries[name] = [stat.st_size, stat.st_mtime_ns, dict(result.facts[name])]
    return entries


def _remembered(memory: Path) -> dict[str, list[Json]]:
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}  # nothing remembered, or a damaged file: everything is looked at again
    return known if isinstance(known, dict) else {}


def _remember(memory: Path, entries: Mapping[str, list[Json]]) -> None:
    try:
        write_text(memory, json.dumps(entries))
    except (DiskError, OSError):
        return  # a cache that cannot be written costs time, not correctness
