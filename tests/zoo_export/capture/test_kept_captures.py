"""A module is captured once where another with the same settings was, and anew in all other cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo.api.task import Port, Signature
from zoo_export.capture import kept_captures
from zoo_export.capture.kept_captures import export_kept
from zoo_export.capture.torch_export import Graph

SIGNATURE = Signature(
    inputs=(Port(name="x", dtype="float32", shape=("n", 2)),),
    outputs=(Port(name="y", dtype="float32", shape=("n", 2)),),
)


@dataclass(frozen=True)
class Settings:
    factor: float
    names: tuple[str, ...] = ("a", "b")


class Scale(nn.Module):
    extra: object
    rows: object

    def __init__(self, factor: float = 2.0, *, shift: float = 0.0) -> None:
        super().__init__()
        self.settings = Settings(factor)
        self.register_buffer("shift", torch.tensor([shift]))
        self.inner = nn.ModuleDict({"act": nn.ReLU()})

    def forward(self, x: Tensor) -> Tensor:
        scaled: Tensor = self.inner["act"](x) * self.settings.factor + self.shift
        return scaled


class OtherScale(Scale):
    pass


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> list[Scale]:
    """The modules that were captured, not found."""
    modules: list[Scale] = []

    def capture(module: Scale, *_: object, **__: object) -> Graph:
        modules.append(module)
        return Graph(signature=SIGNATURE, plain=None, shipped=None, modules={})  # type: ignore[arg-type]

    monkeypatch.setenv("ZOO_KEEP", "0")  # on disk
    monkeypatch.setattr(kept_captures, "_captures", {})
    monkeypatch.setattr(kept_captures, "export_graph", capture)
    return modules


def keep(module: nn.Module, *, rows: int = 3, opset: int = 18, signature: Signature = SIGNATURE) -> Graph:
    example = {"x": np.zeros((rows, 2), np.float32)}
    return export_kept(module.eval(), example, signature, opset=opset, name="it")


def test_the_same_settings_are_captured_once(captured: list[Scale]) -> None:
    assert keep(Scale()) is keep(Scale())
    assert len(captured) == 1


def with_attribute(value: object) -> Scale:
    module = Scale()
    module.extra = value
    return module


@pytest.mark.parametrize(
    "other",
    [
        lambda: keep(Scale(3.0)),
        lambda: keep(Scale(shift=-0.0)),
        lambda: keep(Scale(shift=1e-9)),
        lambda: keep(Scale().double()),
        lambda: keep(OtherScale()),
        lambda: keep(Scale(), rows=4),
        lambda: keep(Scale(), opset=19),
        lambda: keep(Scale(), signature=Signature(inputs=SIGNATURE.inputs, outputs=())),
        lambda: keep(with_attribute(1)),
        lambda: keep(with_attribute([1, 2])),
        lambda: keep(with_attribute(torch.float16)),
    ],
)
def test_anything_else_is_captured_anew(captured: list[Scale], other: Callable[[], Graph]) -> None:
    assert keep(Scale()) is not other()
    assert len(captured) == 2


@pytest.mark.parametrize(("value", "other"), [(1, True), (0.0, -0.0), ("1", b"1"), ([1], (1,)), ({"a": 1}, {"a": 2})])
def test_values_that_python_calls_equal_are_told_apart(captured: list[Scale], value: object, other: object) -> None:
    keep(with_attribute(value))
    keep(with_attribute(other))
    assert len(captured) == 2


def endless() -> Scale:
    module = Scale()
    rows: list[object] = []
    rows.append(rows)
    module.rows = rows
    return module


def hooked() -> Scale:
    module = Scale()
    module.register_forward_hook(lambda *_: None)
    return module


@pytest.mark.parametrize(
    "make",
    [
        lambda: with_attribute(object()),
        lambda: with_attribute(lambda x: x),
        lambda: with_attribute(np.zeros(2)),
        lambda: with_attribute(torch.zeros(2).to_sparse()),
        lambda: with_attribute(torch.zeros(2, device="meta")),
        endless,
        hooked,
    ],
)
def test_what_cannot_be_compared_is_captured_each_time(captured: list[Scale], make: Callable[[], Scale]) -> None:
    module = make()
    keep(module)
    keep(module)
    assert captured == [module, module]


def test_only_the_latest_are_kept(captured: list[Scale], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_captures, "MAX_CAPTURES", 2)
    for factor in (1.0, 2.0, 1.0, 3.0, 1.0, 2.0):
        keep(Scale(factor))
    assert [module.settings.factor for module in captured] == [1.0, 2.0, 3.0, 2.0]
