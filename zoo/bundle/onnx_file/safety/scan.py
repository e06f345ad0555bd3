"""A look at an untrusted .onnx before anything loads it: what it holds, and what speaks against running it.

The file is parsed and never executed; weights beside it are named and never opened.
"""

from __future__ import annotations

import math
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.errors import BadFile
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES, locations
from zoo.bundle.onnx_file.graph import OWN_DOMAINS, ParsedModel
from zoo.bundle.onnx_file.safety.hazards import LOOKED_FOR, hazards

if TYPE_CHECKING:
    import onnx

PREFIX = "zoo."


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """An input or output of the graph as the file declares it; a string is a named axis, "?" a nameless one."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What an .onnx file holds."""

    path: Path
    bytes: int
    producer: str
    ir_version: int
    opset: int
    domains: tuple[str, ...]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    ops: Mapping[str, int]
    """Nodes per op, those of functions and subgraphs included."""
    parameters: int
    """Elements of all initialisers."""
    metadata: Mapping[str, str]
    refused: tuple[str, ...]
    """Reasons not to load it, a sentence each."""
    notes: tuple[str, ...]
    """What a reader should know."""
    looked_for: tuple[str, ...] = LOOKED_FOR
    """What `refused` would name; nothing is said of the rest."""

    @property
    def made_by_zoo(self) -> bool:
        """It carries zoo's metadata."""
        return any(key.startswith(PREFIX) for key in self.metadata)


def scan(path: Path) -> Scan:
    """What the file holds and what speaks against it; BadFile when it is no ONNX file at all."""
    model, size = read_model(path)
    parsed = ParsedModel(model)
    domains = tuple(sorted({node.domain for node, _ in parsed.nodes} | {entry.domain for entry in model.opset_import}))
    opset = next((entry.version for entry in model.opset_import if entry.domain in OWN_DOMAINS), 0)
    ops = dict(Counter(_title(node) for node, _ in parsed.nodes).most_common())
    return Scan(
        path=path,
        bytes=size,
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        ir_version=model.ir_version,
        opset=opset,
        domains=domains,
        inputs=tuple(_value(value) for value in required_inputs(model.graph)),
        outputs=tuple(_value(value) for value in model.graph.output),
        ops=ops,
        parameters=sum(math.prod(tensor.dims) for tensor in model.graph.initializer),
        metadata={entry.key: entry.value for entry in model.metadata_props},
        refused=tuple(hazards(parsed, path, opset=opset)),
        notes=tuple(
            _notes(
                path,
                ops,
                replaceable=len(model.graph.input) - len(required_inputs(model.graph)),
                beside=locations(model),
            )
        ),
    )


def required_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """The inputs that somebody must feed: older exporters list every stored tensor among them as well."""
    stored = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in stored]


def demand_safe(path: Path) -> Scan:
    """The scan of a file that may be loaded; BadFile names the reasons when it may not."""
    scanned = scan(path)
    if scanned.refused:
        raise BadFile(f"{path} is refused: {'; '.join(scanned.refused)}", hint="zoo inspect shows what it holds")
    return scanned


def read_model(path: Path) -> tuple[onnx.ModelProto, int]:
    """The parsed file and its size, external data left alone; BadFile when it is not ONNX."""
    import onnx  # noqa: PLC0415  other commands do not need it
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadFile(f"{path} is no file")
        if status.st_size > MAX_ONNX_BYTES:
            raise BadFile(
                f"{path} has {status.st_size:,} bytes; an ONNX file holds {MAX_ONNX_BYTES:,} without its weights"
            )
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror or error}") from error
    model = onnx.ModelProto()
    try:
        model.ParseFromString(raw)
    except (DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} is not an ONNX file: {_looks_like(raw)}") from error
    if not model.graph.node and not model.graph.initializer:
        raise BadFile(f"{path} is not an ONNX file: {_looks_like(raw)}")
    return model, len(raw)


def _looks_like(raw: bytes) -> str:
    if not raw:
        return "it is empty"
    start = raw[:200].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is a web page, perhaps what a server answered instead of the file"
    if start.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; `git lfs pull` fetches the file itself"
    if start.startswith((b"pk\x03\x04", b"\x80\x02")):
        return "it looks like a PyTorch or zip file"
    return "it is truncated, or something else"


def _value(value: onnx.ValueInfoProto) -> Value:
    kind = value.type.tensor_type
    dims = (dim.dim_param or (dim.dim_value if dim.HasField("dim_value") else "?") for dim in kind.shape.dim)
    dtype = _dtype(kind.elem_type) if value.type.HasField("tensor_type") else "no tensor"
    return Value(name=value.name, dtype=dtype, shape=tuple(dims))


def _dtype(number: int) -> str:
    from onnx import helper  # noqa: PLC0415

    try:
        return helper.tensor_dtype_to_np_dtype(number).name
    except (KeyError, ValueError):
        return f"type {number}"


def _title(node: onnx.NodeProto) -> str:
    return node.op_type if node.domain in OWN_DOMAINS else f"{node.domain}::{node.op_type}"


def _notes(path: Path, ops: Iterable[str], *, replaceable: int, beside: Iterable[str]) -> Iterator[str]:
    yield from (f"its weights lie beside it, in {name!r}, which was not opened" for name in beside)
    if replaceable:
        yield f"{replaceable} of its stored tensors are inputs too: whoever runs it may feed others"
    if path.is_symlink():
        yield f"the path is a symbolic link to {path.resolve()}"
    if path.stat().st_nlink > 1:
        yield f"the file has {path.stat().st_nlink} names (hard links): whoever writes to another changes this one"
    random = sorted(op for op in ops if op.startswith(("Random", "Multinomial", "Bernoulli")))
    if random:
        yield f"it draws random numbers ({', '.join(random)})"
