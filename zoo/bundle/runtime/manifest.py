"""A bundle's manifest.json: what every file is, and all a device needs to know about the model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from shlex import quote
from typing import Any, Literal

from zoo.api.errors import BadFile, HashMismatch, UsageError
from zoo.api.postprocess import PostprocessStep
from zoo.api.problem import Problem
from zoo.api.task import Signature
from zoo.bundle import schema_1
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES, MAX_WEIGHTS_BYTES, WEIGHTS, Weights
from zoo.bundle.runtime.speed_record import SpeedRecord
from zoo.runs.serialization import from_json, read_document

NAME = "manifest.json"
SCHEMA = 2
MAX_BYTES = 64 << 20
"""A manifest with a vocabulary is a few MB; anything larger is not one."""
MAX_FILE_BYTES = MAX_ONNX_BYTES
"""Of one file of a bundle, weights beside the graphs aside."""
MAX_FILES, MAX_BUNDLE_BYTES = 1024, 4 * MAX_FILE_BYTES + MAX_WEIGHTS_BYTES
"""Of a whole bundle: all of it is read."""
MAX_GOLDEN, MAX_STEPS = 256, 1024
"""Golden cases, and steps of one: each step is a run of a graph, and somebody waits for all of them."""

Role = Literal[
    "model",
    "pipeline",
    "golden",
    "report",
    "page",
    "runner",
    "task",
    "licence",
    "weights",
    "variant",
    "labels",
    "other",
]

ROLES: Mapping[str, Role] = {
    "model.onnx": "model",
    "pipeline.onnx": "pipeline",
    WEIGHTS: "weights",
    "report.json": "report",
    "report.html": "page",
    "run.py": "runner",
    "selftest.py": "runner",
    "variant.py": "runner",
    "labels.txt": "labels",
    "task.py": "task",
}
"""The files of every bundle, the weights beside the graphs above 2 GB alone; its golden cases stand with them."""
GOLDEN_FILE = re.compile(r"golden/[^/]+\.npz")
"""A golden case of any other name could be a module that run.py imports."""
VARIANT_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
RUNTIME_NAME = re.compile(r"([a-z0-9][a-z0-9_]*/)?[a-z0-9][a-z0-9_-]{0,63}")
VARIANT_GRAPHS = ("model.onnx", "pipeline.onnx")
SATURATION = "saturation.onnx"
"""A product that is wrong where a processor adds products of bytes in too few bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFile:
    """One file of the bundle; manifest.json itself is the only one not listed."""

    name: str
    """Path inside the bundle, with forward slashes."""
    role: Role
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenOutput:
    """How near a device must come to one stored answer."""

    name: str
    compare: Literal["tolerance", "equal", "choice", "levels"]
    """A choice for each of many places may differ in one of a thousand, where the best two are nearly equal."""
    rms: float | None = None
    """Largest root mean square of the error; with compare "tolerance"."""
    max: float | None = None
    """Largest error of any element; with compare "tolerance"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenCase:
    """One stored input with its fp64 answers, in an .npz with the arrays "in.<input>" and "out.<output>"."""

    name: str
    file: str
    graph: str
    origin: str
    """Where the input comes from: "embedded digits, test 17", "photos/cat/3.jpg", "synthetic"."""
    outputs: tuple[GoldenOutput, ...]
    steps: int = 1
    """More than one is a roll-out: arrays that are not fed back have a leading axis of this length."""
    feedback: Mapping[str, str] = field(default_factory=dict)
    """Input name to the output of the step before that it is fed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRecord:
    """Who offered the model."""

    name: str
    distribution: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageRecord:
    """Where the weights come from, so that the proof can be derived anew."""

    weights: str
    """For people: "run runs/resnet18/…, step-470", "resnet18@imagenet1k_v1", and of random weights how they came."""
    weights_sha256: str
    target: str
    """What `zoo verify --against` takes: a run directory, or model@tag; empty for random weights."""
    seed: int | None = None
    """Of random weights: what makes them again; None for trained ones."""
    run_created: str = ""
    checkpoint: str = ""
    data: str = ""
    """Fingerprint of the data it was trained on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRecord:
    """The same model in fewer bits, or its pipeline for one size or for batches, in variants/NAME/.

    The report has what was measured of it.
    """

    name: str
    bits: str
    """int8, fp16 or int4; fp32 of a pipeline for one size or for batches."""
    method: str
    """How it was made, in words."""
    verdict: Literal["PASS", "WARN", "unproved"]
    """unproved: it was refused, and kept because somebody asked for that."""
    sentence: str
    """The verdict in words."""
    claims: tuple[str, ...]
    """smaller, faster: what was measured on `machine`."""
    opset: int
    onnxruntime: str
    """The version that it was measured with; its operators may be newer than those of an older one."""
    machine: str
    bytes: int
    """Of its pipeline.onnx."""
    milliseconds: float | None
    """Of one run of its pipeline.onnx, and of the bundle's own, on one thread of `machine`."""
    baseline_milliseconds: float | None
    metrics: Mapping[str, float]
    """The task's metric of its answers, on the items that the report names."""
    golden: tuple[GoldenCase, ...]
    """Answered by the variant itself; of one in single precision with the answers of double precision."""
    signature: Signature | None = None
    """Of its pipeline.onnx, which it has alone; None for a variant in fewer bits, whose graphs have the bundle's."""
    speed: SpeedRecord | None = None
    """Of its pipeline.onnx; None where it was not measured."""

    @property
    def folder(self) -> str:
        """Where its files lie, inside the bundle."""
        return f"variants/{self.name}/"

    @property
    def graphs(self) -> tuple[str, ...]:
        """The names of its graphs, without the folder."""
        return VARIANT_GRAPHS if self.signature is None else VARIANT_GRAPHS[1:]

    @property
    def takes_batches(self) -> bool:
        """Whether its pipeline.onnx takes a batch of pictures."""
        return self.signature is not None and all(port.shape[:1] == ("batch",) for port in self.signature.inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeRecord:
    """Another runtime that the bundle was put to; the report has what was measured there."""

    name: str
    title: str
    provider: str
    """The runtime with its version, where it computes, and in what: "OpenVINO 2026.4.1, CPU, float32"."""
    precision: str
    verdict: Literal["PASS", "WARN", "unproved"]
    """unproved: it was refused, and kept because somebody asked for that."""
    sentence: str
    """The verdict in words."""
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Its own files by the graph that they were made of, the main one first; empty where it reads ONNX."""

    @property
    def folder(self) -> str:
        """Where its own files lie, inside the bundle."""
        return f"variants/{self.name.replace('/', '-')}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All facts of a bundle."""

    zoo: str
    created: str
    model: str
    """Full name."""
    task: str
    plugin: PluginRecord
    problem: Problem
    """Preparing (size, channels, mean, std, interpolation), classes and vocabulary."""
    model_signature: Signature
    pipeline_signature: Signature
    postprocess: tuple[PostprocessStep, ...]
    """From the outputs of model.onnx to the answer, in order; empty where a bundle of schema 1 does not tell."""
    opset: int
    lineage: LineageRecord
    licences: Mapping[str, str]
    """SPDX names by what they are for: "code", "weights", "data"."""
    verdict: Literal["PASS", "WARN", "unproved"]
    golden: tuple[GoldenCase, ...]
    files: tuple[BundleFile, ...]
    metrics: Mapping[str, float] = field(default_factory=dict)
    """What the trained model reached, by metric name."""
    proved: Mapping[str, int] = field(default_factory=dict)
    """The largest size at which the pipeline was proved, by axis name; empty in older bundles."""
    task_plugin: PluginRecord | None = None
    """Who offered the task, and so brought task.py; None where the bundle does not tell."""
    variants: tuple[VariantRecord, ...] = ()
    runtimes: tuple[RuntimeRecord, ...] = ()
    speed: SpeedRecord | None = None
    """Of pipeline.onnx; None in older bundles, and where no golden case could be answered alone."""
    schema: int = SCHEMA

    def hashes(self) -> dict[str, str]:
        """sha256 by file name."""
        return {file.name: file.sha256 for file in self.files}

    def graph_hashes(self) -> dict[str, str]:
        """sha256 of the graphs, and of the weights beside them."""
        hashes = self.hashes().items()
        return {name: digest for name, digest in hashes if name.endswith((".onnx", WEIGHTS)) and "/" not in name}

    def variant(self, name: str) -> VariantRecord:
        """A variant by its name; UsageError where the bundle has none of it."""
        for record in self.variants:
            if record.name == name:
                return record
        known = ", ".join(record.name for record in self.variants)
        raise UsageError(
            f"the bundle of {self.model} has no variant {name or quote(name)}" + (f"; it has {known}" if known else ""),
            hint="" if known else f"zoo export {quote(self.lineage.target or 'TARGET')} --onnx --int8 adds one",
        )

    def weights(self, bundle: Path) -> Weights | None:
        """Those beside the graphs, with the hash that they must have; None where the graphs hold theirs."""
        file = next((file for file in self.files if file.name == WEIGHTS), None)
        return None if file is None else Weights(path=bundle / WEIGHTS, sha256=file.sha256, bytes=file.bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestFile:
    """manifest.json as it was read."""

    manifest: Manifest
    """In today's fields, whatever schema the file has."""
    sha256: str
    """Of its bytes."""
    schema: int
    """The file's own."""
    problem: Mapping[str, Any]
    """The problem as the file has it: the graphs hold digests of this JSON."""


def read_manifest(bundle: Path) -> ManifestFile:
    """The manifest of a bundle of any schema; BadFile when it is none, or from a newer zoo."""
    path = bundle / NAME
    if not path.is_file():
        raise BadFile(
            f"{bundle} is no bundle: it has no {NAME}", hint=_around(bundle) or "`zoo export --onnx` writes one"
        )
    if path.stat().st_size > MAX_BYTES:
        raise BadFile(f"{path} has {path.stat().st_size:,} bytes; no manifest is that large")
    raw = path.read_bytes()
    document = read_document(raw, schema=SCHEMA, where=str(path))
    current = schema_1.manifest(document, where=str(path)) if document["schema"] == 1 else document
    manifest = from_json(Manifest, current, where=str(path))
    if document["schema"] != 1 and schema_1.wrote(manifest.zoo):  # whose records prove less
        raise BadFile(f"{path} names schema {document['schema']} and zoo {manifest.zoo}, which wrote schema 1")
    _check_names(manifest, where=str(path))
    return ManifestFile(
        manifest=manifest,
        sha256=hashlib.sha256(raw).hexdigest(),
        schema=document["schema"],
        problem=document["problem"],
    )


def _around(folder: Path) -> str:
    """The bundle that the folder of a variant lies in, as a hint; empty for another folder."""
    around = folder.absolute().parent.parent
    if folder.absolute().parent.name != "variants" or not (around / NAME).is_file():
        return ""
    return f"it is a variant of the bundle {folder.parent.parent}: name that, and --variant {quote(folder.name)}"


def read_listed(bundle: Path, manifest: Manifest, name: str) -> bytes:
    """The bytes of a file that the manifest lists; HashMismatch where it does not, or they are not those.

    Whoever uses a file checks the very bytes that it uses: a file may be exchanged after it was looked at.
    """
    raw = listed_file(bundle, manifest, name).read_bytes()
    if hashlib.sha256(raw).hexdigest() != manifest.hashes()[name]:
        raise _changed(bundle, name)
    return raw


def listed_file(bundle: Path, manifest: Manifest, name: str) -> Path:
    """The path of a file that the manifest lists; HashMismatch where there is none of the size that it names."""
    path = bundle / name
    size = next((file.bytes for file in manifest.files if file.name == name), None)
    if size is None or path.is_symlink() or not path.is_file() or path.stat().st_size != size:
        raise _changed(bundle, name)
    return path


def _changed(bundle: Path, name: str) -> HashMismatch:
    return HashMismatch(
        f"{bundle / name} is missing or was changed: its sha256 is not the one in the manifest",
        hint=f"zoo verify {quote(str(bundle))}",
    )


def _check_names(manifest: Manifest, *, where: str) -> None:
    names = [file.name for file in manifest.files]
    for name in names:
        parts = PurePosixPath(name).parts
        if not parts or name != "/".join(parts) or parts[0] == "/" or ".." in parts or "\\" in name or ":" in name:
            raise BadFile(f"{where} names the file {name!r}, which would lie outside the bundle")
    if len(set(names)) != len(names) or NAME in names:
        raise BadFile(f"{where} names a file twice, or itself")
    if len(names) > MAX_FILES or sum(file.bytes for file in manifest.files) > MAX_BUNDLE_BYTES:
        raise BadFile(
            f"{where} names {len(names):,} files with {sum(file.bytes for file in manifest.files):,} bytes; "
            f"{MAX_FILES:,} files and {MAX_BUNDLE_BYTES:,} bytes are the limits"
        )
    large = next((file for file in manifest.files if not 0 <= file.bytes <= _most(file)), None)
    if large is not None:
        raise BadFile(f"{where} names {large.bytes:,} bytes of {large.name}; no file of a bundle has so many")
    _check_golden(manifest.golden, _graphs(manifest), names, where=where, folder="")
    _check_variants(manifest, names, where=where)
    _check_runtimes(manifest, names, where=where)


def _graphs(manifest: Manifest) -> set[str]:
    return {file.name for file in manifest.files if file.role in ("model", "pipeline")}


def _check_variants(manifest: Manifest, names: list[str], *, where: str) -> None:
    records = manifest.variants
    if len({record.name for record in records}) != len(records):
        raise BadFile(f"{where} names a variant twice")
    for record in records:
        if not VARIANT_NAME.fullmatch(record.name):
            raise BadFile(f"{where} names the variant {record.name!r}, which is no name of a folder")
        graphs = {record.folder + name for name in record.graphs}
        if not graphs.issubset(names):
            raise BadFile(f"{where}: the variant {record.name} has no {' and '.join(record.graphs)} in {record.folder}")
        known = {*graphs, record.folder + SATURATION}
        _check_golden(record.golden, known, names, where=where, folder=record.folder)


def _check_runtimes(manifest: Manifest, names: list[str], *, where: str) -> None:
    records = manifest.runtimes
    if len({record.folder for record in records} | {variant.folder for variant in manifest.variants}) != len(
        records
    ) + len(manifest.variants):
        raise BadFile(f"{where} names a runtime twice, or a runtime and a variant by one name")
    for record in records:
        if not RUNTIME_NAME.fullmatch(record.name):
            raise BadFile(f"{where} names the runtime {record.name!r}, which is no name of one")
        for graph, files in record.files.items():
            if graph not in VARIANT_GRAPHS or not files:
                raise BadFile(f"{where}: the runtime {record.name} has files of {graph}, which is no graph")
            strange = [name for name in files if name not in names or not name.startswith(record.folder)]
            if strange:
                raise BadFile(f"{where}: the runtime {record.name} names {strange[0]}, not listed in {record.folder}")


def _most(file: BundleFile) -> int:
    return MAX_WEIGHTS_BYTES if file.name == WEIGHTS else MAX_FILE_BYTES


def _check_golden(
    golden: tuple[GoldenCase, ...], graphs: set[str], names: list[str], *, where: str, folder: str
) -> None:
    """BadFile for a case of a graph that is not among these, or of a file that does not lie in the folder's golden/."""
    if len(golden) > MAX_GOLDEN:
        raise BadFile(f"{where} names {len(golden):,} golden cases; {MAX_GOLDEN} is the limit")
    for case in golden:
        if case.file not in names or case.graph not in graphs:
            raise BadFile(
                f"{where}: the golden case {case.name} names {case.file} and {case.graph}, not both are listed"
            )
        if not case.file.startswith(folder) or not GOLDEN_FILE.fullmatch(case.file.removeprefix(folder)):
            raise BadFile(f"{where}: the golden case {case.name} is in {case.file}, not in {folder}golden/….npz")
        toleranced = [output for output in case.outputs if output.compare == "tolerance"]
        unbounded = [output.name for output in toleranced if None in (output.rms, output.max)]
        if unbounded:
            raise BadFile(f"{where}: the golden case {case.name} names no tolerance for {', '.join(unbounded)}")
        if not 1 <= case.steps <= MAX_STEPS or not case.outputs:
            raise BadFile(
                f"{where}: the golden case {case.name} has {case.steps} steps and {len(case.outputs)} outputs"
            )
