"""Spoilt copies of the graphs of a bundle, and what the runtime answers to them; see `mutations`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
import onnx

from zoo.api.errors import PluginError, ZooError
from zoo.api.task import GENERIC_CONTROLS, Case, Control, Signature
from zoo.bundle.runtime.sandbox import Runtime, Session
from zoo.registry.references import resolve
from zoo_export.capture.compose import IN
from zoo_export.capture.onnx_graph import copy_of
from zoo_export.capture.torch_export import serialize
from zoo_export.controls.mutations import ON_MODEL, ON_PREPARE, bias, classes, scale, weight
from zoo_export.runtime.runs import ask, try_graph, try_session
from zoo_export.subject.module_io import Array
from zoo_export.subject.results import Given, Trial

Finish = Callable[[Mapping[str, Array], Mapping[str, Array]], dict[str, Array]]
"""(model outputs, raw inputs) -> the answer, in PyTorch."""

FEW = 2
"""Cases that a spoilt model is put to."""
LAYERS = 3
"""So many layers, or pairs of classes, are tried for one whose change some case hears."""
HEARD = {"weight": 0.0, "scale": 1e-5, "bias": 1e-5, "classes": 0.0}
"""By control: a copy whose outputs move by no more, relative to the largest, was not heard.

A whole layer times 1.001 moves what hears it a hundred times as far; a norm behind it undoes it but for rounding.
"""
LAYERED = {"weight": weight, "scale": scale, "bias": bias, "classes": classes}
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
    a softmax what is added to all of its inputs, two classes may be one twice; that says nothing about the check, and
    another place is changed instead.  `loaded` is the sound graph, to see that by; `known` is what it has answered to
    these cases.
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
        spoilt = replace(other, detail=f"{other.detail} (no case hears the same done elsewhere)")
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
    """A task's own way to spoil the whole pipeline, put to a case of every kind: only some may hear it."""
    if control.edit is None:
        raise PluginError(f"the control {control.name!r} is none of {', '.join(GENERIC_CONTROLS)} and names no edit")
    edit = cast("Callable[[onnx.ModelProto, int], onnx.ModelProto]", resolve(control.edit))
    spoilt = edit(copy_of(pipeline), 0)
    places = choose(cases, 1 + len({case.kind for case in cases if case.gates}))
    chosen = [cases[place] for place in places]
    trial = try_graph(runtime, spoilt.SerializeToString(), chosen, signature, title=f"control {control.name}")
    return Spoilt(name=control.name, role="pipeline", detail=control.edit, model=spoilt, places=places, trial=trial)
