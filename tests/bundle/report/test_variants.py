"""The part of the page that shows variants."""

from __future__ import annotations

from zoo.bundle.judge.evidence import File
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.variant_evidence import NodeSensitivity, VariantEvidence
from zoo.bundle.report.record import VariantReport
from zoo.bundle.report.variants import MAX_NODES, variants


def page(*, in_float: int, nodes: int) -> str:
    found = tuple(NodeSensitivity(node=f"n{n}.", op="Conv", sqnr_db=1.0, in_float=n < in_float) for n in range(nodes))
    file = File(name="variants/int8/model.onnx", sha256="a" * 64, bytes=9)
    evidence = VariantEvidence(
        name="int8", bits="int8", method="static", files=(file,), made_from={}, sensitivity=found
    )
    report = VariantReport(published=True, verdict=Status.PASS, sentence="", gates=(), evidence=evidence)
    return "".join(map(str, variants((report,))))


def test_the_page_shows_all_nodes_in_float_and_the_most_sensitive_others() -> None:
    assert [f"n{n}." in page(in_float=16, nodes=30) for n in (0, 15, 16, 29)] == [True, True, False, False]
    assert [f"n{n}." in page(in_float=1, nodes=30) for n in (0, MAX_NODES - 1, MAX_NODES)] == [True, True, False]
