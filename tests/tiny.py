"""A plugin with a tiny classifier, a run of it and published weights of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from zoo.api.problem import ImageInput, Problem
from zoo.api.recipe import Recipe
from zoo.runs.checkpoints import Checkpoint, point, write_checkpoint
from zoo.runs.run import DataRecord, Run, RunRecord, now
from zoo.runs.train_config import TrainConfig

INPUT = ImageInput(size=(2, 2), channels=1, mean=(0.5,), std=(0.5,))
ANIMALS = ("cat", "dog", "owl")

SOURCE = """
import zoo

CLASSES = ("cat", "dog", "owl")
INPUT = zoo.ImageInput(size=(2, 2), channels=1, mean=(0.5,), std=(0.5,))
WEIGHTS = {weights!r}

@zoo.hookimpl
def zoo_models():
    for name, builder in (("tiny", "tiny"), ("headless", "tiny"), ("failing", "failing"), ("listing", "listing")):
        yield zoo.ModelSpec(name=name, task="image-classification", builder=f"{{__name__}}:{{builder}}",
                            trainer="classification", input=INPUT, head=("1.",) if name != "headless" else ())

@zoo.hookimpl
def zoo_weights():
    for tag, sha256, labelled in WEIGHTS:
        for model in ("tiny", "headless"):
            yield zoo.WeightsSpec(
                model=model, tag=tag, licence="CC0-1.0", sha256=sha256, data="animals", metrics={{"top1": 0.5}},
                url=f"https://publisher.example/files/{{tag}}.pth", remap=f"{{__name__}}:remap",
                classes=f"{{__name__}}:CLASSES" if labelled else (), optional=("aux.",))

def remap(state):
    return {{name.removeprefix("module."): tensor for name, tensor in state.items()}}

def tiny(*, num_classes):
    from torch import nn
    return nn.Sequential(nn.Flatten(), nn.Linear(4, num_classes))

def failing(*, num_classes):
    raise ZeroDivisionError("no parts")

def listing(*, num_classes):
    return []
"""


def source(weights: dict[str, tuple[str, bool]] | None = None) -> str:
    """The plugin's module; `weights` maps a tag to its sha256 and whether its classes are named."""
    return SOURCE.format(weights=[(tag, *facts) for tag, facts in (weights or {}).items()])


def published_state(classes: int = 3) -> dict[str, Tensor]:
    """As a publisher would write it: other names, and an auxiliary head."""
    torch.manual_seed(5)
    return {
        "module.1.weight": torch.randn(classes, 4),
        "module.1.bias": torch.randn(classes),
        "module.aux.weight": torch.randn(2),
    }


def mirror(folder: Path, tag: str, state: dict[str, Tensor]) -> str:
    """Put a publisher's file where ZOO_MIRROR=<folder> finds it; its sha256."""
    file = folder / "publisher.example" / "files" / f"{tag}.pth"
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def tiny_run(
    path: Path,
    *,
    model: str = "tiny/tiny",
    classes: tuple[str, ...] = ("cat", "dog", "owl"),
    weights: str | None = None,
) -> Run:
    """A finished run with two checkpoints: step 10, the best, full of ones, and step 20, the last, of twos."""
    config = TrainConfig(
        model=model, plugin="tiny", plugin_version="1.0", data="digits", weights=weights, input=INPUT, recipe=Recipe()
    )
    record = RunRecord(
        status="finished",
        created=now(),
        argv=("zoo", "train", "tiny"),
        model=model,
        task="image-classification",
        seeds={"run": 0},
        versions={},
        host="here",
        pid=1,
    )
    problem = Problem(task="image-classification", input=INPUT, classes=classes)
    data = DataRecord(
        source="digits", format="digits", fingerprint="f" * 64, counts={"train": 2}, classes=classes, problem=problem
    )
    run = Run.create(path, record=record, config=config, data=data)
    for step, which in ((10, "best"), (20, "last")):
        point(run.checkpoints, which, _checkpoint(run, model, step, len(classes)))  # type: ignore[arg-type]
    return run


def _checkpoint(run: Run, model: str, step: int, classes: int) -> Checkpoint:
    def fill(folder: Path) -> None:
        value = step / 10
        state = {"1.weight": torch.full((classes, 4), value), "1.bias": torch.full((classes,), value)}
        save_file(state, folder / "model.safetensors")
        torch.save({}, folder / "state.pt")

    return write_checkpoint(
        run.checkpoints, model=model, step=step, epoch=step // 10, metrics={"top1": 1 / step}, fill=fill
    )
