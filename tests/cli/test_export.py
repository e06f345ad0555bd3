"""What `zoo export` prints of variants."""

from __future__ import annotations

import pytest

from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.variant_evidence import NodeSensitivity, VariantEvidence
from zoo.bundle.report.record import VariantReport
from zoo.cli.export import show_variant
from zoo.cli.terminal.output import Output

NODES = tuple(
    NodeSensitivity(node=f"node_{n}", op="Conv", sqnr_db=float(n), in_float=n < 16, module=f"layer.{n}")
    for n in range(30)
)
REPORT = VariantReport(
    published=True,
    verdict=Status.PASS,
    sentence="within its budget, smaller",
    gates=(),
    evidence=VariantEvidence(name="int8", bits="int8", method="static", files=(), made_from={}, sensitivity=NODES),
)


def test_the_terminal_names_the_first_nodes_in_float_and_counts_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    show_variant(Output(), REPORT)
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("in float"))
    words = "layer.0 (Conv), layer.1 (Conv), layer.2 (Conv), layer.3 (Conv) and 12 more"
    assert line == f"in float     16 nodes: {words}"
