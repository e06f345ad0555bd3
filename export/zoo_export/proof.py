"""The whole proof of one export: two graphs, their references beside the runtime, controls, evidence, verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import onnx
import torch

from zoo.engine.threads import use_idle_cores
from zoo.judge.evidence import (
    CaseEvidence,
    ControlResult,
    Evidence,
    File,
    GraphEvidence,
    Labels,
    Lineage,
    Prepared,
    Waiver,
)
from zoo.judge.evidence import Subject as SubjectRecord
from zoo.judge.verdict import Verdict, judge
from zoo.replay.sandbox import Runtime
from zoo.task import Agreement, Case, Control, Signature
from zoo_export.agreement import agree, noise_of
from zoo_export.answer import Finisher, eager_answers, in_levels, rounded_otherwise
from zoo_export.beside import Beside, beside
from zoo_export.cases import Inputs, beyond, collect
from zoo_export.company import company
from zoo_export.compare import Given, compare_case
from zoo_export.controls import Spoilt, compare_few, judge_spoilt, left_out, planned
from zoo_export.exported import MODEL, PIPELINE, Exported, export
from zoo_export.fed import fed_items
from zoo_export.graph import serialize
from zoo_export.labels import measure_labels
from zoo_export.lineage import differing, measure_lineage, trace
from zoo_export.measure import Answers, eval_mode, measure_graph, torch_repeats
from zoo_export.pipeline import IN
from zoo_export.ports import Array, call
from zoo_export.reference import Answer, Oracle, Runs, settle
from zoo_export.sabotage import ON_MODEL, ON_PREPARE
from zoo_export.state import Walk, walks
from zoo_export.subject import Subject
from zoo_export.trial import Trial, chosen

Progress = Callable[[str], None]
"""Called with what is being done now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was made, what was measured, what follows."""

    subject: Subject
    exported: Exported
    inputs: Inputs
    answers: Mapping[str, Answers]
    """By file name, per case of `inputs`: what is right."""
    given: tuple[Given, ...]
    """Per raw case: what pipeline.onnx answered."""
    walks: tuple[tuple[Walk, Answer | str], ...]
    """Through pipeline.onnx, its state fed back, with what is right; empty for a graph without state."""
    evidence: Evidence
    verdict: Verdict
    seconds: float


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


def _without_pipeline(control: Control) -> Control:
    if not control.applies or control.name in ON_MODEL:
        return control
    return Control(name=control.name, applies=False, reason="this file holds the model alone, no preparing")


def prove(
    subject: Subject,
    *,
    opset: int,
    evaluate: int = 500,
    files: Mapping[str, bytes] | None = None,
    golden_of_users: bool = True,
    progress: Progress = lambda _: None,
) -> Proof:
    """Export the subject and measure the result; with `files`, measure those instead of the fresh ones.

    The runtime works in its own process beside PyTorch: it needs the inputs only, never the references.
    """
    use_idle_cores(spare=1)  # ONNX Runtime works beside
    start = time.perf_counter()
    with torch.no_grad(), Runtime() as runtime, beside(runtime) as worker:
        proving = _Proving(subject, worker, progress)
        proving.inputs = collect(subject, proving.prepare, evaluate=evaluate, golden_of_users=golden_of_users)
        evidence = proving.run(opset=opset, files=files)
        evidence = replace(evidence, seconds=proving.clock.seconds)
    return Proof(
        subject=subject,
        exported=proving.exported,
        inputs=proving.inputs,
        answers=proving.answers,
        given=proving.trials[PIPELINE].result().given if PIPELINE in proving.trials else (),
        walks=tuple(zip(proving.walks[PIPELINE], proving.walked[PIPELINE], strict=True)),
        evidence=evidence,
        verdict=judge(evidence, published=proving.exported.sha256),
        seconds=time.perf_counter() - start,
    )


def _with_prepared(cases: Sequence[CaseEvidence], levels: Sequence[Prepared | None]) -> Iterator[CaseEvidence]:
    """The first cases with their prepared pictures, the rest as they are."""
    for place, case in enumerate(cases):
        known = levels[place] if place < len(levels) else None
        yield case if place >= len(levels) else replace(case, prepared=() if known is None else (known,))


class _Proving:
    """One proof under way."""

    def __init__(self, subject: Subject, worker: Beside, progress: Progress) -> None:
        self.subject = subject
        self.worker = worker
        self.environment = worker.environment()
        self.progress = progress
        self.clock = Clock()
        self.prepare, self.finish = subject.prepare(), subject.finish()
        self.model, self.pipeline = subject.signature, subject.pipeline_signature
        self.finisher = Finisher(self.finish, self.model, self.pipeline)
        self.inputs: Inputs
        self.shams: dict[tuple[str, tuple[int, ...], bool], GraphEvidence] = {}

    def run(self, *, opset: int, files: Mapping[str, bytes] | None) -> Evidence:
        """Everything, in the order that keeps both processes busy."""
        self.opset = opset
        self.progress("capturing the graphs")
        with self.clock("export"):
            self._export(files)
        self._hand_over()
        self.progress("running PyTorch in double precision")
        with self.clock("parity"):
            self._references()
        self.progress("comparing")
        evidence = self._evidence()
        self.progress("looking at spoilt copies")
        with self.clock("power"):
            return replace(evidence, power=self._power(evidence))

    def _export(self, files: Mapping[str, bytes] | None) -> None:
        self.trials: dict[str, Future[Trial]] = {}

        def ready(name: str, data: bytes) -> None:
            cases, signature = self._of(name)
            if files is None:
                self.trials[name] = self.worker.trial(name, data, cases, signature)

        fresh = export(self.subject, self.inputs, opset=self.opset, ready=ready)
        self.fresh, self.exported = fresh, fresh
        if files is not None:
            self.exported = fresh.holding(files)
            for name, data in files.items():
                cases, signature = self._of(name)
                self.trials[name] = self.worker.trial(name, data, cases, signature)

    def _of(self, name: str) -> tuple[tuple[Case, ...], Signature]:
        return (self.inputs.model, self.model) if name == MODEL else (self.inputs.raw, self.pipeline)

    def _hand_over(self) -> None:
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

    def _references(self) -> None:
        oracle = Oracle(self.subject.module, self.model, self.inputs.model[0].inputs)
        runs = oracle.runs([case.inputs for case in self.inputs.model])
        self.company = company(oracle, self.inputs.model, runs, self.model)
        self.beyond = {name: self._beyond(name, oracle) for name in self.exported.files}
        self.levels: list[Prepared | None] = []
        prepared = self.prepared.result() if PIPELINE in self.exported.files else []
        for place, given in enumerate(prepared):
            self._look_at_preparing(place, given, oracle, runs)
        self.reference = oracle.facts
        self.answers: dict[str, Answers] = {
            MODEL: [
                one.error or settle(replace(one, double=one.moved_from or one.double, moved_from=None)) for one in runs
            ],
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

    # --- evidence ---

    def _evidence(self) -> Evidence:
        subject = self.subject
        with self.clock("eval mode"):
            mode = eval_mode(subject.module)
        with self.clock("determinism"):
            repeats = torch_repeats(subject.module, self.inputs.model[:1], self.model)
        with self.clock("lineage"):
            lineage = self._lineage()
        graphs = tuple(self._graph(name, repeats=repeats) for name in self.exported.files)
        graphs = tuple(self._with_levels(graph) if graph.role == "pipeline" else graph for graph in graphs)
        graphs = tuple(
            self._with_answers(graph, range(len(self.inputs.raw)), self.trials[graph.name].result().given)
            if graph.role == "pipeline"
            else graph
            for graph in graphs
        )
        whole = PIPELINE in self.exported.files
        with self.clock("agreement"):
            agreement, data = self._agreement(graphs) if whole else (None, "")
            fed = self._fed(graphs) if whole else ()
        return Evidence(
            environment=self.environment.result(),
            subject=SubjectRecord(
                model=subject.model,
                task=subject.problem.task,
                files=tuple(
                    File(name=name, sha256=digest, bytes=len(self.exported.files[name]))
                    for name, digest in self.exported.sha256.items()
                ),
                weights=subject.lineage.weights,
                weights_sha256=subject.lineage.weights_sha256,
                trained=subject.trained,
                scope="bundle" if whole else "file",
            ),
            reference=self.reference,
            graphs=graphs,
            eval_mode=mode,
            lineage=lineage,
            labels=self._labels() if whole else None,
            agreement=agreement,
            agreement_data=data,
            fed=fed,
            waivers=self._waivers(),
        )

    def _waivers(self) -> tuple[Waiver, ...]:
        export = self.subject.export
        return tuple(
            Waiver(output=name, reason=reason, bound=export.waiver_bounds.get(name, 0.0))
            for name, reason in export.waivers.items()
        )

    def _labels(self) -> Labels:
        with self.clock("labels"):
            return measure_labels(
                self.subject.problem,
                self.exported.models,
                signature=self.pipeline,
                cases=self.inputs.raw,
                answers=self.answers[PIPELINE],
                given=self.trials[PIPELINE].result().given,
            )

    def _lineage(self) -> Lineage | None:
        """From the module's state to the captured graph, and from that to the bytes of the files."""
        if PIPELINE not in self.exported.files:
            return trace(self.subject.module, self.fresh.graph.shipped, self.exported.models[MODEL])
        inputs = self.inputs.model[0].inputs
        found = measure_lineage(self.subject.module, self.fresh.graph.plain, inputs, self.model)
        wrong = [
            f"{name}: {sentence}"
            for name, model in self.exported.models.items()
            if model is not self.fresh.models[name]
            for sentence in differing(model, self.fresh.models[name])
        ]
        return replace(found, different=(*found.different, *wrong))

    def _graph(
        self,
        name: str,
        *,
        repeats: bool,
    ) -> GraphEvidence:
        cases, signature = self._of(name)
        with self.clock("axes"):
            graph = measure_graph(
                name=name,
                role="model" if name == MODEL else "pipeline",
                sha256=self.exported.sha256[name],
                model=self.exported.models[name],
                signature=signature,
                cases=cases,
                answers=self.answers[name],
                trial=self.trials[name].result(),
                opset=self.opset,
                torch_equal=repeats,
                example=self._example(name),
                declared_arithmetic=self.subject.export.declared_arithmetic,
                waivers=self._waivers(),
            )
        if name == MODEL and self.company and graph.axes is not None:
            tested = [replace(a, failures=(*a.failures, self.company)) for a in graph.axes.tested[:1]]
            graph = replace(graph, axes=replace(graph.axes, tested=(*tested, *graph.axes.tested[1:])))
        others = (*self._walked(name), *self.beyond[name])
        return replace(graph, cases=(*graph.cases, *others), stateful=bool(signature.feedback))

    def _beyond(self, name: str, oracle: Oracle) -> list[CaseEvidence]:
        """Just beyond the sizes that the graph was captured for, wherever PyTorch itself still runs there."""
        cases, signature = self._of(name)
        limits = self.fresh.graph.limits if name == MODEL else self.fresh.pipeline.limits
        found = []
        for case in beyond(cases, signature.inputs, limits):
            ends = Signature(inputs=signature.inputs, outputs=self.model.inputs)
            feeds = case.inputs if name == MODEL else call(self.prepare, case.inputs, ends)
            runs = oracle.runs([feeds])[0]
            if not runs.error:
                answer = settle(runs if name == MODEL else self.finisher.runs(runs, case.inputs))
                found.append(compare_case(case, self.worker.answers(name, [case]).result()[0], answer, signature))
        return found

    def _walked(self, name: str) -> Iterator[CaseEvidence]:
        """Roll-out and split of a graph with state, compared."""
        _, signature = self._of(name)
        for walk, given, answer in zip(self.walks[name], self.walking[name], self.walked[name], strict=True):
            yield replace(compare_case(walk.case, given.result(), answer, signature), steps=walk.steps)

    def _example(self, name: str) -> dict[str, tuple[int, ...]]:
        if name == MODEL:
            return dict(self.exported.example)
        return {name: tuple(value.shape) for name, value in self.inputs.raw[0].inputs.items()}

    def _with_levels(self, graph: GraphEvidence) -> GraphEvidence:
        return replace(graph, cases=tuple(_with_prepared(graph.cases, self.levels)))

    def _spoilt_levels(self, spoilt: Spoilt) -> list[Prepared | None]:
        """The pictures that a spoilt preparing made: a class map may be the same for another brightness."""
        pairs = [
            (self.inputs.model[place].inputs, one) for place, one in zip(spoilt.places, spoilt.prepared, strict=False)
        ]
        return [None if isinstance(one, str) else in_levels(one, right, self.subject.problem) for right, one in pairs]

    def _with_answers(self, graph: GraphEvidence, places: Sequence[int], given: Sequence[Given]) -> GraphEvidence:
        """With the task's comparison of the answers to these raw cases, where only the task can compare them."""
        if not any(output.compare == "agreement" for case in graph.cases for output in case.outputs):
            return graph
        cases, right, ours = self._rows(places, given)
        return replace(graph, answers=agree(self.subject.task, cases, right, ours, noise=noise_of(graph.cases)))

    def _rows(
        self, places: Sequence[int], given: Sequence[Given]
    ) -> tuple[list[Case], list[Mapping[str, Array]], list[Given]]:
        """Those of the raw cases at these places that gate: the case, what is right, what the file says."""
        rows = [
            (self.inputs.raw[place], answer.reference, one)
            for place, one in zip(places, given, strict=True)
            if isinstance(answer := self.answers[PIPELINE][place], Answer) and self.inputs.raw[place].gates
        ]
        return [case for case, _, _ in rows], [right for _, right, _ in rows], [ours for _, _, ours in rows]

    def _agreement(self, graphs: Sequence[GraphEvidence]) -> tuple[Agreement | None, str]:
        """Over the evaluation items; without data, over the pipeline's own cases."""
        noise = noise_of(next(graph.cases for graph in graphs if graph.name == PIPELINE))
        task, items = self.subject.task, self.inputs.items
        if items:
            reference: Sequence[Mapping[str, Array]] = eager_answers(
                items,
                prepare=self.prepare,
                module=self.subject.module,
                finisher=self.finisher,
                model=self.model,
                pipeline=self.pipeline,
            )
            found = agree(task, items, reference, self.items.result(), noise=noise)
            return found, f"{len(items)} evaluation items"
        cases, right, ours = self._rows(range(len(self.inputs.raw)), self.trials[PIPELINE].result().given)
        return agree(task, cases, right, ours, noise=noise), f"{len(cases)} cases without evaluation data"

    def _fed(self, graphs: Sequence[GraphEvidence]) -> tuple[Prepared, ...]:
        noise = noise_of(next(graph.cases for graph in graphs if graph.name == PIPELINE))
        return fed_items(self.subject, self.inputs.items, prepare=self.prepare, finisher=self.finisher, noise=noise)

    # --- power ---

    def _power(self, evidence: Evidence) -> tuple[ControlResult, ...]:
        return tuple(
            self._judged(self.spoilt[control.name].result(), evidence) if control.applies else left_out(control)
            for control in self.controls
        )

    def _judged(self, spoilt: Spoilt, evidence: Evidence) -> ControlResult:
        """What the gates say to a copy that they do not say to the sound graph in the very same few cases."""
        if spoilt.model is None or spoilt.trial is None:
            return judge_spoilt(spoilt, evidence, None)
        name = MODEL if spoilt.role == "model" else PIPELINE
        measured = self._on_few(spoilt, spoilt.model, spoilt.trial, evidence)
        key = (name, spoilt.places, spoilt.name in ON_PREPARE)
        if key not in self.shams:
            sound = chosen(self.trials[name].result(), spoilt.places)
            self.shams[key] = self._on_few(spoilt, self.exported.models[name], sound, evidence)
        return judge_spoilt(spoilt, evidence, measured, sham=self.shams[key])

    def _on_few(self, spoilt: Spoilt, model: onnx.ModelProto, trial: Trial, evidence: Evidence) -> GraphEvidence:
        """The evidence on a graph that was put to the few cases of a control."""
        name = MODEL if spoilt.role == "model" else PIPELINE
        cases, signature = self._of(name)
        original = next(graph for graph in evidence.graphs if graph.name == name)
        if spoilt.name in ON_PREPARE:
            answers = [self.answers[name][place] for place in spoilt.places]
            measured = compare_few(original, [cases[place] for place in spoilt.places], trial.given, answers, signature)
            sound = [self.levels[place] for place in spoilt.places]
            levels = self._spoilt_levels(spoilt) if model is spoilt.model else sound
            measured = replace(measured, cases=tuple(_with_prepared(measured.cases, levels)))
        else:
            measured = measure_graph(
                name=name,
                role=spoilt.role,
                sha256=original.sha256,
                model=model,
                signature=signature,
                cases=[cases[place] for place in spoilt.places],
                answers=[self.answers[name][place] for place in spoilt.places],
                trial=trial,
                opset=self.opset,
                torch_equal=True,
                example=self._example(name),
                declared_arithmetic=self.subject.export.declared_arithmetic,
                waivers=self._waivers(),
            )
        return self._with_answers(measured, spoilt.places, trial.given) if spoilt.role == "pipeline" else measured
