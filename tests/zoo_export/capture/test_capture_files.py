"""A small graph is captured once for all processes, and anew as soon as anything that it depends on is another."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo.api.task import Port, Signature
from zoo.runs.kept_files import entries, nothing_kept
from zoo_export.capture import capture_files, kept_captures
from zoo_export.capture.capture_files import read_capture, write_capture
from zoo_export.capture.kept_captures import export_kept, export_kept_on_disk
from zoo_export.capture.torch_export import Graph, export_graph

SIGNATURE = Signature(
    inputs=(Port(name="x", dtype="float32", shape=("n", 2)),),
    outputs=(Port(name="y", dtype="float32", shape=("n", 3)),),
)
EXAMPLE = {"x": np.ones((2, 2), np.float32)}


class Net(nn.Module):
    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.layer = nn.Linear(2, 3)
        self.kind = nn.ReLU
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        return y


class OtherNet(Net):
    pass


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """The modules that were captured, not read."""
    modules: list[nn.Module] = []

    def capture(module: nn.Module, *args: object, **settings: object) -> Graph:
        modules.append(module)
        return export_graph(module, *args, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(kept_captures, "_captures", {})
    monkeypatch.setattr(kept_captures, "export_graph", capture)
    return modules


def keep(module: nn.Module, *, opset: int = 18) -> Graph:
    return export_kept_on_disk(module, EXAMPLE, SIGNATURE, opset=opset, name="it")


def test_a_second_process_reads_the_same_graph(captured: list[nn.Module]) -> None:
    first, second = keep(Net()), keep(Net())
    assert len(captured) == 1
    assert len(entries()) == 1
    assert second == first
    assert second.shipped.model is not first.shipped.model
    export_kept(Net(), EXAMPLE, SIGNATURE, opset=18, name="it")
    assert len(captured) == 1


@pytest.mark.parametrize("other", [lambda: keep(Net(1)), lambda: keep(OtherNet()), lambda: keep(Net(), opset=19)])
def test_another_module_is_captured_anew(captured: list[nn.Module], other: Callable[[], Graph]) -> None:
    keep(Net())
    other()
    assert len(captured) == 2


def test_one_without_a_name_of_its_own_is_not_kept(captured: list[nn.Module]) -> None:
    class Local(Net):
        pass

    keep(Local())
    keep(Local())
    assert len(captured) == 2
    assert entries() == ()


def test_nothing_is_kept_where_it_is_switched_off(captured: list[nn.Module]) -> None:
    with nothing_kept():
        keep(Net())
        keep(Net())
    assert len(captured) == 2
    assert entries() == ()


def test_a_large_graph_is_not_kept(captured: list[nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_files, "MAX_ENTRY_BYTES", 100)
    keep(Net())
    assert entries() == ()
    assert len(captured) == 1


class Wide(nn.Module):
    """Half of its parameters are in the graph as they are, the other half are folded: [n, 2] -> [n, 3]."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(2, 600), nn.Linear(600, 3)
        self.scale = nn.Parameter(torch.rand(600))
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(torch.relu(self.first(x) * self.scale))
        return y


def test_parameters_are_not_kept_twice(captured: list[nn.Module]) -> None:
    first = keep(Wide())
    (entry,) = entries()
    parameters = sum(value.nbytes for value in Wide().state_dict().values())
    assert entry.stat().st_size < first.plain.bytes + first.shipped.bytes - parameters
    second = keep(Wide())
    assert len(captured) == 1
    assert second == first


def test_what_cannot_be_read_is_captured_anew(captured: list[nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    keep(Net())
    monkeypatch.setattr(capture_files, "read_entry", lambda _: b"of another version")
    keep(Net())
    assert len(captured) == 2


SOURCE = """
from torch import nn
{imported}
class Net(nn.Module):
    pass
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A package with a module, beside a package that it imports from."""
    sources = {"kept_net": SOURCE.format(imported="from kept_parts import part"), "kept_parts": "def part(): pass"}
    for name, source in sources.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(source)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    capture_files._source.cache_clear()
    return importlib.import_module("kept_net")


@pytest.mark.parametrize("name", ["kept_net", "kept_parts"])
def test_other_source_code_is_another_key(name: str, package: ModuleType, tmp_path: Path) -> None:
    before = capture_files.entry_name((package.Net, 1))
    assert before is not None
    assert capture_files.entry_name((package.Net, 1)) == before
    capture_files._source.cache_clear()
    assert capture_files.entry_name((package.Net, 1)) == before
    os.utime(tmp_path / name / "__init__.py", (1, 1))
    capture_files._source.cache_clear()
    assert capture_files.entry_name((package.Net, 1)) != before


def test_a_key_is_a_text_of_types_and_values() -> None:
    graph = export_graph(Net(), EXAMPLE, SIGNATURE, opset=18, name="it")
    write_capture((Net, "a", 0.5), graph, {})
    assert read_capture((Net, "a", 0.5), SIGNATURE, {}) == graph
    assert read_capture((Net, "a", "0.5"), SIGNATURE, {}) is None
    assert read_capture((OtherNet, "a", 0.5), SIGNATURE, {}) is None
