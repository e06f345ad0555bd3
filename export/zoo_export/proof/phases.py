"""One proof under way: graphs captured, and the runtime and PyTorch put to the same cases side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

import onnx

from zoo.api.task import Case, Control, Signature
from zoo.bundle.judge.evidence import CaseEvidence, GraphEvidence, Prepared, Waiver
from zoo_export.capture.capture import MODEL, PIPELINE, export
from zoo_export.capture.compose import IN
from zoo_export.capture.torch_export import serialize
from zoo_export.controls.mutants import Spoilt
from zoo_export.controls.mutations import ON_MODEL, ON_PREPARE
from zoo_export.controls.verdicts import planned
from zoo_export.measure.graph import Answers
from zoo_export.measure.outputs import Given, compare_case
from zoo_export.reference.batch_invariance import company
from zoo_export.reference.oracle import Answer, Oracle, Runs, settle
from zoo_export.reference.postprocess import Finisher, in_levels, rounded_otherwise
from zoo_export.runtime.queue import Beside
from zoo_export.runtime.runs import Trial
from zoo_export.subject.cases import Inputs, elsewhere
from zoo_export.subject.module_io import call
from zoo_export.subject.rollout import walks
from zoo_export.subject.subject import Subject


@dataclass(slots=True)
class Clock:
    """Seconds by part."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


