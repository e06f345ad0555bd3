"""What is exported: a module with its task, its problem and the story of its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import nn

from zoo.api.data import DataCard, Split
from zoo.api.errors import Refused
from zoo.api.parts import Task
from zoo.api.problem import Problem
from zoo.api.specs import ExportSpec
from zoo.api.task import Signature
from zoo.bundle.runtime.consistency import description
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo.models.adapter import signature_of
from zoo.models.pipeline import TorchPipeline, torch_pipeline, with_state
from zoo.runs.serialization import to_json

OwnMetrics = Callable[[DataCard, Split], Mapping[str, float]]
"""Data and a split to what the model's own trainer measures there, on the raw head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One module, in eval mode, ready to be exported."""

    model: str
    """Full name, "torchvision/resnet18"."""
    module: nn.Module
    """What ships: the model, or what its adapter made of it."""
    task: Task
    problem: Problem
    plugin: PluginRecord
    lineage: LineageRecord
    trained: bool
    """False for an architecture with random weights."""
    adapted: bool = False
    """Whether the module is what an adapter of the plugin made of the model that was trained."""
    task_plugin: PluginRecord | None = None
    """Who offers the task."""
    export: ExportSpec = field(default_factory=ExportSpec)
    card: DataCard | None = None
    """The data it was trained on, where they are at hand."""
    evaluation: DataCard | None = None
    """Whose items are compared with their truth: `card`, or the embedded data that published weights learnt from."""
    licences: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """Sentences for the report."""
    own_metrics: OwnMetrics | None = None
    """The run's own metrics; None where nobody can train this module."""
    ports: Signature | None = None
    """The signature of a file made elsewhere, whose ports have other names."""

    def __post_init__(self) -> None:
        if self.export.not_exportable:
            raise Refused(f"{self.model} is not exportable: {self.export.not_exportable}")

    @property
    def signature(self) -> Signature:
        """Of model.onnx: the adapter's own where it declares one, else the task's."""
        if self.ports is not None:
            return self.ports
        return signature_of(self.module, self.task, self.problem)

    def torch_pipeline(self) -> TorchPipeline:
        """What pipeline.onnx is compared with: preprocess, module and postprocess in PyTorch."""
        return torch_pipeline(self.task, self.problem, self.module, signature=self.ports)

    @property
    def parameters(self) -> int:
        """How many numbers the module has learnt."""
        return sum(parameter.numel() for parameter in self.module.parameters())

    @property
    def pipeline_signature(self) -> Signature:
        """Of pipeline.onnx: the task's, and the state of the model."""
        return with_state(self.task.graphs.signatures(self.problem).pipeline, self.signature)


def metadata(subject: Subject, *, role: str, opset: int, exporter: str) -> dict[str, str]:
    """What a graph carries about itself, by key."""
    facts = description(
        model=subject.model,
        problem=to_json(subject.problem),
        plugin=subject.plugin,
        opset=opset,
        weights_sha256=subject.lineage.weights_sha256,
        licences=subject.licences,
    )
    return {**facts, "role": role, "exporter": exporter}
