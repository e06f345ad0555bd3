"""`zoo bench`: what it draws, and what it refuses before it measures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.bundle.conftest import MakeBundle
from tests.bundle.conftest import make_bundle as make_bundle  # noqa: PLC0414  a fixture
from tests.conftest import Said
from zoo.bundle.benchmark import Benchmark, Measured
from zoo.cli.bench_chart import latency_chart

MEASURED = tuple(
    Measured(name=name, seconds=tuple(factor * number for number in (0.001, 0.002, 0.004)))
    for name, factor in (("fp32", 1.0), ("int8", 0.5))
)
BENCHMARK = Benchmark(graph="pipeline.onnx", case="case-0", batch=1, threads=1, subjects=MEASURED)


def test_the_chart_has_a_bar_for_every_subject() -> None:
    (axes,) = latency_chart(BENCHMARK, machine="a machine").axes
    assert [round(bar.get_width(), 6) for bar in axes.patches] == [2.0, 1.0]  # type: ignore[attr-defined]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["fp32", "int8"]
    assert "a machine" in axes.get_title()


def test_the_chart_is_written_once(make_bundle: MakeBundle, zoo_command: Callable[..., Said], tmp_path: Path) -> None:
    bundle, chart = str(make_bundle()), tmp_path / "chart.png"
    said = zoo_command("bench", bundle, "--seconds", "0.1", "--chart", str(chart))
    assert (said.code, f"chart: {chart}" in said.err) == (0, True), said.err
    assert Image.open(chart).width > 300
    said = zoo_command("bench", bundle, "--chart", str(chart))
    assert (said.code, f"{chart} exists already" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--chart", "chart.svg"), "--chart is chart.svg; it must end in .png"),
        (("--chart", "none/chart.png"), "there is no folder none"),
        (("--seconds", "nan"), "--seconds is no number"),
        (("--variant", "int8"), "has no variant int8"),
        (("--batch", "4", "--graph", "pipeline"), "pipeline.onnx takes one item at a time"),
        (("--threads", "0"), "0 is not in the range"),
    ],
)
def test_bad_options_are_one_sentence(
    make_bundle: MakeBundle, zoo_command: Callable[..., Said], options: tuple[str, ...], sentence: str
) -> None:
    said = zoo_command("bench", str(make_bundle()), *options)
    assert (said.code, sentence in said.err) == (2, True), said.err
