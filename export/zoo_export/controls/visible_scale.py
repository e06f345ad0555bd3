"""The mutant `scale` where PyTorch's own noise hides a thousandth: the same layer, changed by more than that noise.

The rule lets a file be eight times as far off as PyTorch is.  Where that is more than a thousandth of the scale, as in
deep networks with random weights, no proof can see a layer that is a thousandth too large.  What it can see is a change
of twice the limit.  How small a change is seen stands in the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from zoo.api.task import Control
from zoo.bundle.judge.cases import usual_noises
from zoo.bundle.judge.evidence import Evidence, MutantResult
from zoo.bundle.judge.parity_rule import K
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.capture.capture import MODEL, GraphFile
from zoo_export.controls.graph_edits import SCALE, scale
from zoo_export.controls.light_graph import light_graph
from zoo_export.controls.mutants import Mutant, NotApplied, mutant_of
from zoo_export.controls.mutation_score import Unmutated, mutation_score
from zoo_export.runtime.queue import RuntimeQueue

NAME: Final = "scale"
OVER_THE_LIMIT: Final = 2.0
"""How many times the limit of the rule the weights are changed by."""


def with_visible_scale(
    scored: tuple[MutantResult, ...],
    mutants: Mapping[str, Mutant | NotApplied],
    unmutated: Unmutated,
    queue: RuntimeQueue,
) -> tuple[MutantResult, ...]:
    """The same results, `scale` measured anew where it survived because the model's noise is larger than it."""

    def seen(result: MutantResult) -> MutantResult:
        mutant = mutants.get(result.name)
        if result.name != NAME or result.killed_by or result.equivalence or not isinstance(mutant, Mutant):
            return result
        factor = visible_factor(unmutated.evidence, mutant.indices)
        if factor is None:
            return result
        file, indices = unmutated.exported.file(MODEL), mutant.indices
        stronger = queue.submit(lambda runtime: scale_mutant(runtime, file, indices, factor=factor)).result()
        return mutation_score((Control(name=NAME),), {NAME: stronger}, unmutated)[0]

    return tuple(map(seen, scored))


def visible_factor(evidence: Evidence, indices: tuple[int, ...]) -> float | None:
    """What to multiply a layer by, so that the outputs of these cases move by twice the limit of the rule.

    None where a thousandth does so already, and for half precision, which has a factor of its own.
    """
    if evidence.reference.precision != "float32":
        return None
    share = OVER_THE_LIMIT * K * _relative_noise(evidence, indices)
    return round(1.0 + share, 4) if 1.0 + share > SCALE else None


def _relative_noise(evidence: Evidence, indices: tuple[int, ...]) -> float:
    """Of the noisiest output, as the layer may change that one alone; in its best case, as one is enough."""
    graph = next(graph for graph in evidence.graphs if graph.role == "model")
    usual = usual_noises(graph, evidence.reference.precision)
    shares: dict[str, float] = {}
    for output in (output for index in indices for output in graph.cases[index].outputs):
        floor = usual.get(output.name)
        if output.torch and output.scale and output.scale.rms:
            share = max(output.torch.rms or 0.0, (floor and floor.rms) or 0.0) / output.scale.rms
            shares[output.name] = min(share, shares.get(output.name, share))
    return max(shares.values(), default=0.0)


def scale_mutant(runtime: Runtime, file: GraphFile, indices: tuple[int, ...], *, factor: float) -> Mutant | NotApplied:
    """The weights of the last layer times `factor`, as the runtime ran them on these cases."""
    light = light_graph(file.model)
    mutated = scale(light.model, weights=light.weights, factor=factor)
    noted = mutated and replace(mutated, detail=f"{mutated.detail} (PyTorch's own noise hides {SCALE:g} here)")
    return mutant_of(runtime, NAME, noted, file, indices, light=light)
