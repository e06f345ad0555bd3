"""`--batch-size auto` on steps that pretend to need memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.runs.test_run import CONFIG
from tests.training.toy import train_toy
from zoo.api.errors import OutOfMemory, UsageError
from zoo.runs.train_config import TrainConfig
from zoo.training.launch import fitting_batch
from zoo.training.launch.fitting_batch import fit_batch, free_memory

CONFIG_64 = replace(CONFIG, recipe=replace(CONFIG.recipe, batch_size=64, accumulate=1))


class Machine:
    """Each item takes so many bytes; a step that takes more than there is free is refused, or would be fatal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, free: int, item: int = 10, refuses: bool = False) -> None:
        self.free, self.item, self.refuses, self.tried = free, item, refuses, list[int]()
        monkeypatch.setattr(fitting_batch, "free_memory", lambda: float("inf") if refuses else float(free))
        monkeypatch.setattr(fitting_batch, "_memory_of", lambda work: work() or self.item * self.tried[-1])

    def step(self, config: TrainConfig) -> None:
        batch = config.recipe.batch_size
        self.tried.append(batch)
        if self.refuses and batch * self.item > self.free:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        assert batch * self.item <= self.free, "the system would have ended the process"


@pytest.mark.parametrize("refuses", [True, False])
@pytest.mark.parametrize(("free", "batch", "accumulate"), [(10_000, 64, 1), (400, 32, 2), (90, 4, 16)])
def test_the_largest_batch_that_fits_is_taken_and_a_step_sees_as_many_items(
    monkeypatch: pytest.MonkeyPatch, free: int, batch: int, accumulate: int, refuses: bool
) -> None:
    machine = Machine(monkeypatch, free=free, refuses=refuses)
    fitting = fit_batch(CONFIG_64, machine.step, items=64)
    if free == 90 and refuses:
        batch, accumulate = 8, 8
    assert (fitting.recipe.batch_size, fitting.recipe.accumulate) == (batch, accumulate)
    assert fitting.choices[-1].name == "batch_size" and fitting.choices[-1].value == str(batch)
    assert machine.tried == sorted(machine.tried)


def test_where_not_even_the_smallest_fits_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, free=5, refuses=True)
    with pytest.raises(OutOfMemory, match="ran out of memory before the first step with batches of 4"):
        fit_batch(CONFIG_64, machine.step, items=64)


@pytest.mark.parametrize(("items", "batch"), [(64, 64), (63, 32), (60, 32), (9, 8), (1, 2)])
def test_fewer_items_than_a_batch_get_smaller_batches(monkeypatch: pytest.MonkeyPatch, items: int, batch: int) -> None:
    machine = Machine(monkeypatch, free=10_000)
    fitting = fit_batch(CONFIG_64, machine.step, items=items)
    assert (fitting.recipe.batch_size, fitting.recipe.accumulate) == (batch, 1)
    assert (f"more than the {items} items" in fitting.choices[-1].reason) == (items < 64)


def test_a_training_of_fewer_items_than_a_batch_finds_one(tmp_path: Path) -> None:
    run = train_toy(tmp_path / "run", "epochs=1", batch_size="auto", limit_train=13).run
    assert (run.config.recipe.batch_size, run.config.recipe.accumulate) == (8, 1)


def test_another_error_is_not_taken_for_a_lack_of_memory() -> None:
    def step(config: TrainConfig) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        fit_batch(CONFIG_64, step, items=64)


def test_a_training_with_room_keeps_the_recipes_batch(tmp_path: Path) -> None:
    run = train_toy(tmp_path / "run", "epochs=1", batch_size="auto").run
    assert (run.config.recipe.batch_size, run.config.recipe.accumulate) == (16, 1)
    assert run.config.choices[-1].reason == "a step of the recipe's batch fits into memory"
    with pytest.raises(UsageError, match="--batch-size 'many' is no number"):
        train_toy(tmp_path / "other", batch_size="many")


def test_the_free_memory_is_known_here() -> None:
    assert 2**20 < free_memory() < 2**50
