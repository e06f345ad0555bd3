"""What is known of how fast and how large the bundles of this user are: measured here, or as their manifests say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.api.errors import BadFile, DiskError, UsageError
from zoo.bundle.benchmark import FP32, PIPELINE, Benchmark, processor
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.speed_record import SpeedRecord
from zoo.runs.atomic import write_json
from zoo.runs.known_runs import known_runs, state_root
from zoo.runs.serialization import to_json

FOLDER = "bench"
"""Inside the state folder: a small file for each bundle that `zoo bench` measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """One pipeline of a bundle: the fp32 one, or a variant's."""

    bundle: str
    model: str
    task: str
    variant: str
    """fp32, or the name of a variant."""
    bytes: int
    """Of its pipeline.onnx."""
    latency_ms: float | None = None
    """The median of one item on one thread; None where nobody measured it."""
    peak_bytes: int | None = None
    """Of a process that answers one item, the runtime included; None where it was not measured here."""
    machine: str = ""
    """Where it was measured."""
    verdict: str = ""
    """PASS, WARN, or unproved for what was published without a proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What is known of one pipeline."""

    latency_ms: float | None = None
    peak_bytes: int | None = None
    machine: str = ""


def remember_benchmark(bundle: Bundle, measured: Benchmark) -> None:
    """Note what a benchmark measured of one item on one thread; a state folder that cannot be written costs nothing."""
    if (measured.graph, measured.batch, measured.threads) != (PIPELINE, 1, 1):
        return
    names = {FP32, *(record.name for record in bundle.manifest.variants)}
    rows = {
        subject.name: Noted(latency_ms=round(1e3 * subject.percentile(50), 4), peak_bytes=subject.peak_bytes)
        for subject in measured.subjects
        if subject.name in names
    }
    with suppress(DiskError, OSError, UnicodeError, UsageError):
        file = _file(bundle.path)
        file.parent.mkdir(parents=True, exist_ok=True)
        known = _noted(bundle)
        document = {"path": str(bundle.path.absolute()), "sha256": bundle.sha256, "machine": processor()}
        write_json(file, {**document, "rows": to_json({**known, **rows})})


def bundle_numbers(folder: Path) -> Iterator[Numbers]:
    """The rows of the bundles that were measured here, belong to known runs, or lie in the exports/ of a folder."""
    seen = set[Path]()
    for path in (*_measured_paths(), *_exported_paths(folder)):
        resolved = path.resolve()
        if resolved in seen:
            continue
        seen.add(resolved)
        with suppress(BadFile, OSError):
            yield from numbers_of(Bundle.open(path))


def numbers_of(bundle: Bundle) -> Iterator[Numbers]:
    """A row for the fp32 pipeline and for each variant: what was measured here, else what the manifest says."""
    manifest, noted = bundle.manifest, _noted(bundle)
    sizes = {file.name: file.bytes for file in manifest.files}
    told = next((record for record in manifest.variants if record.baseline_milliseconds is not None), None)
    alone = _said(
        manifest.speed, None if told is None else told.baseline_milliseconds, "" if told is None else told.machine
    )
    rows = [(FP32, sizes[PIPELINE], manifest.verdict, alone)]
    rows += [
        (record.name, record.bytes, record.verdict, _said(record.speed, record.milliseconds, record.machine))
        for record in manifest.variants
    ]
    for name, size, verdict, said in rows:
        known = replace(noted[name], machine=processor()) if name in noted else said
        yield Numbers(
            bundle=str(bundle.path),
            model=manifest.model,
            task=manifest.task,
            variant=name,
            bytes=size,
            latency_ms=known.latency_ms,
            peak_bytes=known.peak_bytes,
            machine=known.machine,
            verdict="unproved" if manifest.verdict == "unproved" else verdict,
        )


def _said(speed: SpeedRecord | None, milliseconds: float | None, machine: str) -> Noted:
    """What a manifest says of a pipeline; `milliseconds` were measured in turns with another one, which counts more."""
    if speed is None:
        return Noted(latency_ms=milliseconds, machine=machine)
    latency = speed.milliseconds if milliseconds is None else milliseconds
    return Noted(latency_ms=latency, peak_bytes=speed.peak_bytes, machine=speed.machine)


def _file(path: Path) -> Path:
    name = hashlib.sha256(str(path.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return state_root() / FOLDER / f"{name}.json"


def _noted(bundle: Bundle) -> dict[str, Noted]:
    """What was measured here of these very bytes, by variant."""
    try:
        document = json.loads(_file(bundle.path).read_bytes())
        if (document["sha256"], document["machine"]) != (bundle.sha256, processor()):
            return {}
        return {name: Noted(**row) for name, row in document["rows"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, UsageError):
        return {}  # never measured, or damaged


def _measured_paths() -> Iterator[Path]:
    with suppress(UsageError):
        for file in sorted((state_root() / FOLDER).glob("*.json")):
            with suppress(OSError, ValueError, TypeError, KeyError):
                yield Path(json.loads(file.read_bytes())["path"])


def _exported_paths(folder: Path) -> Iterator[Path]:
    yield from (path.parent for path in sorted((folder / "exports").glob("*/manifest.json")))
    for run in known_runs():
        yield from (path.parent for path in sorted(run.path.glob("export*/manifest.json")))


def as_document(numbers: Numbers) -> object:
    """A row for machines."""
    return to_json(numbers)
