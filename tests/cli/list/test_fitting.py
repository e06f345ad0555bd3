"""`zoo list --fits`: bundles by what was measured of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bundle.conftest import MakeBundle
from tests.bundle.conftest import make_bundle as make_bundle  # noqa: PLC0414  a fixture
from tests.conftest import Said
from zoo.api.errors import UsageError
from zoo.bundle.benchmark import Benchmark, Measured, processor
from zoo.bundle.measured import Numbers, numbers_of, remember_benchmark
from zoo.bundle.runtime.bundle import Bundle
from zoo.cli.list.fitting import Limit, read_limits

NUMBERS = Numbers(bundle="b", model="cnn/cnn", task="t", variant="fp32", bytes=2_000_000, latency_ms=3.0)
MEASURED = Measured(name="fp32", seconds=(0.001, 0.002, 0.004), peak_bytes=50_000_000)
BENCHMARK = Benchmark(graph="pipeline.onnx", case="case-0", batch=1, threads=1, subjects=(MEASURED,))


def test_limits_are_read_in_their_units() -> None:
    assert read_limits("latency<10ms, size <= 8MB,memory<1GB,latency<250us") == (
        Limit(quantity="latency", most=10.0, inclusive=False),
        Limit(quantity="size", most=8e6, inclusive=True),
        Limit(quantity="memory", most=1e9, inclusive=False),
        Limit(quantity="latency", most=0.25, inclusive=False),
    )


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        ("latency<3ms", False),
        ("latency<=3ms", True),
        ("latency<0.0031s", True),
        ("size<2MB", False),
        ("size<2001kB", True),
        ("memory<1GB", None),
    ],
)
def test_a_limit_holds_fails_or_is_not_known(words: str, holds: bool | None) -> None:
    (limit,) = read_limits(words)
    assert limit.holds(NUMBERS) is holds


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("latency", "a limit looks like latency<10ms"),
        ("", "a limit looks like latency<10ms"),
        ("latency>3ms", "a limit looks like latency<10ms"),
        ("latency<3ms,,", "a limit looks like latency<10ms"),
        ("speed<3ms", "--fits knows no speed; it knows latency, size, memory"),
        ("latency<3MB", "MB is no unit of latency"),
        ("size<0MB", "0 is no number above 0"),
        ("size<1..2MB", "1..2 is no number above 0"),
    ],
)
def test_bad_limits_are_one_sentence(words: str, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_limits(words)
    assert sentence in raised.value.message


def test_a_benchmark_is_remembered_for_the_bytes_that_it_measured(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle())
    (before,) = numbers_of(bundle)
    assert (before.latency_ms, before.machine, before.variant) == (None, "", "fp32")
    for other in (replace(BENCHMARK, threads=2), replace(BENCHMARK, batch=4), replace(BENCHMARK, graph="model.onnx")):
        remember_benchmark(bundle, other)
        assert list(numbers_of(bundle)) == [before]
    remember_benchmark(bundle, BENCHMARK)
    (after,) = numbers_of(bundle)
    assert (after.latency_ms, after.peak_bytes, bool(after.machine)) == (2.0, 50_000_000, True)
    changed = bundle.path / "manifest.json"
    changed.write_bytes(changed.read_bytes() + b" ")
    assert [row.latency_ms for row in numbers_of(Bundle.open(bundle.path))] == [None]


def test_a_manifest_tells_what_was_measured_where_the_bundle_was_made(make_bundle: MakeBundle) -> None:
    path = make_bundle()
    manifest = json.loads((path / "manifest.json").read_bytes())
    assert manifest["speed"] is None
    manifest["speed"] = {
        **{"milliseconds": 2.5, "first_milliseconds": 300.0, "peak_bytes": 70_000_000},
        **{"case": "case-0", "machine": "another, 8 cores", "onnxruntime": "1.31.1"},
    }
    (path / "manifest.json").write_text(json.dumps(manifest))
    (row,) = numbers_of(Bundle.open(path))
    assert (row.latency_ms, row.peak_bytes, row.machine) == (2.5, 70_000_000, "another, 8 cores")
    remember_benchmark(Bundle.open(path), BENCHMARK)
    (row,) = numbers_of(Bundle.open(path))
    assert (row.latency_ms, row.machine) == (2.0, processor())


def test_the_command_lists_what_fits_and_names_what_was_not_measured(
    make_bundle: MakeBundle, zoo_command: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = make_bundle()
    (tmp_path / "exports").mkdir()
    bundle.rename(tmp_path / "exports" / "b")
    monkeypatch.chdir(tmp_path)
    said = zoo_command("list", "--fits", "latency<3ms")
    assert (said.code, "of 1 more nobody measured it here: exports/b" in said.err) == (0, True)
    assert said.out.splitlines()[-1] == "next: zoo bench exports/b --variant all"
    remember_benchmark(Bundle.open(Path("exports/b")), BENCHMARK)
    said = zoo_command("list", "--fits", "latency<3ms,size<1MB", "--json")
    assert [(row["model"], row["latency_ms"]) for row in said.json] == [("cnn/cnn", 2.0)]
    assert zoo_command("list", "--fits", "latency<1ms", "--json").json == []
    assert zoo_command("list", "yolo*", "--fits", "latency<3ms", "--json").json == []
    assert zoo_command("list", "--fits", "latency<3ms", "--task", "object-detection", "--json").json == []
    said = zoo_command("list", "--fits", "latency<3ms", "--pretrained")
    assert (said.code, "--fits goes with a PATTERN, --task and --json alone" in said.err) == (2, True)
