"""A model whose ranges int8 cannot hold: the nodes that leave the noise stay in float, and the variant is whole."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zoo.api.data import counted
from zoo.bundle.judge.parity_rule import Status
from zoo.models.target import resolve_target
from zoo_export.proof.prove import prove
from zoo_export.subject.load import find_subject
from zoo_export.subject.subject import Subject
from zoo_export.variants import candidates
from zoo_export.variants.convert import Way
from zoo_export.variants.make import make_variants

pytestmark = pytest.mark.ci  # a proof, and a search over the nodes


def outlier_digits() -> Subject:
    """cnn@digits with one channel 3,000 times as large between the convolutions: the same answers in float."""
    request = resolve_target("cnn@digits")
    subject = find_subject(request.target, request.catalog)
    first, second = [module for module in subject.module.modules() if isinstance(module, nn.Conv2d)]
    with torch.no_grad():
        first.weight[3] *= 3_000
        assert first.bias is not None
        first.bias[3] *= 3_000
        second.weight[:, 3] /= 3_000
    return subject


def test_the_nodes_that_int8_ruins_stay_in_float(monkeypatch: pytest.MonkeyPatch) -> None:
    static = (Way(kind="static", arithmetic="U8U8"),)
    monkeypatch.setattr(candidates, "ways", lambda bits, model, *, saturates: static)  # noqa: ARG005
    proof = prove(outlier_digits(), opset=18, evaluate=120)
    assert proof.verdict.publishes
    (variant,) = make_variants(proof, ("int8",))
    unrepaired, *repaired = variant.evidence.candidates
    assert unrepaired.metric is not None and unrepaired.metric < 0.5
    assert repaired[-1].metric is not None and repaired[-1].metric > 0.95
    kept = [node for node in variant.evidence.sensitivity if node.in_float]
    assert 0 < len(kept) < len(variant.evidence.sensitivity) == 4
    assert "Conv" in {node.op for node in kept}
    assert variant.evidence.method.endswith(f"{counted(len(kept), 'node')} in float")
    gates = {gate.name: gate.status for gate in variant.verdict.gates if gate.name != "gain"}
    assert set(gates.values()) == {Status.PASS}, [gate for gate in variant.verdict.gates if gate.status != "PASS"]
