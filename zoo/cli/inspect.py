"""`zoo inspect`: what an ONNX file holds, read without running it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

import click

from zoo.api.data import counted
from zoo.api.errors import BadFile, UsageError
from zoo.bundle.onnx_file.safety.scan import PREFIX, Scan, Value, scan
from zoo.bundle.runtime.manifest import NAME, read_manifest
from zoo.cli.info.bundle_parts import parts_of
from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output
from zoo.cli.terminal.text import shortened
from zoo.runs.checkpoints import file_sha256

SCHEMA = 1
NOTHING = "nothing of that; sizes and turns that depend on inputs were not looked at"
_PIPELINE = "pipeline.onnx"


@click.command("inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--bom", is_flag=True, help="Print a bundle's manifest as a bill of materials (CycloneDX, JSON).")
@json_option
def inspect(file: Path, bom: bool, as_json: bool) -> None:
    """What an ONNX file holds, read without running it: inputs, outputs, operators, metadata, hazards.

    FILE is an .onnx file, or a bundle, whose pipeline.onnx is then shown.  The graphs of a bundle's variants are
    searched for hazards as well.
    """
    if bom:
        return _print_bill_of_materials(file)
    out = Output(as_json=as_json)
    scanned = scan(_graph(file))
    variants = _variants(file)
    if as_json:
        out.document(_document(scanned, variants))
    else:
        _print(out, scanned, variants)
    if scanned.refused or any(graph.refused for graph in variants.graphs.values()):
        raise click.exceptions.Exit(1)
    return out.next(f"zoo verify {quote(str(file))}" + ("" if file.is_dir() else " --against MODEL@WEIGHTS"))


def _print_bill_of_materials(file: Path) -> None:
    from zoo.bundle.runtime.bill_of_materials import bill_of_materials  # noqa: PLC0415  inspecting a file needs none
    from zoo.bundle.runtime.bundle import Bundle  # noqa: PLC0415

    if file.is_file():
        raise UsageError(f"{file} is a single file: only a bundle has a manifest", hint="give the bundle's folder")
    Output(as_json=True).document(bill_of_materials(Bundle.open(file).file))


def _graph(file: Path) -> Path:
    if not file.exists():
        raise BadFile(f"{file} does not exist", hint="give an .onnx file or a bundle")
    return file / _PIPELINE if file.is_dir() else file


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variants:
    """What a bundle holds beside the graph that is shown; empty for a file."""

    graphs: Mapping[str, Scan] = field(default_factory=dict)
    """By their paths in the bundle."""
    told: tuple[tuple[str, str], ...] = ()
    """A line for each variant and runtime."""
    changed: tuple[str, ...] = ()
    """Graphs and weights that are missing, or whose bytes are not those of the manifest: its verdict says nothing of
    them."""


def _variants(bundle: Path) -> _Variants:
    """What the manifest says a bundle holds; nothing for a file, and for a folder without a manifest."""
    if not (bundle / NAME).is_file():
        return _Variants()
    manifest = read_manifest(bundle).manifest
    names = [variant.folder + name for variant in manifest.variants for name in variant.graphs]
    recorded = {**manifest.graph_hashes(), **{name: manifest.hashes().get(name) for name in names}}
    return _Variants(
        graphs={name: scan(bundle / name) for name in names},
        told=tuple(parts_of(manifest)),
        changed=tuple(name for name in recorded if _is_changed(bundle / name, recorded[name])),
    )


def _is_changed(file: Path, digest: str | None) -> bool:
    return not file.is_file() or file_sha256(file) != digest


def _print(out: Output, scanned: Scan, variants: _Variants) -> None:
    ops = ", ".join(f"{name} {count}" for name, count in scanned.ops.items())
    out.facts(
        [
            ("file", str(scanned.path)),
            ("size", f"{counted(scanned.bytes, 'byte')}, {counted(scanned.parameters, 'parameter')}"),
            ("made by", scanned.producer),
            ("opset", f"{scanned.opset} (IR {scanned.ir_version})"),
            *(("input", _shown(value)) for value in scanned.inputs),
            *(("output", _shown(value)) for value in scanned.outputs),
            ("operators", f"{counted(sum(scanned.ops.values()), 'node')}: {ops}"),
            *((key, shortened(value)) for key, value in sorted(scanned.metadata.items())),
            ("metadata", "" if scanned.made_by_zoo else f"none of zoo's ({PREFIX}…): zoo did not make this file"),
            *(("note", note) for note in scanned.notes),
            *(("refused", reason) for reason in scanned.refused),
            *(("looked for", what) for what in scanned.looked_for),
            ("found", _found(scanned)),
            *variants.told,
            *(
                ("changed", f"{name}: it is missing, or its bytes are not those that the manifest names")
                for name in variants.changed
            ),
            *((f"refused in {name}", reason) for name, graph in variants.graphs.items() for reason in graph.refused),
        ]
    )


def _found(scanned: Scan) -> str:
    count = len(scanned.refused)
    return NOTHING if not count else "a reason not to load it" if count == 1 else f"{count} reasons not to load it"


def _shown(value: Value) -> str:
    return f"{value.name}  {value.dtype} [{', '.join(map(str, value.shape))}]"


def _document(scanned: Scan, variants: _Variants) -> dict[str, object]:
    from zoo.runs.serialization import to_json  # noqa: PLC0415  plain output needs no cattrs

    document: dict[str, object] = to_json(scanned)
    graphs = [{"file": name, "refused": list(graph.refused)} for name, graph in variants.graphs.items()]
    return {
        **{"schema": SCHEMA, **document},
        **{"path": str(scanned.path), "made_by_zoo": scanned.made_by_zoo, "variants": graphs},
        "changed": list(variants.changed),
    }
