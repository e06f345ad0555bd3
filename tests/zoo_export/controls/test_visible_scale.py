"""Where PyTorch's own noise hides a layer times 1.001, the mutant is measured with a factor that it does not hide."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.healthy import healthy_evidence
from tests.zoo_export.controls.test_mutation_score import file_of, two_layers
from zoo.bundle.judge.evidence import Evidence, Magnitude
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.controls.mutants import Mutant
from zoo_export.controls.visible_scale import scale_mutant, visible_factor


def noisy(share: float, *, precision: str = "float32") -> Evidence:
    """Evidence of a model whose noise is this share of its outputs in every case."""
    evidence = healthy_evidence()
    size, noise = Magnitude(rms=1.0, max=1.0), Magnitude(rms=share, max=share)
    graphs = tuple(
        replace(
            graph,
            cases=tuple(
                replace(
                    case,
                    outputs=tuple(
                        replace(output, scale=size, torch=noise, torch_typical=noise) for output in case.outputs
                    ),
                )
                for case in graph.cases
            ),
        )
        for graph in evidence.graphs
    )
    reference = replace(evidence.reference, precision=precision)  # type: ignore[arg-type]
    return replace(evidence, graphs=graphs, reference=reference)


@pytest.mark.parametrize(("share", "factor"), [(1e-6, None), (6e-5, None), (1e-4, 1.0016), (1e-3, 1.016)])
def test_the_factor_is_twice_the_limit_where_a_thousandth_is_less(share: float, factor: float | None) -> None:
    assert visible_factor(noisy(share), (0,)) == factor


def test_half_precision_has_a_factor_of_its_own() -> None:
    assert visible_factor(noisy(1e-2, precision="float16"), (0,)) is None


def test_the_mutant_says_what_was_changed_and_why() -> None:
    model = two_layers(bias=(0.5, 2.0))
    with Runtime() as runtime:
        mutant = scale_mutant(runtime, file_of(model), (0, 1), factor=1.0016)
    assert isinstance(mutant, Mutant)
    assert mutant.detail == "second.weight times 1.0016 (PyTorch's own noise hides 1.001 here)"
    assert len(mutant.result.outputs) == 2
