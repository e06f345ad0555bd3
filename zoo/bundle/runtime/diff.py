"""How two ONNX files, or two bundles, differ: interface, operators, metadata, weights, answers, record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.errors import SandboxError
from zoo.bundle.onnx_file.external_data import numbers, weights_beside
from zoo.bundle.onnx_file.graph import ParsedModel
from zoo.bundle.onnx_file.safety.scan import demand_safe, read_model
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.bundled_self_test import SIGNATURE
from zoo.bundle.runtime.golden_replay import answers_of, feeds_of
from zoo.bundle.runtime.manifest import NAME
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.bundle.sandbox.runtime import Runtime
from zoo.bundle.sandbox.session import TensorPort
from zoo.runs.checkpoints import file_sha256
from zoo.runs.serialization import to_json

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

DYNAMIC_SIZE = 3
"""The size that synthetic inputs have along nameless and named axes."""
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs."""

    part: str
    """interface, operators, metadata, weights, answers, record or files."""
    name: str
    first: str
    second: str


def differences(first: Path, second: Path, *, limits: Limits | None = None) -> tuple[Change, ...]:
    """Everything that differs between two bundles, or two .onnx files; BadFile when one cannot be read."""
    with Runtime(limits=limits) as runtime:
        if first.is_dir() and second.is_dir():
            return tuple(_bundles(Bundle.open(first), Bundle.open(second), runtime))
        return tuple(_graphs(_graph(first), _graph(second), runtime))


def _graph(path: Path) -> Path:
    """The graph that is compared where the other side is a single file."""
    return Bundle.open(path).path / "model.onnx" if path.is_dir() else path


# --- bundles ---


def _bundles(first: Bundle, second: Bundle, runtime: Runtime) -> Iterator[Change]:
    yield from _mapping("record", _record(first), _record(second))
    files = _files(first.path), _files(second.path)
    yield from _mapping("files", *files)
    for name in ("model.onnx", "pipeline.onnx"):
        if files[0].get(name) != files[1].get(name):
            feeds = [feeds_of(first.path, case) for case in first.manifest.golden if case.graph == name]
            for change in _graphs(first.path / name, second.path / name, runtime, inputs=feeds):
                yield replace(change, name=f"{name}: {change.name}")
    yield from _golden(first, second)


def _files(bundle: Path) -> dict[str, str]:
    """The files that lie there, whatever the manifest says of them, by the beginning of their sha256."""
    files = {}
    for path in bundle.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            plain = path.is_file() and not path.is_symlink()
            files[path.relative_to(bundle).as_posix()] = file_sha256(path)[:12] if plain else "no file"
    return {name: digest for name, digest in files.items() if name not in (NAME, SIGNATURE)}


def _record(bundle: Bundle) -> dict[str, str]:
    """The manifest's facts, flat, without what is compared elsewhere."""
    facts: dict[str, Any] = to_json(bundle.manifest)
    return {name: _words(value) for name, value in facts.items() if name not in ("files", "golden", "created", "speed")}


def _golden(first: Bundle, second: Bundle) -> Iterator[Change]:
    cases = tuple({case.name: case for case in side.manifest.golden} for side in (first, second))
    yield from _mapping("golden", *({name: case.origin for name, case in side.items()} for side in cases))
    for name in sorted(cases[0].keys() & cases[1].keys()):
        answers = answers_of(first.path, cases[0][name]), answers_of(second.path, cases[1][name])
        yield from _arrays("golden", answers[0], answers[1], prefix=f"{name}: ")


# --- graphs ---


def _graphs(
    first: Path, second: Path, runtime: Runtime, *, inputs: Iterable[Mapping[str, Array]] = ()
) -> Iterator[Change]:
    scans = demand_safe(first), demand_safe(second)
    interfaces = tuple(
        {
            "opset": str(scan.opset),
            **{f"input {value.name}": f"{value.dtype} {_words(value.shape)}" for value in scan.inputs},
            **{f"output {value.name}": f"{value.dtype} {_words(value.shape)}" for value in scan.outputs},
        }
        for scan in scans
    )
    yield from _mapping("interface", *interfaces)
    yield from _mapping("operators", *({op: str(count) for op, count in scan.ops.items()} for scan in scans))
    yield from _mapping("metadata", *(dict(scan.metadata) for scan in scans))
    yield from _arrays("weights", _weights(first), _weights(second))
    yield from _answers(first, second, runtime, list(inputs))


