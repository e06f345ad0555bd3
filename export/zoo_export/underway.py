"""One proof under way: graphs captured, and the runtime and PyTorch put to the same cases side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

from zoo.judge.evidence import CaseEvidence, GraphEvidence, Prepared, Waiver
from zoo.task import Case, Control, Signature
from zoo_export.answer import Finisher, in_levels, rounded_otherwise
from zoo_export.beside import Beside
from zoo_export.cases import Inputs, elsewhere
from zoo_export.company import company
from zoo_export.compare import Given, compare_case
from zoo_export.controls import planned
from zoo_export.exported import MODEL, PIPELINE, export
from zoo_export.graph import serialize
from zoo_export.measure import Answers
from zoo_export.pipeline import IN
from zoo_export.ports import call
from zoo_export.reference import Answer, Oracle, Runs, settle
from zoo_export.sabotage import ON_MODEL
from zoo_export.state import walks
from zoo_export.subject import Subject
from zoo_export.trial import Trial


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

    def capture(self, files: Mapping[str, bytes] | None, *, opset: int) -> None:
        """Export both graphs; of each the trial begins as soon as its file is there."""
        self.opset = opset
        self.trials: dict[str, Future[Trial]] = {}

        def ready(name: str, data: bytes) -> None:
            cases, signature = self.of(name)
            if files is None:
                self.trials[name] = self.worker.trial(name, data, cases, signature)

        fresh = export(self.subject, self.inputs, opset=self.opset, ready=ready)
        self.fresh, self.exported = fresh, fresh
        if files is not None:
            self.exported = fresh.holding(files)
            for name, data in files.items():
                cases, signature = self.of(name)
                self.trials[name] = self.worker.trial(name, data, cases, signature)

    def hand_over(self) -> None:
        """Give the runtime everything that it can do while PyTorch is busy."""
        exported = self.exported
        self.walks = {MODEL: walks(self.inputs.model, self.model), PIPELINE: walks(self.inputs.raw, self.pipeline)}
        self.walking = {name: [self.worker.walk(name, one) for one in self.walks[name]] for name in exported.files}
        self.controls = planned(self.subject.task.controls(self.subject.problem), self.model)
        if PIPELINE in exported.files:
            self.prepared = self.worker.once("the preparing", serialize(exported.pipeline.prepare), self.inputs.raw)
            self.items = self.worker.answers(PIPELINE, self.inputs.items)
        else:
            self.controls = tuple(_without_pipeline(control) for control in self.controls)
        self.spoilt = {
            control.name: self.worker.control(
                control,
                model=exported.models[MODEL],
                prepare=exported.pipeline.prepare,
                pipeline=exported.pipeline.shipped,
                cases=self.inputs.model,
                raw=self.inputs.raw,
                signature=self.model,
                pipeline_signature=self.pipeline,
                loaded=MODEL,
                finish=self.finisher.single,
            )
            for control in self.controls
            if control.applies
        }

    def refer(self) -> None:
        """Ask PyTorch, in every arithmetic, what is right in every case of both graphs and through every walk."""
        oracle = Oracle(self.subject.module, self.model, self.inputs.model[0].inputs)
        runs = oracle.runs([case.inputs for case in self.inputs.model])
        self.company = company(oracle, self.inputs.model, runs, self.model)
        self.elsewhere = {name: self._elsewhere(name, oracle) for name in self.exported.files}
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

    def _elsewhere(self, name: str, oracle: Oracle) -> list[CaseEvidence]:
        """At the sizes that the graph was not captured for, wherever PyTorch itself runs there."""
        cases, signature = self.of(name)
        sizes = self.fresh.graph.elsewhere if name == MODEL else self.fresh.pipeline.elsewhere
        found = []
        for case in elsewhere(cases, signature.inputs, sizes):
            ends = Signature(inputs=signature.inputs, outputs=self.model.inputs)
            feeds = case.inputs if name == MODEL else call(self.prepare, case.inputs, ends)
            runs = oracle.runs([feeds])[0]
            if not runs.error:
                answer = settle(runs if name == MODEL else self.finisher.runs(runs, case.inputs))
                found.append(compare_case(case, self.worker.answers(name, [case]).result()[0], answer, signature))
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


def _without_pipeline(control: Control) -> Control:
    if not control.applies or control.name in ON_MODEL:
        return control
    return Control(name=control.name, applies=False, reason="this file holds the model alone, no preparing")
