"""What this package offers to zoo; nothing here imports torch or numpy."""

from collections.abc import Iterable

from zoo import ModelSpec, Monitor, Recipe, TaskSpec, TrainerSpec, hookimpl
from zoo_pairs.inputs import PairInput


@hookimpl
def zoo_tasks() -> Iterable[TaskSpec]:
    """One."""
    yield TaskSpec(
        name="pair-distance",
        data="zoo_pairs.task:PairData",
        tensors="zoo_pairs.tensors:PairTensors",
        graphs="zoo_pairs.tensors:PairGraphs",
        answers="zoo_pairs.task:PairAnswers",
        device="zoo_pairs.device:read",
        monitor=Monitor(metric="error", mode="min"),
        summary="how far apart the dots in two pictures are",
        default_data="dots",
    )


@hookimpl
def zoo_trainers() -> Iterable[TrainerSpec]:
    """One."""
    yield TrainerSpec(name="pairs", task="pair-distance", trainer="zoo_pairs.tensors:PairTrainer")


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """One."""
    yield ModelSpec(
        name="pair_net",
        task="pair-distance",
        builder="zoo_pairs.tensors:pair_net",
        trainer="pairs",
        input=PairInput(left=(12, 12), right=(8, 16)),
        needs=("left", "right"),
        recipes={"default": Recipe(epochs=3, batch_size=20, lr=1e-2)},
        licence="Apache-2.0",
    )
