"""The remembered registry is the one that torch would build; where torch is otherwise, it builds its own."""

from __future__ import annotations

import hashlib
import inspect
from typing import Any

import pytest
import torch
from torch.library import Library
from torch.onnx._internal.exporter import _registration

from tests.zoo_export.capture.test_torch_export import SIGNATURE, example
from tests.zoo_export.conftest import tiny
from zoo_export.capture import exporter_registry
from zoo_export.capture.exporter_registry import guarded_registration, remembered_registry
from zoo_export.capture.torch_export import export_graph, serialize

KNOWN = "7ea8cad9d04951e84e54503b703ca780bf8c87a20aac14ce4b583db00af2ca8a"
"""Of the source of what is remembered, in torch 2.15."""
TORCHS_OWN = vars(_registration.ONNXRegistry)["from_torchlib"]


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter_registry, "_registries", {})


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The opsets for which torch itself built a registry."""
    opsets: list[int] = []

    def counted(cls: Any, opset_version: int = 18) -> Any:
        opsets.append(opset_version)
        return TORCHS_OWN.__func__(cls, opset_version=opset_version)

    monkeypatch.setattr(_registration.ONNXRegistry, "from_torchlib", classmethod(counted))
    return opsets


def ask(opset: int = 18) -> Any:
    """As `torch.onnx.export` asks for its registry."""
    return _registration.ONNXRegistry().from_torchlib(opset_version=opset)


def test_what_is_remembered_is_as_when_it_was_read_last() -> None:
    """Where this fails, torch has changed what a registry is made of.

    Read `ONNXRegistry.from_torchlib` again: its result may depend on nothing but the opset and what `_known_operators`
    lists, and nothing may change a registry but `register_op`.  Then put the new digest here.
    """
    parts = (
        _registration.ONNXRegistry,
        _registration.OnnxDecompMeta,
        _registration._get_overload,
        _registration.onnxscript_apis.get_torchlib_ops,  # type: ignore[attr-defined]
    )
    source = "".join(map(inspect.getsource, parts))
    assert guarded_registration() is _registration
    assert hashlib.sha256(source.encode()).hexdigest() == KNOWN, f"torch {torch.__version__}"


def test_a_registry_is_built_once_per_opset_and_is_torchs_own(built: list[int]) -> None:
    with remembered_registry() as remembering:
        first, second, other = ask(18), ask(18), ask(20)
    assert remembering
    assert built == [18, 20]
    fresh = TORCHS_OWN.__func__(_registration.ONNXRegistry, opset_version=18)
    assert first.functions.keys() == second.functions.keys() == fresh.functions.keys()
    for operator, written in fresh.functions.items():
        assert [entry.onnx_function for entry in second.functions[operator]] == [
            entry.onnx_function for entry in written
        ]
    assert (second.opset_version, other.opset_version) == (18, 20)


def test_what_one_export_adds_does_not_reach_the_next() -> None:
    with remembered_registry():
        ask().register_op(torch.ops.aten.relu.default, lambda x: x)
        assert not any(written.is_custom for written in ask().functions["aten::relu"])


def test_a_new_operator_is_seen(built: list[int]) -> None:
    with remembered_registry():
        ask()
        library = Library("zoo_test_registry", "DEF")  # type: ignore[no-untyped-call]
        library.define("twice(Tensor x) -> Tensor")  # type: ignore[no-untyped-call]
        ask()
        library._destroy()  # type: ignore[no-untyped-call]
    assert built == [18, 18]


def test_torchs_own_way_is_back_after_the_block_also_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), remembered_registry():
        assert vars(_registration.ONNXRegistry)["from_torchlib"] is not TORCHS_OWN
        raise ZeroDivisionError
    assert vars(_registration.ONNXRegistry)["from_torchlib"] is TORCHS_OWN


@pytest.mark.parametrize(
    "change", ["gone", "another parameter", "no class method", "more state", "no list of functions"]
)
def test_where_torch_is_otherwise_it_works_in_its_own_way(monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    registry = _registration.ONNXRegistry

    def initialised(self: Any) -> None:
        self.functions, self._opset_version, self.more = {}, 18, ()

    def with_device(cls: Any, opset_version: int = 18, device: str = "cpu") -> Any:
        return TORCHS_OWN.__func__(cls, opset_version=opset_version)

    match change:
        case "gone":
            monkeypatch.setattr(exporter_registry, "REGISTRATION", "torch.onnx._internal.exporter._gone")
        case "another parameter":
            monkeypatch.setattr(registry, "from_torchlib", classmethod(with_device))
        case "no class method":
            monkeypatch.setattr(registry, "from_torchlib", staticmethod(ask))
        case "more state":
            monkeypatch.setattr(registry, "__init__", initialised)
        case _:
            monkeypatch.setattr(exporter_registry, "FUNCTIONS", "onnxscript.function_libs.gone")
    before = vars(registry)["from_torchlib"]
    with remembered_registry() as remembering:
        assert not remembering
        assert vars(registry)["from_torchlib"] is before


def test_a_capture_without_it_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered = [export_graph(tiny(), example(), SIGNATURE, opset=18, name="tiny") for _ in range(2)][1]
    monkeypatch.setattr(exporter_registry, "REGISTRATION", "torch.onnx._internal.exporter._gone")
    own = export_graph(tiny(), example(), SIGNATURE, opset=18, name="tiny")
    assert serialize(remembered.shipped.model) == serialize(own.shipped.model)
    assert remembered.plain == own.plain
