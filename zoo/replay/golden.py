"""Golden cases: a few inputs that travel with their fp64 answers, so that any device can be checked."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import BadFile
from zoo.records import to_json
from zoo.replay.manifest import GoldenCase, Manifest
from zoo.replay.sandbox import Runtime

MAX_BYTES = 1 << 30
"""Of one case, unpacked."""

if TYPE_CHECKING:
    from zoo.task import Arrays


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


def replay(bundle: Path, manifest: Manifest, runtime: Runtime) -> dict[str, tuple[str, ...]]:
    """Per golden case the sentences about what this device does not reproduce; none is good."""
    sessions = {name: runtime.session(bundle / name) for name in sorted({case.graph for case in manifest.golden})}
    found = {}
    for case in manifest.golden:
        session = sessions[case.graph]
        found[case.name] = _replay_one(bundle, case, lambda feeds, at=session: runtime.run(at, feeds))
    return found


def _replay_one(bundle: Path, case: GoldenCase, run: Any) -> tuple[str, ...]:
    from zoo.replay.run_template import differing_answers  # noqa: PLC0415  imports numpy

    _demand_archive(bundle / case.file)
    try:
        return tuple(differing_answers(bundle, to_json(case), run))
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise BadFile(f"{bundle / case.file} is no golden case: {error}") from error


def _demand_archive(path: Path) -> None:
    """BadFile for what is no archive, or would unpack to an absurd size."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise BadFile(f"{path} is no golden case: {error}") from error
    if size > MAX_BYTES:
        raise BadFile(f"{path} is no golden case: it would unpack to {size:,} bytes")


def feeds_of(bundle: Path, case: GoldenCase) -> dict[str, Any]:
    """The stored inputs of a case by input name; of a roll-out those of its first step."""
    stored = _stored(bundle, case, prefix="in.")
    return {name: value if case.steps == 1 or name in case.feedback else value[0] for name, value in stored.items()}


def answers_of(bundle: Path, case: GoldenCase) -> dict[str, Any]:
    """The stored answers of a case by output name."""
    return _stored(bundle, case, prefix="out.")


def _stored(bundle: Path, case: GoldenCase, *, prefix: str) -> dict[str, Any]:
    import numpy as np  # noqa: PLC0415

    _demand_archive(bundle / case.file)
    with np.load(bundle / case.file, allow_pickle=False) as stored:
        return {name.removeprefix(prefix): stored[name] for name in stored.files if name.startswith(prefix)}
