"""The negative control: spoilt copies of this very bundle, put to the same measuring and the same judge.

Copies share inputs and references with the proof; only the runtime's answers are new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
import onnx

from zoo.errors import PluginError, ZooError
from zoo.judge.evidence import ControlResult, Evidence, GraphEvidence
from zoo.judge.rule import judge_output
from zoo.judge.verdict import catches
from zoo.references import resolve
from zoo.replay.sandbox import Runtime, Session
from zoo.task import GENERIC_CONTROLS, Case, Control, Signature
from zoo_export.compare import Given, compare_case
from zoo_export.graph import serialize
from zoo_export.pipeline import IN
from zoo_export.ports import Array
from zoo_export.reference import Answer
from zoo_export.sabotage import ON_MODEL, ON_PREPARE, bias, copy_of, scale, weight
from zoo_export.stacking import batch_name
from zoo_export.trial import Trial, ask, try_graph, try_session

Finish = Callable[[Mapping[str, Array], Mapping[str, Array]], dict[str, Array]]
"""(model outputs, raw inputs) -> the answer, in PyTorch."""

FEW = 2
"""Cases that a spoilt model is put to."""
LAYERS = 3
"""So many layers are tried for one whose change some case hears."""
HEARD = {"weight": 0.0, "scale": 1e-5, "bias": 1e-5}
"""By control: a copy whose outputs move by no more, relative to the largest, was not heard.

A whole layer times 1.001 moves what hears it a hundred times as far; a norm behind it undoes it but for rounding.
"""
LAYERED = {"weight": weight, "scale": scale, "bias": bias}
SMALL = 50_000
"""Elements that cost nothing: up to so many in all, it is put to more cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoilt:
    """One spoilt copy and what the runtime said to it."""

    name: str
    role: Literal["model", "pipeline"] = "model"
    detail: str
    model: onnx.ModelProto | None = None
    """None where the control does not apply."""
    places: tuple[int, ...] = ()
    """Which of the graph's cases it was put to."""
    trial: Trial | None = None
    prepared: tuple[Given, ...] = ()
    """What a spoilt preparing makes of those cases, under the names of the model's inputs."""


def choose(cases: Sequence[Case], count: int) -> tuple[int, ...]:
    """Places of a few gating cases of different kinds and sizes, the largest among them."""
    gating = [place for place, case in enumerate(cases) if case.gates]
    by_size = sorted(gating, key=lambda place: -sum(value.size for value in cases[place].inputs.values()))
    different = list({cases[place].kind: place for place in reversed(gating)}.values())
    return tuple(dict.fromkeys([*by_size[:1], *reversed(different), *gating]))[:count]


def spoil_model(
    control: Control,
    shipped: onnx.ModelProto,
    cases: Sequence[Case],
    signature: Signature,
    *,
    runtime: Runtime,
    loaded: Session | None,
    known: dict[tuple[int, ...], Trial] | None = None,
) -> Spoilt:
    """The model's graph with one thing wrong, run on a few cases.

    A single weight may belong to a unit that is silent in all of them, a norm undoes the scale of what comes before it,
    a softmax what is added to all of its inputs; that says nothing about the check, and another layer is changed
    instead.  `loaded` is the sound graph, to see that by; `known` is what it has answered to these cases.
    """
    name = control.name
    if name not in HEARD:
        return _spoil(name, ON_MODEL[name](shipped), cases, signature, runtime)
    edit = LAYERED[name]
    known = {} if known is None else known
    spoilt = _spoil(name, edit(shipped, 0), cases, signature, runtime)
    for layer in range(1, LAYERS):
        if loaded is None or spoilt.trial is None:
            break
        if spoilt.places not in known:
            some = [cases[place] for place in spoilt.places]
            known[spoilt.places] = try_session(runtime, loaded, some, signature, sizes=(len(some),))
        if not _is_silent(spoilt, spoilt.trial, known[spoilt.places]):
            break
        made = edit(shipped, layer)
        if made is None:
            break
        other = _spoil(name, made, cases, signature, runtime)
        spoilt = replace(other, detail=f"{other.detail} (no case hears the same done to another layer)")
    return spoilt


