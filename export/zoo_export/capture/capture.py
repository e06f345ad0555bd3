"""A subject as two files: captured, composed, described, serialised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import onnx
import torch

from zoo.api.task import Case, Signature
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES, Weights
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline
from zoo_export.capture.compose import Pipeline, export_pipeline
from zoo_export.capture.kept_captures import export_kept_on_disk
from zoo_export.capture.onnx_graph import describe, name_axes
from zoo_export.capture.stored_model import StoredModel
from zoo_export.capture.torch_export import Graph, check_graph
from zoo_export.subject.batching import batch_name, batches, join
from zoo_export.subject.choose_cases import Inputs, Sizes
from zoo_export.subject.subject import Subject, metadata

MODEL, PIPELINE = "model.onnx", "pipeline.onnx"
Role = Literal["model", "pipeline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFile:
    """One graph as a file, and the inputs that it is measured with."""

    name: str
    """`MODEL` or `PIPELINE`."""
    role: Role
    stored: StoredModel
    sha256: str
    """Of the bytes that are proved; a mutant of the file has the file's own."""
    signature: Signature
    cases: tuple[Case, ...]
    example: Mapping[str, tuple[int, ...]]
    """Shapes with which the graph was captured, by input."""
    guard_violations: tuple[Sizes, ...]
    """Sizes at which a shape guard of the capture does not hold."""
    weights: Weights | None = None
    """Those beside the graph; None where it holds them."""

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return self.stored.data

    @property
    def model(self) -> onnx.ModelProto:
        """What the bytes hold."""
        return self.stored.model

    def holding(self, data: bytes, weights: Weights | None = None) -> GraphFile:
        """Other bytes in its place, and other weights beside them."""
        stored = StoredModel(data)
        return replace(self, stored=stored, sha256=stored.sha256, weights=weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The two graphs of a subject as captured, and the files that are measured: theirs, or given ones."""

    graph: Graph
    composed: Pipeline | None
    """None where a model alone is measured."""
    graphs: tuple[GraphFile, ...]

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline, where one is measured."""
        assert self.composed is not None, "a model alone has no pipeline"
        return self.composed

    @property
    def names(self) -> tuple[str, ...]:
        """Of the files."""
        return tuple(file.name for file in self.graphs)

    @property
    def files(self) -> dict[str, bytes]:
        """The bytes by file name."""
        return {file.name: file.data for file in self.graphs}

    @property
    def weights(self) -> Weights | None:
        """Those beside the files."""
        return self.graphs[0].weights

    @property
    def sha256(self) -> dict[str, str]:
        """The digest by file name, that of the weights beside the graphs too."""
        beside = {} if self.weights is None else {self.weights.path.name: self.weights.sha256}
        return {file.name: file.sha256 for file in self.graphs} | beside

    def file(self, name: str) -> GraphFile:
        """One of the files."""
        return next(file for file in self.graphs if file.name == name)

    def derived(self, name: str) -> StoredModel:
        """The graph that zoo captured itself, whatever file is measured in its place."""
        return self.graph.shipped if name == MODEL else self.pipeline.shipped

    def holding(self, files: Mapping[str, bytes], weights: Weights | None = None) -> Exported:
        """The same export with other bytes in the place of its own."""
        return replace(self, graphs=tuple(file.holding(files[file.name], weights) for file in self.graphs))


def capture_model(subject: Subject, inputs: Inputs, *, opset: int, one_file: int = MAX_ONNX_BYTES) -> Graph:
    """model.onnx, described; above `one_file` bytes its weights lie beside it."""
    example = example_inputs(subject.signature, inputs.model)
    graph = export_kept_on_disk(
        subject.module, example, subject.signature, opset=opset, name=subject.model, one_file=one_file
    )
    model = onnx.ModelProto.FromString(graph.shipped.data)
    _describe(model, subject, subject.signature, role="model", opset=opset)
    return replace(graph, shipped=StoredModel.of(model))


def capture_pipeline(
    subject: Subject, pipeline: TorchPipeline, graph: Graph, inputs: Inputs, *, opset: int
) -> Pipeline:
    """pipeline.onnx around the captured model, described."""
    outputs = pipeline.outputs(inputs.model[0].inputs)
    return export_pipeline(
        pipeline,
        graph,
        raw=inputs.raw[0].inputs,
        outputs=outputs,
        opset=opset,
        describe=lambda model: _describe(model, subject, subject.pipeline_signature, role="pipeline", opset=opset),
    )


def _describe(model: onnx.ModelProto, subject: Subject, signature: Signature, *, role: Role, opset: int) -> None:
    """Name the axes of a graph, and write what zoo knows about it into its metadata."""
    name_axes(model, signature, subject.export.declared_arithmetic)
    describe(model, metadata(subject, role=role, opset=opset, exporter=f"torch.onnx of torch {torch.__version__}"))


def model_file(subject: Subject, graph: Graph, inputs: Inputs) -> GraphFile:
    """The captured model as a file."""
    check_graph(graph.shipped.data, graph.weights)
    return GraphFile(
        name=MODEL,
        role="model",
        stored=graph.shipped,
        sha256=graph.shipped.sha256,
        signature=subject.signature,
        cases=inputs.model,
        example=_shapes(example_inputs(subject.signature, inputs.model)),
        guard_violations=graph.guard_violations,
        weights=graph.weights,
    )


def pipeline_file(subject: Subject, pipeline: Pipeline, inputs: Inputs, *, weights: Weights | None = None) -> GraphFile:
    """The composed pipeline as a file; `weights` are those of the model in it."""
    check_graph(pipeline.shipped.data, weights)
    return GraphFile(
        name=PIPELINE,
        role="pipeline",
        stored=pipeline.shipped,
        sha256=pipeline.shipped.sha256,
        signature=subject.pipeline_signature,
        cases=inputs.raw,
        example=_shapes(inputs.raw[0].inputs),
        guard_violations=pipeline.guard_violations,
        weights=weights,
    )


def example_inputs(signature: Signature, cases: tuple[Case, ...]) -> dict[str, Array]:
    """Two items where the model takes batches, so that no size of one is taken for a constant."""
    inputs = [case.inputs for case in cases]
    if batch_name(signature) is None:
        return dict(inputs[0])
    group = batches(inputs, signature, largest=2)[0]
    return join([inputs[group[0]], inputs[group[-1]]], signature.inputs)


def _shapes(arrays: Mapping[str, Array]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in arrays.items()}
