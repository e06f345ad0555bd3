"""What `zoo export` prints of variants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Said
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.variant_evidence import NodeSensitivity, VariantEvidence
from zoo.bundle.report.record import VariantReport
from zoo.cli.export import show_variant
from zoo.cli.terminal.output import Output
from zoo.registry.catalog import Catalog

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


@pytest.mark.parametrize("runtime", ["openvino", "mnn"])
def test_a_runtime_whose_package_is_missing_is_told_before_anything_is_proved(
    runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zoo_command: Callable[..., Said]
) -> None:
    missing = Catalog.missing
    monkeypatch.setattr(Catalog, "missing", lambda self, e: ("acme>=2",) if e.name == runtime else missing(self, e))
    said = zoo_command("export", "cnn@digits", "--onnx", "--for", runtime, "-o", str(tmp_path / "b"))
    assert (said.code, said.out) == (2, "")
    assert f"zoo/{runtime} needs acme>=2, not installed here" in said.err
    assert f"pip install 'edgezoo[{runtime}]'" in said.err and "capturing" not in said.err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(("drop", "words"), [("-1", "--max-drop is -1.0; it must be 0 or more"), ("nan", "is nan;")])
def test_a_budget_that_nobody_can_keep_is_told_before_anything_is_proved(
    drop: str, words: str, zoo_command: Callable[..., Said]
) -> None:
    said = zoo_command("export", "cnn@digits", "--int8", "--max-drop", drop)
    assert (said.code, words in said.err, "capturing" in said.err) == (2, True, False)
