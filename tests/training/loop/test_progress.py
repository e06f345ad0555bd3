"""Counting losses, and knowing the best."""

from __future__ import annotations

import pytest
import torch

from zoo.api.errors import Diverged
from zoo.api.task import Monitor
from zoo.api.trainer import StepOutput
from zoo.training.loop.progress import Progress

ACCURACY, ERROR = Monitor(metric="share", mode="max"), Monitor(metric="share", mode="min")


def outputs(*losses: float, count: int = 2) -> list[StepOutput]:
    """Steps with these losses."""
    return [StepOutput(loss=torch.tensor(loss), count=count) for loss in losses]


def test_the_mean_counts_items() -> None:
    progress = Progress()
    progress.add(outputs(1.0, 2.0, count=2))
    progress.add(outputs(5.0, count=4))
    assert progress.loss() == pytest.approx(26 / 8)


def test_parts_are_counted_beside_the_loss() -> None:
    progress = Progress()
    progress.add([StepOutput(loss=torch.tensor(3.0), count=2, parts={"box": torch.tensor(1.0)})])
    assert progress.sums == {"loss": 6.0, "box": 2.0}


def test_three_bad_losses_in_a_row_are_too_many_even_across_readings() -> None:
    nan = float("nan")
    progress = Progress()
    progress.add(outputs(nan, nan, 1.0, nan, float("inf")))
    assert progress.not_finite == 2
    with pytest.raises(Diverged, match="3 steps in a row"):
        progress.add(outputs(nan))


@pytest.mark.parametrize(("monitor", "best"), [(ACCURACY, 2), (ERROR, 1)])
def test_the_best_epoch_is_the_first_of_the_best(monitor: Monitor, best: int) -> None:
    progress = Progress()
    verdicts = [progress.end_epoch({"share": value}, monitor) for value in (0.5, 0.9, 0.9, 0.7)]
    assert progress.best_epoch == best and verdicts.index(True) == 0 and sum(verdicts) == best
    assert progress.stale == 4 - best


@pytest.mark.parametrize("monitor", [ACCURACY, ERROR])
def test_equal_scores_are_ranked_by_the_validation_loss(monitor: Monitor) -> None:
    progress = Progress()
    losses = (0.8, float("nan"), 0.8, 0.3, 0.3, 0.5)
    verdicts = [progress.end_epoch({"share": 1.0}, monitor, loss=loss) for loss in losses]
    assert verdicts == [True, False, False, True, False, False]
    assert (progress.best_epoch, progress.best_loss, progress.stale) == (4, 0.3, 2)


def test_a_lower_loss_is_no_better_where_the_score_is_worse() -> None:
    progress = Progress()
    assert progress.end_epoch({"share": 0.9}, ACCURACY, loss=2.0)
    assert not progress.end_epoch({"share": 0.8}, ACCURACY, loss=0.1)
    assert progress.end_epoch({"share": 0.95}, ACCURACY, loss=3.0) and progress.best_loss == 3.0


def test_a_loss_that_is_no_number_loses_a_tie() -> None:
    progress = Progress()
    assert progress.end_epoch({"share": 1.0}, ACCURACY, loss=float("nan"))
    assert not progress.end_epoch({"share": 1.0}, ACCURACY, loss=float("nan"))
    assert progress.end_epoch({"share": 1.0}, ACCURACY, loss=float("inf"))
    assert progress.end_epoch({"share": 1.0}, ACCURACY, loss=9.0)


def test_a_checkpoint_of_an_older_zoo_keeps_the_best_epoch_that_it_chose() -> None:
    progress = Progress()
    progress.end_epoch({"share": 1.0}, ACCURACY, loss=0.8)
    older = {name: value for name, value in progress.state().items() if name != "best_loss"}
    resumed = Progress(**older)
    assert not resumed.end_epoch({"share": 1.0}, ACCURACY, loss=0.1) and resumed.best_epoch == 1
    assert resumed.end_epoch({"share": 1.1}, ACCURACY, loss=0.4) and resumed.best_loss == 0.4


def test_a_perfect_score_is_the_best_and_the_worst_one_is_not() -> None:
    for monitor, perfect in ((ACCURACY, float("inf")), (ERROR, float("-inf"))):
        progress = Progress()
        assert not progress.end_epoch({"share": -perfect}, monitor)
        assert progress.end_epoch({"share": perfect}, monitor) and not progress.end_epoch({"share": perfect}, monitor)
        assert progress.best_epoch == 2


def test_an_epoch_that_ends_on_a_bad_loss_is_not_the_best() -> None:
    progress = Progress()
    progress.add(outputs(1.0, float("nan")))
    assert not progress.end_epoch({"share": 0.9}, ACCURACY)
    with pytest.raises(Diverged, match="the last loss was not a finite number"):
        progress.check_end()
    progress.add(outputs(1.0))
    progress.check_end()
    assert progress.end_epoch({"share": 0.1}, ACCURACY)


@pytest.mark.parametrize("metrics", [{"share": float("nan")}, {}])
def test_a_score_that_was_not_measured_is_never_the_best_and_costs_no_patience(metrics: dict[str, float]) -> None:
    progress = Progress()
    assert not progress.end_epoch(metrics, ACCURACY)
    assert progress.stale == 0
    assert progress.best_epoch is None and progress.end_epoch({"share": 0.1}, ACCURACY)


def test_its_state_makes_it_again() -> None:
    progress = Progress(step=3)
    progress.add(outputs(1.0))
    progress.end_epoch({"share": 0.5}, ACCURACY)
    assert Progress(**progress.state()) == progress
