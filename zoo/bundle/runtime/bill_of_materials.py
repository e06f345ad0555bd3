"""The manifest as a bill of materials: CycloneDX 1.6, the form in which machine-learning models are declared.

It is plain JSON, without the extra libraries that would write it; a test holds it against the published schema.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from zoo.bundle.runtime.manifest import Manifest, ManifestFile

SPEC = "1.6"
SCHEMA = f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json"
KINDS = {"model": "machine-learning-model", "pipeline": "machine-learning-model"}
"""Components that are models; every other file is a file."""


def bill_of_materials(file: ManifestFile) -> dict[str, Any]:
    """The document, the same for the same manifest."""
    manifest = file.manifest
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=bytes.fromhex(file.sha256)[:16], version=4)}",
        "version": 1,
        "metadata": {
            "timestamp": manifest.created,
            "tools": {"components": [{"type": "application", "name": "edgezoo", "version": manifest.zoo}]},
            "component": _bundle(manifest, sha256=file.sha256),
        },
        "components": [*_files(manifest), *_plugins(manifest)],
    }


def _bundle(manifest: Manifest, *, sha256: str) -> dict[str, Any]:
    """The bundle as one model, identified by the hash of its manifest."""
    facts = {
        "zoo:verdict": manifest.verdict,
        "zoo:opset": str(manifest.opset),
        "zoo:weights": manifest.lineage.weights,
        "zoo:weights_sha256": manifest.lineage.weights_sha256,
        "zoo:data_fingerprint": manifest.lineage.data,
        "zoo:seed": "" if manifest.lineage.seed is None else str(manifest.lineage.seed),
    }
    return {
        "bom-ref": "bundle",
        "type": "machine-learning-model",
        "name": manifest.model,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        "licenses": [_licence(what, name) for what, name in sorted(manifest.licences.items())],
        "modelCard": {
            "modelParameters": {
                "task": manifest.task,
                "inputs": [{"format": _format(port)} for port in manifest.pipeline_signature.inputs],
                "outputs": [{"format": _format(port)} for port in manifest.pipeline_signature.outputs],
            },
            "quantitativeAnalysis": {
                "performanceMetrics": [{"type": name, "value": f"{value:.6g}"} for name, value in _metrics(manifest)]
            },
        },
        "properties": [{"name": name, "value": value} for name, value in facts.items() if value],
    }


def _licence(what: str, name: str) -> dict[str, Any]:
    return {"license": {"name": name, "bom-ref": f"licence-{what}"}}


def _metrics(manifest: Manifest) -> list[tuple[str, float]]:
    return sorted(manifest.metrics.items())


def _format(port: Any) -> str:
    """As in "image: uint8 [height, width, 3]"."""
    return f"{port.name}: {port.dtype} [{', '.join(map(str, port.shape))}]"


def _files(manifest: Manifest) -> list[dict[str, Any]]:
    return [
        {
            "bom-ref": f"file/{file.name}",
            "type": KINDS.get(file.role, "file"),
            "name": file.name,
            "hashes": [{"alg": "SHA-256", "content": file.sha256}],
            "properties": [{"name": "zoo:role", "value": file.role}, {"name": "zoo:bytes", "value": str(file.bytes)}],
        }
        for file in manifest.files
    ]


def _plugins(manifest: Manifest) -> list[dict[str, Any]]:
    """The distributions that the model and its task are from, each once."""
    records = [record for record in (manifest.plugin, manifest.task_plugin) if record is not None]
    unique: Mapping[str, str] = {record.distribution: record.version for record in records if record.distribution}
    return [
        {
            "bom-ref": f"plugin/{name}",
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name.lower()}@{version}",
        }
        for name, version in unique.items()
    ]