class Underway:
    """What is known of one proof so far."""

    def __init__(self, subject: Subject, worker: Beside) -> None:
        self.subject = subject
        self.worker = worker
        self.environment = worker.environment()
        self.clock = Clock()
        self.prepare, self.finish = subject.prepare(), subject.finish()
        self.model, self.pipeline = subject.signature, subject.pipeline_signature
        self.finisher = Finisher(self.finish, self.model, self.pipeline)
        self.inputs: Inputs
        self.shams: dict[tuple[str, tuple[int, ...], bool], GraphEvidence] = {}

    def ask(self) -> None:
        """Begin with what PyTorch needs all cores for: there is no file yet that the runtime could be put to."""
        self.oracle = Oracle(self.subject.module, self.model, self.inputs.model[0].inputs)
        self.oracle.ahead([case.inputs for case in self.inputs.model])

    def capture(self, files: Mapping[str, bytes] | None, *, opset: int) -> None:
        """Export both graphs; each is put to the runtime as soon as its file is there."""
        self.opset = opset
        whole = files is None or PIPELINE in files
        declared = planned(self.subject.task.answers.controls(self.subject.problem), self.model)
        self.controls = declared if whole else tuple(_without_pipeline(control) for control in declared)
        self.trials: dict[str, Future[Trial]] = {}
        self.spoilt: dict[str, Future[Spoilt]] = {}
        fresh = export(self.subject, self.inputs, opset=opset, ready=self._begin if files is None else _later)
        self.fresh, self.exported = fresh, fresh if files is None else fresh.holding(files)
        for name, data in (files or {}).items():
            self._begin(name, data, self.exported.models[name])

    def _begin(self, name: str, data: bytes, model: onnx.ModelProto) -> None:
        """Put a file to the runtime; and copies of the model with one thing wrong."""
        cases, signature = self.of(name)
        self.trials[name] = self.worker.trial(name, data, cases, signature)
        for control in self.controls if name == MODEL else ():
            if control.applies and control.name in ON_MODEL:
                spoilt = self.worker.spoilt_model(control, model, cases, signature, loaded=MODEL)
                self.spoilt[control.name] = spoilt

    def hand_over(self) -> None:
        """Give the runtime everything else that it can do while PyTorch is busy."""
        exported, raw = self.exported, self.inputs.raw
        self.walks = {MODEL: walks(self.inputs.model, self.model), PIPELINE: walks(raw, self.pipeline)}
        self.walking = {name: [self.worker.walk(name, one) for one in self.walks[name]] for name in exported.files}
        self.elsewhere = {name: self._elsewhere(name) for name in exported.files}
        if PIPELINE in exported.files:
            self.prepared = self.worker.once("the preparing", serialize(exported.pipeline.prepare), raw)
            self.items = self.worker.answers(PIPELINE, self.inputs.items)
        for control in self.controls:
            if control.applies and control.name not in ON_MODEL:
                self.spoilt[control.name] = self._spoil(control)

    def _spoil(self, control: Control) -> Future[Spoilt]:
        pipeline, raw = self.exported.pipeline, self.inputs.raw
        if control.name in ON_PREPARE:
            finish = self.finisher.single
            return self.worker.spoilt_prepare(control, pipeline.prepare, raw, loaded=MODEL, finish=finish)
        return self.worker.spoilt_pipeline(control, pipeline.shipped, raw, self.pipeline)

    def refer(self) -> None:
        """Ask PyTorch, in every arithmetic, what is right in every case of both graphs and through every walk."""
        oracle = self.oracle
        runs = oracle.runs([case.inputs for case in self.inputs.model])
        self.company = company(oracle, self.inputs.model, runs, self.model)
        self.tried = {name: self._try(name, oracle) for name in self.exported.files}
        self.levels: list[Prepared | None] = []
        prepared = self.prepared.result() if PIPELINE in self.exported.files else []
        for place, given in enumerate(prepared):
            self._look_at_preparing(place, given, oracle, runs)
        self.reference = oracle.facts
        self.off = tuple(max(column) for column in zip(*(one.off for one in runs if one.off), strict=True))
        self.answers: dict[str, Answers] = {
            MODEL: [one.error or settle(one.unmoved()) for one in runs],
            PIPELINE: [
                one.error or settle(self.finisher.runs(one, case.inputs))
                for case, one in zip(self.inputs.raw, runs, strict=False)
            ],
        }
        through = [oracle.walk(walk) for walk in self.walks[MODEL]]
        ends = [self.finisher.runs(one, {}) for one in through]
        self.walked: dict[str, list[Answer | str]] = {
            MODEL: [one.error or settle(one) for one in through],
            PIPELINE: [one.error or settle(one) for one in ends],
        }

    def _look_at_preparing(self, place: int, given: Given, oracle: Oracle, runs: list[Runs]) -> None:
        """What the file makes of a raw case, in grey levels; where ties were rounded otherwise, both are right."""
        right = self.inputs.model[place].inputs
        if isinstance(given, str):
            self.levels.append(None)
            return
        feeds = {name.removeprefix(IN): one for name, one in given.items()}
        self.levels.append(in_levels(feeds, right, self.subject.problem))
        if rounded_otherwise(feeds, right, self.subject.problem):
            runs[place] = oracle.at(runs[place], feeds)

    def _elsewhere(self, name: str) -> list[tuple[Case, Future[list[Given]]]]:
        """Sizes that the graph was not captured for, and what the file will have said to each."""
        cases, signature = self.of(name)
        sizes = self.fresh.graph.elsewhere if name == MODEL else self.fresh.pipeline.elsewhere
        made = elsewhere(cases, signature.inputs, sizes)
        return [(case, self.worker.answers(name, [case])) for case in made]

    def _try(self, name: str, oracle: Oracle) -> list[CaseEvidence]:
        """How the file compares there, wherever PyTorch itself runs."""
        _, signature = self.of(name)
        found = []
        for case, given in self.elsewhere[name]:
            ends = Signature(inputs=signature.inputs, outputs=self.model.inputs)
            feeds = case.inputs if name == MODEL else call(self.prepare, case.inputs, ends)
            runs = oracle.runs([feeds])[0]
            if not runs.error:
                answer = settle(runs if name == MODEL else self.finisher.runs(runs, case.inputs))
                found.append(compare_case(case, given.result()[0], answer, signature))
        return found

    def of(self, name: str) -> tuple[tuple[Case, ...], Signature]:
        """The cases that a graph is put to, and its signature."""
        return (self.inputs.model, self.model) if name == MODEL else (self.inputs.raw, self.pipeline)

    def example(self, name: str) -> dict[str, tuple[int, ...]]:
        """The shapes at which a graph was captured, by input name."""
        if name == MODEL:
            return dict(self.exported.example)
        return {name: tuple(value.shape) for name, value in self.inputs.raw[0].inputs.items()}

    def waivers(self) -> tuple[Waiver, ...]:
        """The outputs that the model's plugin says the rule cannot hold for."""
        export = self.subject.export
        return tuple(
            Waiver(output=name, reason=reason, bound=export.waiver_bounds.get(name, 0.0))
            for name, reason in export.waivers.items()
        )


def _later(name: str, data: bytes, model: onnx.ModelProto) -> None:
    """For a fresh export that is not what is measured."""


def _without_pipeline(control: Control) -> Control:
    if not control.applies or control.name in ON_MODEL:
        return control
    return Control(name=control.name, applies=False, reason="this file holds the model alone, no preparing")
