"""Do the class names in the files stand for what they stood for in training?"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import onnx

from zoo.api.problem import Problem
from zoo.api.task import Signature
from zoo.bundle.judge.evidence import Labels
from zoo.bundle.runtime.consistency import classes_sha256
from zoo_export.capture.onnx_graph import PREFIX
from zoo_export.measure.graph_run import GraphRun
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.subject.results import Failed

CLEAR = 10.0
"""How many times its own noise an answer must lead by for its class to be beyond doubt."""


def classes_of(model: onnx.ModelProto) -> list[str] | None:
    """The class names that a graph carries, in index order."""
    text = next((entry.value for entry in model.metadata_props if entry.key == f"{PREFIX}classes"), None)
    names = None if text is None else json.loads(text)
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def measure_labels(problem: Problem, files: Mapping[str, onnx.ModelProto], pipeline: GraphRun | None = None) -> Labels:
    """The names in every file; with a pipeline, whether items of a known class keep the name of their class."""
    names = {name: classes_of(model) for name, model in files.items()}
    carried = names.get("pipeline.onnx") or list(problem.classes)
    pairs = () if pipeline is None else _all_known_classes(problem, pipeline)
    kept = [actual < len(carried) and carried[actual] == problem.classes[expected] for actual, expected in pairs]
    return Labels(
        classes=len(problem.classes),
        expected_sha256=classes_sha256(problem.classes),
        files={name: _digest(model, names[name]) for name, model in files.items()},
        known=len(kept),
        known_right=sum(kept),
    )


def _digest(model: onnx.ModelProto, names: list[str] | None) -> str | None:
    """Of the names that a graph carries; what it says of that itself, where the two contradict each other."""
    if names is None:
        return None
    actual = classes_sha256(names)
    said = next((entry.value for entry in model.metadata_props if entry.key == f"{PREFIX}classes_sha256"), actual)
    return actual if said == actual else f"{said} is said, but it is {actual}"


def _per_class(problem: Problem, signature: Signature) -> list[str]:
    """The outputs that have a number for each class."""
    count = len(problem.classes)
    if count < 2:
        return []
    return [port.name for port in signature.outputs if port.shape[-1:] == (count,) and port.dtype.startswith("float")]


def _all_known_classes(problem: Problem, pipeline: GraphRun) -> list[tuple[int, int]]:
    ports = _per_class(problem, pipeline.file.signature)
    return [pair for port in ports for pair in _known_classes(pipeline, port)]


def _known_classes(pipeline: GraphRun, output: str) -> list[tuple[int, int]]:
    """The class of the file and that of PyTorch, for every case whose class is known and clear."""
    rows = zip(pipeline.file.cases, pipeline.references, pipeline.result.outputs, strict=True)
    return [
        (int(actual[output].argmax()), int(expected.reference[output].argmax()))
        for case, expected, actual in rows
        if case.truth is not None and not isinstance(expected, Failed) and not isinstance(actual, Failed)
        if output in actual and _clear(expected, output)
    ]


def _clear(expected: ReferenceOutputs, name: str) -> bool:
    values = np.sort(expected.reference[name].ravel())
    noise = expected.noise[name].max
    return values.size > 1 and noise is not None and bool(values[-1] - values[-2] > CLEAR * noise)
