"""Golden cases: a few inputs that travel with their fp64 answers, so that any device can be checked."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.errors import BadFile
from zoo.bundle.runtime.manifest import GoldenCase
from zoo.runs.serialization import to_json

MAX_BYTES = 1 << 30
"""Of one case, unpacked."""

MIN_GOLDEN = 5
"""Golden cases of a bundle, where zoo makes so many of its model."""
NUMBERS = "fiub"
"""Kinds of numpy's dtypes that ports have: floats, integers of both kinds, booleans."""

_MISMATCH = (ValueError, TypeError, LookupError, MemoryError, RuntimeError)
"""What feeding and comparing raise over arrays that do not belong to the graph."""

if TYPE_CHECKING:
    from zoo.api.task import Arrays


def golden_bytes(inputs: Arrays, answers: Arrays) -> bytes:
    """The .npz file of one case."""
    import numpy as np  # noqa: PLC0415

    stored: dict[str, Any] = {
        **{f"in.{name}": value for name, value in inputs.items()},
        **{f"out.{name}": value for name, value in answers.items()},
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **stored)
    return buffer.getvalue()


RunGraph = Callable[["Arrays"], "Arrays"]
"""The inputs of a graph to its outputs."""


def replay(
    bundle: Path,
    cases: Sequence[GoldenCase],
    graph: Callable[[str], RunGraph],
    *,
    read: Callable[[str], bytes] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Per golden case the sentences about what is not reproduced; none is good.  `graph` gives a graph by its name.

    `read` gives the bytes of a file by its name, checked; None reads what lies there.
    """
    read = read or (lambda name: _read(bundle / name))
    return {case.name: _replay_case(bundle / case.file, read(case.file), case, graph(case.graph)) for case in cases}


def _replay_case(path: Path, raw: bytes, case: GoldenCase, run: RunGraph) -> tuple[str, ...]:
    from zoo.bundle.runtime.bundled_self_test import differing_answers  # noqa: PLC0415  imports numpy

    _arrays(path, raw)
    try:
        return tuple(differing_answers(io.BytesIO(raw), to_json(case), lambda inputs: dict(run(inputs))))
    except _MISMATCH as error:
        raise BadFile(f"{path} is no golden case: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}") from error


def _arrays(path: Path, raw: bytes) -> dict[str, Any]:
    """Every array of a case by its full name; BadFile for a file that is none, or would unpack to an absurd size."""
    import numpy as np  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise BadFile(f"it would unpack to {size:,} bytes")
        with np.load(io.BytesIO(raw), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except Exception as error:  # a made-up file has zipfile, numpy and every decompressor raise what they like
        raise BadFile(f"{path} is no golden case: {error or type(error).__name__}") from error
    strange = [
        name for name, value in arrays.items() if not isinstance(value, np.ndarray) or value.dtype.kind not in NUMBERS
    ]
    if strange:
        raise BadFile(f"{path} is no golden case: {', '.join(strange[:4])} holds no numbers")
    return arrays


def feeds_of(bundle: Path, case: GoldenCase, *, read: Callable[[str], bytes] | None = None) -> dict[str, Any]:
    """The stored inputs of a case by input name; of a roll-out those of its first step.  `read` is as in `replay`."""
    stored = stored_arrays(bundle, case, prefix="in.", read=read)
    for name, value in stored.items():
        if case.steps > 1 and name not in case.feedback and value.shape[:1] != (case.steps,):
            raise BadFile(f"{bundle / case.file} is no golden case: {name} has no {case.steps} steps")
    return {name: value if case.steps == 1 or name in case.feedback else value[0] for name, value in stored.items()}


def answers_of(bundle: Path, case: GoldenCase) -> dict[str, Any]:
    """The stored answers of a case by output name."""
    return stored_arrays(bundle, case, prefix="out.")


def stored_arrays(
    bundle: Path, case: GoldenCase, *, prefix: str, read: Callable[[str], bytes] | None = None
) -> dict[str, Any]:
    """The arrays of a case whose names begin so ("in.", "out."), without that; BadFile for what is no case.

    `read` is as in `replay`.
    """
    path = bundle / case.file
    arrays = _arrays(path, _read(path) if read is None else read(case.file))
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
