"""The rows of a sweep: one line of JSON for each model, appended as it is done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal

from zoo.api.errors import BadFile

SUFFIX: Final = ".jsonl"
Verdict = Literal["PASS", "WARN", "FAIL", "INCONCLUSIVE", "REFUSED", "TIMEOUT", "MEMORY", "CRASH"]
PROVED: Final = ("PASS", "WARN")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """What became of one model."""

    model: str
    """Full name."""
    verdict: Verdict
    """Of the proof; REFUSED where zoo said no, TIMEOUT and MEMORY for a limit, CRASH where the process died."""
    reason: str = ""
    """Why it is not proved; empty where it is."""
    parameters: int | None = None
    worst_ratio: float | None = None
    """The largest error of a comparison that gates, in units of PyTorch's own noise; 8 is the limit."""
    nodes: int | None = None
    """Of model.onnx."""
    bytes: int | None = None
    """Of model.onnx."""
    latency_ms: float | None = None
    """Median of one answer of model.onnx for a batch of one, one thread."""
    eager_ms: float | None = None
    """The same of the network in PyTorch."""
    cpu_seconds: float = 0.0
    """Of the export with its proof, children included, imports left out."""
    seconds: float = 0.0
    """On the clock."""
    memory_mb: int = 0
    """The most that the process and its children held at once."""
    machine: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    written: str = ""
    """When, in UTC: 2026-12-01T03:40:00Z.  Of two rows of a model the newer one counts, in whichever file it is."""

    @property
    def proved(self) -> bool:
        """Whether the file may be published."""
        return self.verdict in PROVED


def row_of(record: Mapping[str, Any]) -> SweepRow:
    """A row from its JSON; TypeError for one without a model or a verdict."""
    known = {one.name for one in fields(SweepRow)}
    return SweepRow(**{name: value for name, value in record.items() if name in known})


def read_rows(paths: Iterable[Path]) -> dict[str, SweepRow]:
    """The newest row of each model in these files, and in the files of these folders; BadFile for a line that is none.

    A last line without its end is left out: a process was killed while it wrote.
    """
    rows: dict[str, SweepRow] = {}
    for path in _files(paths):
        content = path.read_text(encoding="utf-8")
        lines = content.split("\n")
        for number, line in enumerate(lines[:-1], start=1):
            try:
                row = row_of(json.loads(line))
            except (ValueError, TypeError, AttributeError) as error:
                raise BadFile(f"{path}, line {number} is no row of a sweep: {error}") from error
            if row.model not in rows or row.written >= rows[row.model].written:
                rows[row.model] = row
    return rows


def append_row(path: Path, row: SweepRow) -> None:
    """Write a row behind the others, whole or not at all."""
    line = json.dumps(asdict(row), separators=(",", ":")) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    _end_line(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def summary(rows: Sequence[SweepRow]) -> str:
    """How many are proved, and how many are not for which reason."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.verdict] = counts.get(row.verdict, 0) + 1
    proved = sum(row.proved for row in rows)
    others = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()) if verdict not in PROVED)
    return f"{proved} of {len(rows)} proved" + (f"; {others}" if others else "")


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
    return files


def _end_line(path: Path) -> None:
    """End a line that a killed process left unfinished: the next row must not become a part of it."""
    if not path.is_file() or not path.stat().st_size:
        return
    with path.open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) == b"\n":
            return
        content = path.read_bytes()
        file.truncate(content.rfind(b"\n") + 1)
