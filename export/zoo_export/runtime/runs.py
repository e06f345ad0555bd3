"""What the runtime answers to a set of cases, in every batch size: no reference needed, so it runs beside PyTorch."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from zoo.api.errors import ZooError
from zoo.api.task import Case, Signature
from zoo.bundle.runtime.sandbox import Runtime, Session
from zoo_export.subject.batching import batch_name, batches, group_size, join, split
from zoo_export.subject.module_io import Array
from zoo_export.subject.results import Given, Trial

BATCH_SIZES = (7, 1, 2, 3)
"""The largest first: it carries most cases."""


def ask(runtime: Runtime, session: Session, feeds: Mapping[str, Array]) -> Given:
    """The outputs, or the sentence in which the runtime refused or died."""
    try:
        return runtime.run(session, feeds)
    except ZooError as error:
        return error.message


def try_graph(
    runtime: Runtime,
    model: bytes,
    cases: Sequence[Case],
    signature: Signature,
    *,
    title: str,
    sizes: Sequence[int] = BATCH_SIZES,
) -> Trial:
    """Load a graph, put the cases to it, forget it."""
    try:
        session = runtime.session(model, title=title)
    except ZooError as error:
        return refused(cases, error.message)
    trial = try_session(runtime, session, cases, signature, sizes=sizes)
    with contextlib.suppress(ZooError):  # a process that died has no sessions left
        runtime.close(session)
    return trial


def refused(cases: Sequence[Case], reason: str) -> Trial:
    """What a graph that does not load answers."""
    return Trial(given=tuple(reason for _ in cases), error=reason)


def try_session(
    runtime: Runtime,
    session: Session,
    cases: Sequence[Case],
    signature: Signature,
    *,
    sizes: Sequence[int] = BATCH_SIZES,
) -> Trial:
    """Put the cases to a loaded graph: in batches of every size where it has a batch axis, one by one where not."""
    inputs = [case.inputs for case in cases]
    given: dict[int, Given] = {}
    by_batch: dict[int, list[tuple[int, Given]]] = {}
    if batch_name(signature) is not None:
        for size, places in _plan(inputs, signature, sizes=sizes):
            answers = _together(runtime, session, [inputs[place] for place in places], signature)
            by_batch.setdefault(size, []).extend(zip(places, answers, strict=True))
            for place, answer in zip(places, answers, strict=True):
                if not isinstance(answer, str):
                    given.setdefault(place, answer)
    for place, one in enumerate(inputs):
        if place not in given:
            given[place] = ask(runtime, session, one)
    return Trial(
        given=tuple(given[place] for place in range(len(cases))),
        by_batch={size: tuple(rows) for size, rows in by_batch.items()},
        equal=_twice(runtime, session, inputs[0], signature),
    )


def _plan(
    inputs: Sequence[Mapping[str, Array]], signature: Signature, *, sizes: Sequence[int]
) -> list[tuple[int, list[int]]]:
    """Which cases go together in which size: all of them once in the largest, then a few in every other size."""
    plan: list[tuple[int, list[int]]] = []
    for group in batches(inputs, signature, largest=len(inputs)):
        if group_size(inputs[group[0]], signature) != 1:
            continue
        at = 0
        for size in sizes:
            places = [group[(at + step) % len(group)] for step in range(size)]
            plan.append((size, places))
            at += size
        left = group[sizes[0] :] if len(group) > sizes[0] else []
        seen = {place for _, places in plan for place in places}
        plan += [(1, [place]) for place in left if place not in seen]
    return plan


def _together(
    runtime: Runtime, session: Session, inputs: Sequence[Mapping[str, Array]], signature: Signature
) -> list[Given]:
    answer = ask(runtime, session, join(inputs, signature.inputs))
    if isinstance(answer, str):
        return [answer] * len(inputs)
    name = batch_name(signature)
    items = [1] * len(inputs)
    for port in signature.outputs:
        axis = port.shape.index(name) if name in port.shape else 0
        value = answer.get(port.name)
        if value is None or value.ndim <= axis or value.shape[axis] != len(inputs):
            shape = "nothing" if value is None else list(value.shape)
            return [f"a batch of {len(inputs)} gives {port.name} of shape {shape}"] * len(inputs)
    return list(split(answer, signature, items))


def _twice(runtime: Runtime, session: Session, inputs: Mapping[str, Array], signature: Signature) -> bool | None:
    one, two = ask(runtime, session, inputs), ask(runtime, session, inputs)
    if isinstance(one, str) or isinstance(two, str):
        return None
    return all(one[port.name].tobytes() == two[port.name].tobytes() for port in signature.outputs if port.name in one)
