"""What a single file is called, and which bytes its evidence is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.healthy import PUBLISHED, healthy_evidence
from zoo.bundle.judge.evidence import File
from zoo_export.verify import verify


@pytest.mark.parametrize("name", ["model.onnx", "pipeline.onnx"])
def test_a_single_file_is_judged_by_its_own_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof of a pipeline captures a model as well, whose bytes nobody asked about."""
    monkeypatch.setattr(verify, "_labels_of", lambda *_: None)
    evidence = healthy_evidence()
    weights = File(name="model.onnx.data", sha256="e" * 64, bytes=7)
    graphs = [file for file in evidence.subject.files if file.name.endswith(".onnx")]
    evidence = replace(evidence, subject=replace(evidence.subject, files=(*graphs, weights)))
    proof: Any = SimpleNamespace(evidence=evidence)
    named = verify._named_after(proof, Path("folder/mine.onnx"), name=name, opset=18)
    assert [(graph.name, graph.sha256) for graph in named.graphs] == [("mine.onnx", PUBLISHED[name])]
    assert [(file.name, file.sha256) for file in named.subject.files] == [
        ("mine.onnx", PUBLISHED[name]),
        ("model.onnx.data", "e" * 64),
    ]
