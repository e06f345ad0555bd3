"""The negative control: what the gates say to spoilt copies of this very bundle."""

from __future__ import annotations

from dataclasses import replace

import onnx

from zoo.bundle.judge.evidence import Evidence, GraphEvidence, MutantResult, Prepared
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.controls.mutants import Spoilt
from zoo_export.controls.mutations import ON_PREPARE
from zoo_export.controls.verdicts import compare_few, judge_spoilt, left_out
from zoo_export.measure.graph import measure_graph
from zoo_export.proof.evidence import with_answers, with_prepared
from zoo_export.proof.phases import Underway
from zoo_export.reference.postprocess import in_levels
from zoo_export.subject.results import Trial, chosen


def power(under: Underway, evidence: Evidence) -> tuple[MutantResult, ...]:
    """Every control of the task with what caught it."""
    return tuple(
        _judged(under, under.spoilt[control.name].result(), evidence) if control.applies else left_out(control)
        for control in under.controls
    )


def _judged(under: Underway, spoilt: Spoilt, evidence: Evidence) -> MutantResult:
    """What the gates say to a copy that they do not say to the sound graph in the very same few cases."""
    if spoilt.model is None or spoilt.trial is None:
        return judge_spoilt(spoilt, evidence, None)
    name = MODEL if spoilt.role == "model" else PIPELINE
    measured = _on_few(under, spoilt, spoilt.model, spoilt.trial, evidence)
    key = (name, spoilt.places, spoilt.name in ON_PREPARE)
    if key not in under.shams:
        sound = chosen(under.trials[name].result(), spoilt.places)
        under.shams[key] = _on_few(under, spoilt, under.exported.models[name], sound, evidence)
    original = under.exported.pipeline.prepare if spoilt.name in ON_PREPARE else under.exported.models[name]
    return judge_spoilt(spoilt, evidence, measured, sham=under.shams[key], original=original)


def _on_few(under: Underway, spoilt: Spoilt, model: onnx.ModelProto, trial: Trial, evidence: Evidence) -> GraphEvidence:
    """The evidence on a graph that was put to the few cases of a control."""
    name = MODEL if spoilt.role == "model" else PIPELINE
    cases, signature = under.of(name)
    original = next(graph for graph in evidence.graphs if graph.name == name)
    if spoilt.name in ON_PREPARE:
        answers = [under.answers[name][place] for place in spoilt.places]
        measured = compare_few(original, [cases[place] for place in spoilt.places], trial.given, answers, signature)
        sound = [under.levels[place] for place in spoilt.places]
        levels = _spoilt_levels(under, spoilt) if model is spoilt.model else sound
        measured = replace(measured, cases=tuple(with_prepared(measured.cases, levels)))
    else:
        measured = measure_graph(
            name=name,
            role=spoilt.role,
            sha256=original.sha256,
            model=model,
            signature=signature,
            cases=[cases[place] for place in spoilt.places],
            answers=[under.answers[name][place] for place in spoilt.places],
            trial=trial,
            opset=under.opset,
            torch_equal=True,
            example=under.example(name),
            declared_arithmetic=under.subject.export.declared_arithmetic,
            waivers=under.waivers(),
        )
    return with_answers(under, measured, spoilt.places, trial.given) if spoilt.role == "pipeline" else measured


def _spoilt_levels(under: Underway, spoilt: Spoilt) -> list[Prepared | None]:
    """The pictures that a spoilt preparing made: a class map may be the same for another brightness."""
    pairs = [
        (under.inputs.model[place].inputs, one) for place, one in zip(spoilt.places, spoilt.prepared, strict=False)
    ]
    return [None if isinstance(one, str) else in_levels(one, right, under.subject.problem) for right, one in pairs]