def _spoil(
    name: str,
    made: tuple[onnx.ModelProto, str] | None,
    cases: Sequence[Case],
    signature: Signature,
    runtime: Runtime,
) -> Spoilt:
    if made is None:
        return Spoilt(name=name, detail=f"this graph has nothing that {name} could spoil")
    model, detail = made
    places = _alike(cases, choose(cases, len(cases)))
    chosen = [cases[place] for place in places]
    sizes = _sizes(name, places)
    trial = try_graph(runtime, model.SerializeToString(), chosen, signature, title=f"control {name}", sizes=sizes)
    return Spoilt(name=name, detail=detail, model=model, places=places, trial=trial)


def _sizes(name: str, places: Sequence[int]) -> tuple[int, ...]:
    return (1, 3) if name == "batch" else (len(places),)


def _is_silent(spoilt: Spoilt, trial: Trial, sound: Trial) -> bool:
    """The copy answers as the sound graph does in every case it was put to: to the bit, or but for rounding."""
    return all(
        not isinstance(one, str)
        and not isinstance(other, str)
        and all(_near(value, other[name], HEARD[spoilt.name]) for name, value in one.items())
        for one, other in zip(sound.given, trial.given, strict=True)
    )


def _near(value: Array, other: Array, share: float) -> bool:
    """Equal bits, or nowhere further apart than a share of the largest value."""
    if value.tobytes() == other.tobytes():
        return True
    if not share or not np.issubdtype(value.dtype, np.floating) or value.shape != other.shape:
        return False
    return bool(np.abs(value - other).max(initial=0.0) <= share * np.abs(value).max(initial=0.0))


