"""What a detector's postprocess decides by is asked on both sides, so that any other threshold or limit is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper
from torch import Tensor, nn

from zoo.api.problem import ImageInput, Problem
from zoo.api.task import BoundaryCase, Port, Signature
from zoo.bundle.judge.parity_rule import Status, judge_output
from zoo.data.image.reading import IMAGE
from zoo.models.pipeline import TorchPipeline
from zoo.tasks.object_detection.boundary import boundary_cases
from zoo.tasks.object_detection.postprocess import detections
from zoo.tasks.object_detection.tensors import DetectionGraphs
from zoo_export.capture.torch_export import export_graph
from zoo_export.controls.graph_edits import Mutated
from zoo_export.controls.postprocess_edits import (
    ON_POSTPROCESS,
    candidates,
    class_offset,
    overlap,
    threshold,
    unclipped,
)
from zoo_export.measure.boundary import BoundaryRun, boundary_references
from zoo_export.reference.postprocess import pipeline_pair
from zoo_export.subject.results import Failed, Outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The head of one kind of detector."""

    size: tuple[int, int]
    cells: int
    classes: int
    limit: int = 20
    own_boxes: bool = False
    """Every class has a box of its own, as in detectors of two stages."""


KINDS = {
    "yolo": Kind(size=(96, 96), cells=189, classes=10),
    "one class, few cells": Kind(size=(64, 64), cells=84, classes=1),
    "COCO, not square": Kind(size=(160, 224), cells=900, classes=80, limit=100),
    "two stages": Kind(size=(128, 128), cells=60, classes=20, own_boxes=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The captured postprocess of a kind, and what is right for it."""

    model: onnx.ModelProto
    run: BoundaryRun

    def failures(self, model: onnx.ModelProto) -> list[str]:
        """The cases in which a postprocess is told from PyTorch's."""
        session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        given: list[Outputs] = [
            dict(zip(names, session.run(names, {**case.outputs, **case.raw}), strict=True)) for case in self.run.cases
        ]
        return [
            case.name
            for case in self.run.giving(given).evidence()
            if case.reference_error
            or any(judge_output(output, beyond=True).status == Status.FAIL for output in case.outputs)
        ]


class Captured(nn.Module):
    """The postprocess with as many arguments as it is given here: (boxes, scores, image)."""

    def __init__(self, detections: nn.Module) -> None:
        super().__init__()
        self.detections = detections

    def forward(self, boxes: Tensor, scores: Tensor, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        answer: tuple[Tensor, Tensor, Tensor] = self.detections(boxes, scores, image)
        return answer


@cache
def subject(name: str) -> Subject:
    """The postprocess of one kind, captured once."""
    kind = KINDS[name]
    problem = Problem(
        task="object-detection",
        input=ImageInput(size=kind.size, channels=3),
        classes=tuple(f"class {number}" for number in range(kind.classes)),
        facts={"max_detections": kind.limit},
    )
    width = 4 * kind.classes if kind.own_boxes else 4
    heads = (
        Port(name="head_boxes", dtype="float32", shape=(1, kind.cells, width)),
        Port(name="head_scores", dtype="float32", shape=(1, kind.cells, kind.classes)),
    )
    cases = boundary_cases(problem, heads)
    answer = DetectionGraphs().signatures(problem).pipeline
    module = detections(problem).eval()
    signature = Signature(inputs=(*heads, IMAGE), outputs=answer.outputs)
    graph = export_graph(
        Captured(module).eval(), {**cases[0].outputs, **cases[0].raw}, signature, opset=18, name="postprocess"
    )
    pipeline = TorchPipeline(
        preprocess=nn.Identity(),
        model=nn.Identity(),
        postprocess=module,
        signature=answer,
        model_signature=Signature(inputs=(), outputs=heads),
    )
    references = boundary_references(cases, pipeline_pair(pipeline, None))
    return Subject(
        model=graph.shipped.model,
        run=BoundaryRun(
            cases=cases, signature=answer, references=references, outputs=(Failed("not run"),) * len(cases)
        ),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_unmutated_postprocess_is_right_in_every_case(kind: str) -> None:
    assert not any(isinstance(reference, Failed) for reference in subject(kind).run.references)
    assert subject(kind).failures(subject(kind).model) == []


EVERYWHERE = {
    "threshold higher",
    "threshold lower",
    "overlap higher",
    "overlap lower",
    "unclipped",
    "half the candidates",
    "a tenth of the candidates",
    "one box fewer",
    "one box more",
    "reverse order",
    "decoding",
    "unit",
    "zero",
}
BY_CLASS = {"class offset halved", "class-agnostic"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_mutant_of_a_postprocess_is_killed(kind: str) -> None:
    mutants = {name: edit(subject(kind).model) for name, edit in ON_POSTPROCESS.items()}
    applied = {name: mutated for name, mutated in mutants.items() if mutated is not None}
    assert applied.keys() == EVERYWHERE | BY_CLASS
    survivors = {name for name, mutated in applied.items() if not subject(kind).failures(mutated.model)}
    assert survivors == (BY_CLASS if KINDS[kind].classes == 1 else set())


def with_limit(model: onnx.ModelProto, operator: str, index: int, before: int, after: int) -> Mutated | None:
    """Another whole number in the place of one that an operator reads."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for tensor in copy.graph.initializer:
        if numpy_helper.to_array(tensor).tolist() == [before] and any(
            node.op_type == operator and node.input[index] == tensor.name for node in copy.graph.node
        ):
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) - before + after, tensor.name))
            return Mutated(copy, "")
    return None


def clipped_after_nms(model: onnx.ModelProto) -> Mutated | None:
    """Boxes that are clipped in the answer alone, so that NMS sees what lies outside."""
    mutated = unclipped(model)
    assert mutated is not None
    copy = mutated.model
    output = copy.graph.output[0].name
    for node in copy.graph.node:
        node.output[:] = ["edit/boxes" if name == output else name for name in node.output]
    for name, value in (("edit/low", 0.0), ("edit/high", 96.0)):
        copy.graph.initializer.append(helper.make_tensor(name, onnx.TensorProto.FLOAT, [], [value]))
    copy.graph.node.append(helper.make_node("Clip", ["edit/boxes", "edit/low", "edit/high"], [output]))
    return Mutated(copy, "")


OTHERS: dict[str, Callable[[onnx.ModelProto], Mutated | None]] = {
    "score above 0.06": partial(threshold, change=0.2),
    "score above 0.04": partial(threshold, change=-0.2),
    "overlap of 0.55": partial(overlap, change=0.1),
    "overlap of 0.45": partial(overlap, change=-0.1),
    "30 candidates": partial(candidates, divisor=33),
    "three quarters of the class offset": partial(class_offset, factor=0.75),
    "seven eighths of the class offset": partial(class_offset, factor=0.875),
    "999 candidates": lambda model: with_limit(model, "TopK", 1, 1000, 999),
    "1,001 candidates": lambda model: with_limit(model, "TopK", 1, 1000, 1001),
    "half the boxes": lambda model: with_limit(model, "Slice", 2, 20, 10),
    "twice the boxes": lambda model: with_limit(model, "Slice", 2, 20, 40),
    "clipped after NMS": clipped_after_nms,
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_wrong_numbers_are_noticed_too(name: str) -> None:
    mutated = OTHERS[name](subject("yolo").model)
    assert mutated is not None
    assert subject("yolo").failures(mutated.model)


def test_a_case_at_which_the_two_precisions_differ_decides_nothing() -> None:
    right = subject("yolo").run
    at_threshold = replace(right.cases[0], outputs=dict(right.cases[0].outputs))
    scores = at_threshold.outputs["head_scores"].copy()
    scores[0, 0, 0] = 0.05  # above 0.05 in double precision, where it is 0.0500000007, and not in single
    cases: tuple[BoundaryCase, ...] = (replace(at_threshold, outputs={**at_threshold.outputs, "head_scores": scores}),)
    pipeline = TorchPipeline(
        preprocess=nn.Identity(),
        model=nn.Identity(),
        postprocess=detections(
            Problem(task="object-detection", input=ImageInput(size=(96, 96), channels=3), classes=tuple("abcdefghij"))
        ).eval(),
        signature=right.signature,
        model_signature=Signature(
            inputs=(),
            outputs=tuple(
                Port(name=name, dtype="float32", shape=value.shape) for name, value in cases[0].outputs.items()
            ),
        ),
    )
    (reference,) = boundary_references(cases, pipeline_pair(pipeline, None))
    assert isinstance(reference, Failed)
    assert reference.reason == "boxes, scores, labels of another length in single than in double precision"
