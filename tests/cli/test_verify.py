"""What `zoo verify` proposes after a check that failed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundle import Bundle
from zoo.cli.verify import _next_step


def bundle(*variants: str) -> Bundle:
    """A bundle of cnn@digits with these variants, of which nothing else is asked for."""
    records = tuple(SimpleNamespace(name=name, bits=name if name in ("int8", "fp16") else "fp32") for name in variants)
    manifest = SimpleNamespace(lineage=SimpleNamespace(target="cnn@digits"), variants=records)
    return cast("Bundle", SimpleNamespace(path=Path("b"), manifest=manifest))


@pytest.mark.parametrize(
    ("failing", "variants", "step"),
    [
        (("golden cases",), ("int8",), "zoo verify b --explain"),
        (("variant fp16",), ("int8", "fp16"), "open b/report.html"),
        (("files", "variant int8"), ("int8",), "zoo export cnn@digits --onnx --int8 --overwrite"),
        (("files",), (), "zoo export cnn@digits --onnx --overwrite"),
        (("files",), ("batch",), "zoo export cnn@digits --onnx --batch --overwrite"),
        (("files",), ("fixed-4x5",), "zoo export cnn@digits --onnx --fixed-size 4x5 --overwrite"),
    ],
)
def test_the_next_step_loses_no_variant(failing: tuple[str, ...], variants: tuple[str, ...], step: str) -> None:
    names = ("files", "proof", "golden cases", "variant int8", "variant fp16")
    gates = tuple(
        Gate(name=name, status=Status.FAIL if name in failing else Status.PASS, detail="", seconds=0.0)
        for name in names
    )
    assert _next_step(bundle(*variants), gates) == step