def _alike(cases: Sequence[Case], places: Sequence[int]) -> tuple[int, ...]:
    """The first few that fit into one batch, and more where they are small: two pictures may not use every filter."""
    shapes = [tuple(value.shape for value in cases[place].inputs.values()) for place in places]
    alike = tuple(place for place, shape in zip(places, shapes, strict=True) if shape == shapes[0])
    elements = sum(value.size for value in cases[alike[0]].inputs.values())
    return alike[: max(FEW, SMALL // max(elements, 1))]


def spoil_prepare(
    control: Control,
    prepare: onnx.ModelProto,
    cases: Sequence[Case],
    *,
    runtime: Runtime,
    model: Session,
    finish: Finish,
) -> Spoilt:
    """The pipeline with its beginning spoilt, run on a few raw cases; the loaded model is shared."""
    made = ON_PREPARE[control.name](prepare)
    if made is None:
        detail = f"this preparing has nothing that {control.name} could spoil"
        return Spoilt(name=control.name, role="pipeline", detail=detail)
    spoilt, detail = made
    places = choose(cases, FEW + 1)
    prepared: list[Given] = []
    given: list[Given] = []
    try:
        session = runtime.session(serialize(spoilt), title=f"control {control.name}")
        for place in places:
            prepared.append(_prepared(runtime, session, cases[place].inputs))
            given.append(_onwards(runtime, model, prepared[-1], cases[place].inputs, finish))
        runtime.close(session)
    except (ZooError, onnx.checker.ValidationError) as error:
        prepared, given = [], [str(error)] * len(places)
    return Spoilt(
        name=control.name,
        role="pipeline",
        detail=detail,
        model=spoilt,
        places=places,
        trial=Trial(given=tuple(given)),
        prepared=tuple(prepared),
    )


def _prepared(runtime: Runtime, prepare: Session, raw: Mapping[str, Array]) -> Given:
    found = ask(runtime, prepare, raw)
    return found if isinstance(found, str) else {name.removeprefix(IN): value for name, value in found.items()}


def _onwards(runtime: Runtime, model: Session, prepared: Given, raw: Mapping[str, Array], finish: Finish) -> Given:
    if isinstance(prepared, str):
        return prepared
    outputs = ask(runtime, model, prepared)
    return outputs if isinstance(outputs, str) else finish(outputs, raw)


def spoil_pipeline(
    control: Control, pipeline: onnx.ModelProto, cases: Sequence[Case], signature: Signature, runtime: Runtime
) -> Spoilt:
    """A task's own way to spoil the whole pipeline."""
    if control.edit is None:
        raise PluginError(f"the control {control.name!r} is none of {', '.join(GENERIC_CONTROLS)} and names no edit")
    edit = cast("Callable[[onnx.ModelProto, int], onnx.ModelProto]", resolve(control.edit))
    spoilt = edit(copy_of(pipeline), 0)
    places = choose(cases, FEW + 1)
    chosen = [cases[place] for place in places]
    trial = try_graph(runtime, spoilt.SerializeToString(), chosen, signature, title=f"control {control.name}")
    return Spoilt(name=control.name, role="pipeline", detail=control.edit, model=spoilt, places=places, trial=trial)


def left_out(control: Control) -> ControlResult:
    """A control that the task says does not apply."""
    return ControlResult(name=control.name, applied=False, detail=control.reason)


def judge_spoilt(
    spoilt: Spoilt, proof: Evidence, measured: GraphEvidence | None, *, sham: GraphEvidence | None = None
) -> ControlResult:
    """What the gates say to a copy, beyond what they say to the original.

    `sham` is the original in the same few cases: a gate that fails there as well, because two cases are too few for
    it, has not noticed anything.  A copy that the runtime refuses in every case is no wrong answer, and anybody would
    have noticed; only a frozen batch is sabotage by refusing.
    """
    if spoilt.model is None or measured is None:
        return ControlResult(name=spoilt.name, applied=False, detail=spoilt.detail)
    refused = _refused(spoilt.trial) if spoilt.name != "batch" else ""
    before = set(catches(proof)) | (set() if sham is None else set(catches(_instead(proof, sham))))
    ratios = [cell.ratio for case in measured.cases for cell in map(judge_output, case.outputs)]
    return ControlResult(
        name=spoilt.name,
        applied=True,
        graph=next(graph.name for graph in proof.graphs if graph.role == spoilt.role),
        detail=spoilt.detail + (f"; it does not run, which proves nothing: {refused}" if refused else ""),
        caught_by=() if refused else tuple(n for n in catches(_instead(proof, measured)) if n not in before),
        ratio=max((ratio for ratio in ratios if ratio is not None and ratio < float("inf")), default=None),
    )


def _refused(trial: Trial | None) -> str:
    """What the runtime said, if it refused every case."""
    given = () if trial is None else trial.given
    return given[0] if given and all(isinstance(one, str) for one in given) and isinstance(given[0], str) else ""


def _instead(proof: Evidence, measured: GraphEvidence) -> Evidence:
    graphs = tuple(measured if graph.role == measured.role else graph for graph in proof.graphs)
    return replace(proof, graphs=graphs)


def compare_few(
    original: GraphEvidence,
    cases: Sequence[Case],
    given: Sequence[Given],
    answers: Sequence[Answer | str],
    signature: Signature,
) -> GraphEvidence:
    """The original's evidence with other answers to some of its cases; for a spoilt preparing."""
    rows = zip(cases, given, answers, strict=True)
    return replace(original, cases=tuple(compare_case(case, one, answer, signature) for case, one, answer in rows))


def planned(declared: Sequence[Control], signature: Signature) -> tuple[Control, ...]:
    """The task's controls, those it does not mention included; without a batch axis none can be frozen."""
    named = {control.name: control for control in declared}
    if batch_name(signature) is None:
        named["batch"] = Control(name="batch", applies=False, reason="the model has no batch axis")
    generic = tuple(named.pop(name, Control(name=name)) for name in GENERIC_CONTROLS)
    return (*generic, *named.values())
