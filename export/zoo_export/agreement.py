"""The task's own comparison of the answers of PyTorch and of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zoo.judge.evidence import CaseEvidence
from zoo.task import Agreement, Case, Task
from zoo_export.compare import Given
from zoo_export.ports import Array


def noise_of(cases: Sequence[CaseEvidence]) -> dict[str, float]:
    """Per float output, PyTorch's own largest error over the gating cases."""
    noise: dict[str, float] = {}
    for case in cases:
        for output in case.outputs:
            if case.gates and output.torch is not None and output.torch.max is not None:
                noise[output.name] = max(noise.get(output.name, 0.0), output.torch.max)
    return noise


def agree(
    task: Task,
    cases: Sequence[Case],
    reference: Sequence[Mapping[str, Array]],
    given: Sequence[Given],
    *,
    noise: Mapping[str, float],
) -> Agreement | None:
    """How the answers compare; None without items.  An item that the file cannot answer disagrees."""
    if not cases:
        return None
    failed = [f"{case.name}: {one}" for case, one in zip(cases, given, strict=True) if isinstance(one, str)]
    if failed:
        return Agreement(items=len(cases), agreeing=0, undecided=0, disagreements=tuple(failed[:12]))
    candidate = [one for one in given if not isinstance(one, str)]
    return task.agreement(reference, candidate, cases=cases, noise=noise)
