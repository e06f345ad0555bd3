"""What this package offers to zoo; nothing here imports torch or numpy."""

from collections.abc import Iterable

from zoo import ModelSpec, Monitor, Recipe, TableInput, TaskSpec, TaskTags, TrainerSpec, hookimpl

ZOO_API = 2


@hookimpl
def zoo_tasks() -> Iterable[TaskSpec]:
    """Numbers in, numbers out."""
    yield TaskSpec(
        name="table-regression",
        data="zoo_table_regression.task:FriedmanData",
        tensors="zoo:TableTensors",
        graphs="zoo:TableGraphs",
        answers="zoo_table_regression.task:FriedmanAnswers",
        device="zoo:read_rows",
        monitor=Monitor(metric="r2", mode="max"),
        tags=TaskTags(many_items=True),
        summary="which numbers follow from a row of numbers",
        default_data="friedman",
        data_licence="numbers drawn by zoo-table-regression, CC0-1.0",
    )


@hookimpl
def zoo_trainers() -> Iterable[TrainerSpec]:
    """One, for any model of the task."""
    yield TrainerSpec(
        name="regression",
        task="table-regression",
        trainer="zoo_table_regression.trainer:RegressionTrainer",
        summary="mean squared error of the normalised numbers",
    )


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """A small network of two hidden layers."""
    recipe = Recipe(epochs=40, batch_size=64, lr=1e-2, weight_decay=0.01, schedule="onecycle", warmup=0.2)
    yield ModelSpec(
        name="table_mlp",
        task="table-regression",
        builder="zoo_table_regression.model:table_mlp",
        trainer="regression",
        input=TableInput(),
        needs=("features", "num_targets"),
        head=("head.",),
        recipes={"default": recipe},
        summary="two hidden layers of 64",
        licence="Apache-2.0",
        parameters=4_929,
    )
