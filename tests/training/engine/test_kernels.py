"""Which kernels compute: settings of a GPU's libraries, which exist without one, and PyTorch's compiler."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.backends import cuda, cudnn

import zoo
from zoo.api.errors import UsageError
from zoo.registry.catalog import Catalog
from zoo.runs.train_options import TrainOptions
from zoo.training.engine.kernels import compile_modules, gpu_kernels
from zoo.training.engine.threads import choose_workers
from zoo.training.launch.request import resolve_training
from zoo.training.loop.batches import read_batches


def settings() -> tuple[bool, bool, bool]:
    return cudnn.benchmark, cudnn.allow_tf32, cuda.matmul.allow_tf32


@pytest.mark.parametrize(
    ("precision", "expected"), [("bf16", (True, True, True)), ("16", (True, True, True)), ("32", (True, False, False))]
)
def test_a_gpu_tries_its_convolutions_and_takes_tf32_unless_32_was_asked_for(
    precision: str, expected: tuple[bool, bool, bool]
) -> None:
    before = settings()
    with pytest.raises(ZeroDivisionError), gpu_kernels("cuda", precision):
        assert settings() == expected
        raise ZeroDivisionError
    assert settings() == before


def test_a_cpu_is_left_as_it_is() -> None:
    before = settings()
    with gpu_kernels("cpu", "bf16"):
        assert settings() == before


def test_batches_for_a_gpu_lie_in_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    class Numbers:
        def batch(self, indices: list[int]) -> dict[str, object]:
            return {"input": torch.tensor(indices), "name": ["a"]}

    pinned: list[list[int]] = []

    def pin(tensor: Tensor) -> Tensor:
        pinned.append(tensor.tolist())
        return tensor + 10

    monkeypatch.setattr(Tensor, "pin_memory", pin)
    for workers in (0, 1):
        pinned.clear()
        batches = list(read_batches(Numbers(), [[1, 2], [3]], workers=workers, pinned=True))  # type: ignore[arg-type]
        assert [batch["input"].tolist() for batch in batches] == [[11, 12], [13]]
        assert pinned == [[1, 2], [3]]
        assert batches[0]["name"] == ["a"]
        plain = list(read_batches(Numbers(), [[1, 2], [3]], workers=workers))  # type: ignore[arg-type]
        assert [batch["input"].tolist() for batch in plain] == [[1, 2], [3]]


def test_a_thread_reads_ahead_of_a_gpu_even_from_memory() -> None:
    assert choose_workers(lambda: None) == 0
    assert choose_workers(lambda: None, beside_gpu=True) == 1


def note_compiled(monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """The modules that are told to compile, instead of compiling."""
    compiled: list[nn.Module] = []

    def note(module: nn.Module) -> None:
        compiled.append(module)

    monkeypatch.setattr(nn.Module, "compile", note)
    return compiled


def test_a_compiled_module_keeps_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = note_compiled(monkeypatch)
    modules = [nn.Linear(1, 2), nn.Linear(2, 3)]
    compile_modules(modules)
    assert compiled == modules
    assert list(modules[0].state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize("own", ["", "no-such-compiler"])
def test_compiling_without_a_compiler_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    monkeypatch.chdir(tmp_path)
    catalog = Catalog.discover()
    resolve_training("cnn", TrainOptions(), catalog=catalog)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setenv("CXX", own) if own else monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(UsageError, match=f"needs a C\\+\\+ compiler, and {own or 'g..'} is not on the path"):
        resolve_training("cnn", TrainOptions(compile=True), catalog=catalog)


def test_a_training_compiles_its_modules_where_it_is_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = note_compiled(monkeypatch)
    for compile in (False, True):
        run = zoo.train(
            "cnn", output=tmp_path / str(compile), max_steps=1, limit_train=64, threads=1, workers=0, compile=compile
        )
        assert run.config.recipe.compile is compile
    assert [type(module).__name__ for module in compiled] == ["SmallConvNet"]