def _weights(path: Path) -> dict[str, Array]:
    import numpy as np  # noqa: PLC0415

    model, _ = read_model(path)
    weights = weights_beside(path, model)
    named = [tensor for tensor in ParsedModel(model).tensors if tensor.name]
    numeric = [tensor for tensor in named if tensor.data_type != tensor.STRING]
    texts = {tensor.name: np.array(list(tensor.string_data), "S") for tensor in named if tensor not in numeric}
    return texts | {tensor.name: numbers(tensor, weights) for tensor in numeric}


def _answers(first: Path, second: Path, runtime: Runtime, inputs: list[Mapping[str, Array]]) -> Iterator[Change]:
    sessions = [runtime.session(path, weights=weights_beside(path, read_model(path)[0])) for path in (first, second)]
    ports = sessions[0].inputs
    if {port.name for port in ports} != {port.name for port in sessions[1].inputs}:
        yield Change(part="answers", name="all", first="not compared:", second="the inputs have other names")
        return
    try:
        inputs = inputs or [_synthetic(ports)]
    except (TypeError, ValueError, MemoryError) as error:
        yield Change(part="answers", name="all", first="not compared:", second=f"no inputs can be made up: {error}")
        return
    for number, feeds in enumerate(inputs):
        try:
            answers = [runtime.run(session, feeds) for session in sessions]
        except RuntimeRefused as error:
            yield Change(part="answers", name=f"input {number}", first="not compared:", second=error.message)
            continue
        except SandboxError as error:  # the process is gone, and its sessions with it
            yield Change(part="answers", name=f"input {number}", first="not compared:", second=error.message)
            return
        yield from _arrays("answers", answers[0], answers[1], prefix=f"input {number}, ")


def _synthetic(ports: Iterable[TensorPort]) -> dict[str, Array]:
    """Uniform numbers in every input; small whole ones where it takes whole ones."""
    import numpy as np  # noqa: PLC0415

    rng = np.random.default_rng(SEED)
    names = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16"}
    feeds = {}
    for port in ports:
        shape = [size if isinstance(size, int) and size > 0 else DYNAMIC_SIZE for size in port.shape]
        if port.type in names:
            feeds[port.name] = rng.random(shape).astype(names[port.type])
        else:
            whole = port.type.removeprefix("tensor(").removesuffix(")")
            feeds[port.name] = rng.integers(0, 2, shape).astype(whole)
    return feeds


# --- comparing ---


def _mapping(part: str, first: Mapping[str, str], second: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted(first.keys() | second.keys()):
        sides = first.get(name, "–"), second.get(name, "–")
        if sides[0] != sides[1]:
            yield Change(part=part, name=name, first=_short(sides[0]), second=_short(sides[1]))


def _arrays(
    part: str, first: Mapping[str, Array], second: Mapping[str, Array], *, prefix: str = ""
) -> Iterator[Change]:
    for name in sorted(first.keys() | second.keys()):
        array, other = first.get(name), second.get(name)
        if array is None or other is None or array.shape != other.shape or array.dtype != other.dtype:
            yield Change(part=part, name=prefix + name, first=_kind(array), second=_kind(other))
        elif array.tobytes() != other.tobytes():
            yield Change(part=part, name=prefix + name, first=_kind(array), second=_distance(array, other))


def _distance(array: Array, other: Array) -> str:
    import numpy as np  # noqa: PLC0415

    if array.dtype.kind not in "fiub":
        return "differs"
    reference, error = array.astype("float64"), other.astype("float64") - array.astype("float64")
    count = int(np.count_nonzero(reference != other.astype("float64")))
    rms, scale = (float(np.sqrt(np.mean(np.square(values)))) for values in (error, reference))
    relative = f", rms {rms / scale:.2e} of its own" if scale > 0 and math.isfinite(rms) else ""
    return f"{count} of {reference.size} elements differ, by up to {float(np.abs(error).max()):.3g}{relative}"


def _kind(array: Array | None) -> str:
    return "–" if array is None else f"{array.dtype} {_words(array.shape)}"


def _words(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple | list) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + " …"
