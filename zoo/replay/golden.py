"""Golden cases: a few inputs that travel with their fp64 answers, so that any device can be checked."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import BadFile
from zoo.records import to_json
from zoo.replay.manifest import GoldenCase, Manifest
from zoo.replay.sandbox import Runtime

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

    try:
        return tuple(differing_answers(bundle, to_json(case), run))
    except (ValueError, KeyError, EOFError, OSError) as error:
        raise BadFile(f"{bundle / case.file} is no golden case: {error}") from error


def answers_of(bundle: Path, case: GoldenCase) -> Mapping[str, Any]:
    """The stored answers of a case by output name."""
    import numpy as np  # noqa: PLC0415

    with np.load(bundle / case.file, allow_pickle=False) as stored:
        return {name[4:]: stored[name] for name in stored.files if name.startswith("out.")}
