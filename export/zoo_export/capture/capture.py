"""A subject as two files: captured, composed, described, serialised."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import onnx
import torch

from zoo.api.task import Case
from zoo_export.capture.compose import Pipeline, export_pipeline
from zoo_export.capture.onnx_graph import describe
from zoo_export.capture.torch_export import Graph, export_graph, serialize
from zoo_export.subject.batching import batch_name, batches, join
from zoo_export.subject.cases import Inputs
from zoo_export.subject.module_io import Array, call
from zoo_export.subject.subject import Subject, metadata

MODEL, PIPELINE = "model.onnx", "pipeline.onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The two graphs of a subject and the bytes of their files."""

    graph: Graph
    pipeline: Pipeline
    models: Mapping[str, onnx.ModelProto]
    """By file name; what the bytes hold."""
    files: Mapping[str, bytes]
    example: Mapping[str, tuple[int, ...]]
    """Shapes with which the model was captured."""
    sha256: Mapping[str, str] = field(init=False)
    """Digest by file name."""

    def __post_init__(self) -> None:
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items()}
        object.__setattr__(self, "sha256", digests)

    def holding(self, files: Mapping[str, bytes]) -> Exported:
        """The same export with other bytes in its place: files to be measured against it."""
        return replace(self, files=files, models={name: onnx.ModelProto.FromString(d) for name, d in files.items()})


Ready = Callable[[str, bytes, onnx.ModelProto], None]
"""Told of each file as soon as it is written: its name, its bytes, what they hold."""


def export(subject: Subject, inputs: Inputs, *, opset: int, ready: Ready) -> Exported:
    """Both graphs."""
    signature, raw = subject.signature, inputs.raw[0]
    example = _example(subject, inputs.model)
    graph = export_graph(subject.module, example, signature, opset=opset, name=subject.model)
    exporter = f"torch.onnx of torch {torch.__version__}"
    describe(graph.shipped, metadata(subject, role="model", opset=opset, exporter=exporter))
    files = {MODEL: serialize(graph.shipped)}
    ready(MODEL, files[MODEL], graph.shipped)
    pipeline = export_pipeline(
        subject.prepare(),
        graph,
        subject.finish(),
        signature=subject.pipeline_signature,
        raw=raw.inputs,
        answers=call(subject.module, inputs.model[0].inputs, signature),
        opset=opset,
    )
    describe(pipeline.shipped, metadata(subject, role="pipeline", opset=opset, exporter=exporter))
    files[PIPELINE] = serialize(pipeline.shipped)
    ready(PIPELINE, files[PIPELINE], pipeline.shipped)
    return Exported(
        graph=graph,
        pipeline=pipeline,
        models={MODEL: graph.shipped, PIPELINE: pipeline.shipped},
        files=files,
        example={name: tuple(value.shape) for name, value in example.items()},
    )


def _example(subject: Subject, cases: tuple[Case, ...]) -> dict[str, Array]:
    """Two items where the model takes batches, so that no size of one is taken for a constant."""
    signature = subject.signature
    inputs = [case.inputs for case in cases]
    if batch_name(signature) is None:
        return dict(inputs[0])
    group = batches(inputs, signature, largest=2)[0]
    return join([inputs[group[0]], inputs[group[-1]]], signature.inputs)
