"""Which of several processes this one is, as torchrun, srun, Kubeflow and `--devices` say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zoo.api.errors import UsageError
from zoo.api.problem import LatentInput
from zoo.api.recipe import Recipe
from zoo.runs.train_config import TrainConfig
from zoo.training.engine.place import Place, first_host, launched, processes

TORCHRUN = {
    **{"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"},
    **{"MASTER_ADDR": "gpu01", "MASTER_PORT": "29400"},
}
SRUN = {
    **{"SLURM_JOB_NAME": "zoo", "SLURM_JOB_ID": "4217731", "SLURM_NTASKS": "8", "SLURM_NNODES": "2"},
    **{"SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_NODEID": "1", "SLURM_STEP_NODELIST": "gpu[07-08]"},
}


def test_nothing_has_started_this_process() -> None:
    assert launched({}) is None


def test_torchrun_says_everything() -> None:
    assert launched(TORCHRUN) == Place(
        rank=5, world=8, local_rank=1, local_world=4, address="gpu01", port=29400, launcher="torchrun"
    )


def test_kubeflow_starts_one_process_in_each_container() -> None:
    place = launched({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "zoo-master-0", "MASTER_PORT": "23456"})
    assert place is not None
    assert (place.rank, place.world, place.local_rank, place.local_world) == (1, 2, 0, 1)


def test_one_process_of_torchrun_is_one_process_whatever_the_run_used() -> None:
    place = launched({"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"})
    assert place is not None and place.world == 1


def test_srun_says_who_and_where_the_first_one_is() -> None:
    assert launched(SRUN) == Place(
        rank=5, world=8, local_rank=1, local_world=4, address="gpu07", port=22731, launcher="srun"
    )


@pytest.mark.parametrize(
    ("variables", "here"),
    [
        ({"SLURM_NTASKS_PER_NODE": "4"}, 4),
        ({"SLURM_TASKS_PER_NODE": "4(x2)"}, 4),
        ({"SLURM_TASKS_PER_NODE": "5,3"}, 3),
        ({"SLURM_STEP_TASKS_PER_NODE": "6,2", "SLURM_TASKS_PER_NODE": "4(x2)"}, 2),
    ],
)
def test_srun_need_not_spread_the_tasks_evenly(variables: dict[str, str], here: int) -> None:
    place = launched({**SRUN, **variables})
    assert place is not None and place.local_world == here


@pytest.mark.parametrize(
    "variables", [{"SLURM_JOB_NAME": "interactive"}, {"SLURM_JOB_NAME": "bash"}, {"SLURM_NTASKS": "1"}]
)
def test_an_interactive_allocation_and_a_job_of_one_task_have_started_nobody(variables: dict[str, str]) -> None:
    assert launched({**SRUN, **variables}) is None


def test_torchrun_within_a_slurm_job_counts() -> None:
    place = launched({**SRUN, **TORCHRUN})
    assert place is not None and place.launcher == "torchrun"


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("gpu1", "gpu1"),
        ("gpu1,gpu2", "gpu1"),
        ("gpu[04-07,09],cpu1", "gpu04"),
        ("rack[1-2]n[03,05]", "rack1n03"),
        ("a-1.example.org", "a-1.example.org"),
    ],
)
def test_the_first_host_of_a_list(nodes: str, first: str) -> None:
    assert first_host(nodes) == first


@pytest.fixture
def config() -> TrainConfig:
    recipe = Recipe(epochs=1, batch_size=64, lr=0.1)
    return TrainConfig(
        model="m",
        plugin="p",
        plugin_version="1",
        trainer="t",
        data="d",
        input=LatentInput(size=8),
        recipe=recipe,
        devices=2,
    )


def test_a_launcher_decides_how_many_processes_there_are(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert processes(config, asked=None) == 2 and processes(config, asked=4) == 4
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert processes(config, asked=None) == processes(config, asked=8) == 8
    with pytest.raises(UsageError, match="--devices 2 is said to one of 8 processes that torchrun has started"):
        processes(config, asked=2)


def test_a_batch_that_cannot_be_shared_names_the_sizes_to_try(config: TrainConfig) -> None:
    with pytest.raises(UsageError, match="a batch of 64 cannot be shared evenly by 3 processes") as refused:
        processes(config, asked=3)
    assert refused.value.hint == "--batch-size is over all of them: try --batch-size 63 or 66"
    with pytest.raises(UsageError) as refused:
        processes(replace(config, recipe=replace(config.recipe, batch_size=2)), asked=4)
    assert refused.value.hint == "--batch-size is over all of them: try --batch-size 4"
