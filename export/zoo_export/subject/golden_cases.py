"""Which cases may travel with a bundle where the user's own data must not, and which of them tell the most.

Golden cases are to notice a device that answers otherwise.  A picture on which a model is sure to many digits notices
little, so of many embedded and synthetic cases those are chosen whose answers move most when the weights move a little.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
import torch

from zoo.api.data import DataCard
from zoo.api.task import Case, Purpose
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline
from zoo_export.subject.rollout import with_initial_state
from zoo_export.subject.subject import Subject

OWN_DATA: Final = "the user's own data"
"""The origin of a case that does not travel."""
POOL: Final = {Purpose.GOLDEN: 8, Purpose.EVALUATION: 4, Purpose.PIPELINE: 6}
"""How many cases of each purpose golden ones are chosen from."""
PERTURBATION: Final = 1e-3
"""Relative change of every weight; a thousand times that of a rounding, so that fp32 shows it."""
WEAK: Final = 0.1
"""Share of the response of real items below which a note says that the golden cases are weak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIns:
    """Golden cases without the user's data."""

    cases: tuple[Case, ...]
    note: str = ""
    """Where they move the outputs much less than real items do."""


def is_own(card: DataCard | None) -> bool:
    """Whether data are the user's: whatever is not embedded in zoo or in a plugin."""
    if card is None:
        return False
    name = card.source.request.source
    return card.source.location is not None or ":" in name or Path(name).exists()


def without_own_data(cases: Iterable[Case], subject: Subject) -> tuple[Case, ...]:
    """The cases; those that are made of the data the model was trained on have `OWN_DATA` for origin and a plain name.

    A task says where items are from, but not of what it cuts from them, so that inputs are compared.
    """
    known = {_digest(case) for case in _offered(subject)}
    marked: list[Case] = []
    for case in cases:
        own = _digest(case) not in known
        name = f"own case {sum(other.origin == OWN_DATA for other in marked) + 1}" if own else case.name
        marked.append(replace(case, name=name, origin=OWN_DATA) if own else case)
    return tuple(marked)


def public_origins(subject: Subject) -> frozenset[str]:
    """What the golden cases of a bundle without the user's data say about where they are from."""
    return frozenset({"synthetic", *(case.origin for case in _offered(subject) if case.origin)})


def stand_ins(subject: Subject, pipeline: TorchPipeline, *, count: int) -> StandIns:
    """At most `count` embedded and synthetic cases, one of each of the kinds that the task offers first among them."""
    signature = subject.signature
    gating = (case for case in _offered(subject) if case.gates)
    offered = with_initial_state(tuple({case.name: case for case in gating}.values()), signature)
    perturbed = replace(pipeline, model=_perturbed(pipeline.model))
    response = {case.name: _response(case, pipeline, perturbed) for case in offered}
    best = sorted(offered, key=lambda case: -response[case.name])
    kinds = list(dict.fromkeys(case.kind for case in offered))[:count]
    chosen = [next(case for case in best if case.kind == kind) for kind in kinds]
    chosen += [case for case in best if case not in chosen][: count - len(chosen)]
    real = [_response(case, pipeline, perturbed) for case in with_initial_state(_real(subject), signature)]
    return StandIns(cases=tuple(chosen), note=_note([response[case.name] for case in chosen], real))


def _note(actual: Sequence[float], expected: Sequence[float]) -> str:
    if not expected or max(actual, default=0.0) >= WEAK * median(expected):
        return ""
    return (
        f"the golden cases move the answers less than your data do ({max(actual, default=0.0):.1e} against "
        f"{median(expected):.1e}), so that they check a device less well; --golden mixed packs a few items of your data"
    )


def _offered(subject: Subject) -> Iterator[Case]:
    """What the task makes without the data, golden cases first."""
    for purpose, limit in POOL.items():
        yield from subject.task.answers.cases(None, subject.problem, purpose, limit=limit)


def _real(subject: Subject) -> tuple[Case, ...]:
    """A few items of the user's data, to compare with; they go nowhere."""
    return tuple(subject.task.answers.cases(subject.card, subject.problem, Purpose.EVALUATION, limit=3))


def _digest(case: Case) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(case.inputs.items()):
        digest.update(f"{name} {value.dtype} {value.shape}".encode())
        digest.update(np.ascontiguousarray(value).data)
    return digest.hexdigest()


# --- how far a case moves the answers ---


def _perturbed(model: torch.nn.Module) -> torch.nn.Module:
    """A copy whose parameters are each off by a random little."""
    changed = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in changed.parameters():
            if parameter.is_floating_point():
                parameter.mul_(1 + PERTURBATION * torch.randn(parameter.shape, generator=generator))
    return changed


def _response(case: Case, pipeline: TorchPipeline, perturbed: TorchPipeline) -> float:
    """How far the answer moves with the weights, relative to its size; a little for outputs that it does not show."""
    inputs = pipeline.inputs(case.inputs)
    before, after = pipeline.outputs(inputs), perturbed.outputs(inputs)
    answers = pipeline.answer(before, case.inputs), perturbed.answer(after, case.inputs)
    return _moved(*answers) + 0.01 * _moved(before, after)


def _moved(before: dict[str, Array], after: dict[str, Array]) -> float:
    return max((_moved_by(value, after[name]) for name, value in before.items()), default=0.0)


def _moved_by(value: Array, other: Array) -> float:
    """0 for what is empty, and for another number of boxes: a device may be right with either."""
    if value.shape != other.shape or not value.size:
        return 0.0
    if not np.issubdtype(value.dtype, np.floating):
        return float(np.mean(value != other))
    scale = float(np.sqrt(np.mean(np.square(value, dtype=np.float64))))
    return float(np.sqrt(np.mean(np.square(value.astype(np.float64) - other)))) / max(scale, 1e-30)
