"""A task of one second: points around three corners, with trainers of three kinds.

As a program it trains or resumes in a process of its own: python -m tests.training.toy RUN [SETTING …].
"""

# ruff: noqa: ARG002

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional as F
from torch.optim import SGD, Optimizer

from zoo import (
    DataCard,
    DataRequest,
    DataSource,
    LatentInput,
    ModelSpec,
    Monitor,
    Problem,
    Recipe,
    StepContext,
    StepOutput,
    TaskSpec,
    TrainerSpec,
    hookimpl,
)
from zoo.api.callback import Callback, EpochResult, Outcome, StepEvent
from zoo.api.task import Batch
from zoo.data.split_sums import over_processes
from zoo.registry.catalog import Catalog
from zoo.runs.train_options import TrainOptions
from zoo.training.launch.request import check_data, resolve_training
from zoo.training.launch.resume import resume
from zoo.training.launch.run_training import Ended
from zoo.training.launch.start import begin
from zoo.training.loop import fit
from zoo.training.recipe.optimizers import build_optimizer
from zoo.training.trainers.classification import ClassificationTrainer

HERE = "tests.training.toy"
ROOT = Path(__file__).parents[2]
CLASSES = ("a", "b", "c")


# --- the task ---


class Points:
    """float32 [n, 8] around one corner for each class."""

    def __init__(self, count: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(0, 3, (count,), generator=generator)
        corners = torch.randn(3, 8, generator=torch.Generator().manual_seed(99))
        self.points = corners[self.labels] + torch.randn(count, 8, generator=generator)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Sequence[int]) -> Batch:
        index = torch.as_tensor(indices, dtype=torch.int64)
        return {"point": self.points[index], "label": self.labels[index], "targets": list(self.labels[index])}

    def ready(self, batch: Batch) -> Batch:
        return {**batch, "input": batch["point"] * 2.0}


@dataclass
class Share:
    """The share of right answers."""

    right: int = 0
    seen: int = 0

    def update(self, outputs: Batch, batch: Batch) -> None:
        self.right += int((outputs["logits"].argmax(1) == batch["label"]).sum())
        self.seen += len(batch["label"])

    def compute(self) -> dict[str, float]:
        counts = torch.tensor([self.right, self.seen])
        right, seen = (counts if "TOY_APART" in os.environ else over_processes(counts)).tolist()
        return {"share": right / seen}

    def pictures(self, folder: Path) -> list[Path]:
        return []


class ToyTask:
    """Which corner a point belongs to."""

    name = "toy"
    monitor = Monitor(metric="share", mode="max")
    fingerprint = "f" * 64

    def detect(self, request: DataRequest) -> DataSource:
        return DataSource(request=request, format="points")

    def check(self, source: DataSource, *, progress: Any) -> DataCard:
        splits = {"train": range(96), "validation": range(40), "test": range(40)}
        return DataCard(source=source, splits=splits, classes=CLASSES, fingerprint=self.fingerprint)  # type: ignore[arg-type]

    def problem(self, card: DataCard, input: Any) -> Problem:
        return Problem(task=self.name, input=input, classes=card.classes)

    def dataset(self, card: DataCard, split: str, problem: Problem) -> Points:
        return Points(len(card.splits[split]), seed=len(split))  # type: ignore[index]

    def augment(self, batch: Batch, augment: Any, generator: torch.Generator) -> Batch:
        noise = torch.randn(batch["point"].shape, generator=generator)
        return {**batch, "point": batch["point"] + augment.shift * noise}

    def metrics(self, problem: Problem) -> Share:
        return Share()


# --- the models ---


def rich(*, latent_size: int, num_classes: int) -> nn.Module:
    """With all that makes a resume hard: batch statistics and dropout."""
    return nn.Sequential(
        nn.Linear(latent_size, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, num_classes)
    )


def plain(*, latent_size: int, num_classes: int) -> nn.Module:
    """Without either, so that a batch is the sum of its items."""
    return nn.Sequential(nn.Linear(latent_size, 16), nn.Tanh(), nn.Linear(16, num_classes))


# --- the trainers ---


class ToyTrainer(ClassificationTrainer):
    """As zoo's own, with accidents: a signal to itself, or a loss that is no number, at a step."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        output = super().step(context, batch)
        if "TOY_COMPARE" in os.environ and context.step == context.total_steps - 1:
            compare_replicas(context.modules["model"])
        if context.step == int(os.environ.get("TOY_SIGNAL_AT", "-1")) and _is_chosen("TOY_SIGNAL_RANK"):
            os.kill(os.getpid(), int(os.environ["TOY_SIGNAL"]))
        if 0 <= int(os.environ.get("TOY_NAN_AT", "-1")) <= context.step and _is_chosen("TOY_NAN_RANK"):
            output.loss = output.loss * float("nan")
        return output


def _is_chosen(variable: str) -> bool:
    """Whether an accident is this process's, of several."""
    return os.environ.get(variable, "") in ("", os.environ.get("RANK", "0"))


class CarryingTrainer(ToyTrainer):
    """What it has seen decides what it learns, and each of several processes sees other points."""

    def __init__(self) -> None:
        self.seen = torch.zeros(8)

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        self.seen = 0.5 * self.seen + batch["point"].mean(0)
        return super().step(context, {**batch, "input": batch["input"] + 0.1 * self.seen})

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        return {"seen": self.seen}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        self.seen = torch.as_tensor(state["seen"])


class ListTrainer(ToyTrainer):
    """Targets as a list, as a detector's are."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        assert isinstance(batch["targets"], list)
        return super().step(context, {**batch, "label": torch.stack(batch["targets"])})


class DuelTrainer:
    """Two modules against each other, each with an optimiser of its own, and a counter that must survive."""

    def __init__(self) -> None:
        self.rounds = 0

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:
        return {"model": model, "critic": nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        return {
            "model": build_optimizer(modules["model"], recipe, head=head),
            "critic": SGD(modules["critic"].parameters(), lr=recipe.lr),
        }

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        model, critic = context.modules["model"], context.modules["critic"]
        truth = F.one_hot(batch["label"], 3).float()
        noise = torch.randn(truth.shape, generator=context.generator) * 0.1
        critic.requires_grad_(True)
        made = model(batch["input"]).softmax(1)
        critic_loss = F.softplus(critic(made.detach())).mean() + F.softplus(-critic(truth + noise)).mean()
        context.backward(critic_loss)
        context.update("critic")
        critic.requires_grad_(False)
        loss = F.softplus(-critic(made)).mean() + F.mse_loss(made, truth)
        context.backward(loss)
        context.update("model")
        self.rounds += 1
        if "TOY_COMPARE" in os.environ and context.step == context.total_steps - 1:
            compare_replicas(nn.ModuleList(context.modules.values()))
        return StepOutput(loss=loss.detach(), count=len(truth), parts={"critic": critic_loss.detach()})

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        return {"logits": context.modules["model"](batch["input"])}

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        return {"rounds": self.rounds}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        self.rounds = int(state["rounds"])


# --- the plugin ---

RECIPE = Recipe(epochs=4, batch_size=16, lr=0.05, schedule="onecycle", warmup=0.25, clip=1.0, ema=0.9)


def _model(name: str, builder: str, trainer: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        task="toy",
        builder=f"{HERE}:{builder}",
        trainer=trainer,
        input=LatentInput(size=8),
        needs=("latent_size", "num_classes"),
        head=("4.", "2."),
        recipes={"default": RECIPE},
    )


@hookimpl
def zoo_models() -> list[ModelSpec]:
    return [
        _model("rich", "rich", "toy"),
        _model("plain", "plain", "toy"),
        _model("duel", "rich", "duel"),
        _model("listed", "rich", "listed"),
        _model("carrying", "rich", "carrying"),
        _model("contrary", "rich", "contrary"),
    ]


@hookimpl
def zoo_trainers() -> list[TrainerSpec]:
    kinds = {"toy": "ToyTrainer", "duel": "DuelTrainer", "listed": "ListTrainer", "carrying": "CarryingTrainer"}
    trainers = [TrainerSpec(name=name, task="toy", trainer=f"{HERE}:{kind}") for name, kind in kinds.items()]
    return [*trainers, replace(trainers[0], name="contrary", monitor=Monitor(metric="share", mode="min"))]


@hookimpl
def zoo_tasks() -> list[TaskSpec]:
    return [TaskSpec(name="toy", task=f"{HERE}:ToyTask", default_data="points", metric="share")]


def catalog() -> Catalog:
    """The toys alone."""
    hooks = {"zoo_models": zoo_models, "zoo_trainers": zoo_trainers, "zoo_tasks": zoo_tasks}
    return Catalog.discover([SimpleNamespace(__name__="toy", ZOO_API=1, **hooks)])


# --- doing it ---


@dataclass
class Said(Callback):
    """What was told."""

    sentences: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.sentences.append(text)


class Broken(Callback):
    """Fails in the method that TOY_CALLBACK names, in the second epoch or after step 8."""

    def on_step(self, event: StepEvent) -> None:
        self._fail("on_step", event.step > 8)

    def on_epoch_end(self, result: EpochResult) -> None:
        self._fail("on_epoch_end", result.epoch == 2)

    def on_end(self, outcome: Outcome) -> None:
        self._fail("on_end", outcome.status == "finished")

    def _fail(self, method: str, now: bool) -> None:
        if now and os.environ["TOY_CALLBACK"] == method:
            raise RuntimeError("the printer is out of paper")


def train_toy(
    place: Path,
    *settings: str,
    model: str = "rich",
    said: Said | None = None,
    callbacks: Sequence[Callback] = (),
    **options: Any,
) -> Ended:
    """A whole training of a toy."""
    wanted = TrainOptions(output=place, settings=settings, **{"threads": 1, "workers": 0, **options})
    request = resolve_training(model, wanted, catalog=catalog())
    card = check_data(request, progress=lambda *_: None)
    return begin(request, card, callbacks=callbacks, say=said or Said())


def resume_toy(place: Path, *, said: Said | None = None, **options: Any) -> Ended:
    """The rest of a training of a toy."""
    return resume(place, catalog=catalog(), say=said or Said(), **options)


def weights(place: Path) -> dict[str, bytes]:
    """The bytes of every tensor file of the newest checkpoint that a result depends on."""
    newest = max((place / "checkpoints").glob("step-*"), key=lambda path: int(path.name.removeprefix("step-")))
    return {newest.name: (newest / "model.safetensors").read_bytes()}


def compare_replicas(model: nn.Module) -> None:
    """Say whether every process has the same parameters, bit for bit."""
    mine = torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()])
    others = [torch.empty_like(mine) for _ in range(distributed.get_world_size())]
    distributed.all_gather(others, mine)
    print("replicas equal" if all(torch.equal(mine, one) for one in others) else "replicas differ", flush=True)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    name, *changes = sys.argv[2:] or ["rich"]
    several = int(os.environ.get("TOY_DEVICES", "0")) or None
    if (target / "run.json").exists():
        ended = resume_toy(target, devices=several, allow_inexact="TOY_INEXACT" in os.environ)
    else:
        limit = int(os.environ.get("TOY_LIMIT", "0")) or None
        often = os.environ.get("TOY_SAVE_EVERY")
        listening = [Broken()] if "TOY_CALLBACK" in os.environ else []
        if listening:
            fit.__dict__["EVENT_SECONDS"] = 0.0  # a step event after every step
        ended = train_toy(
            target, *changes, model=name, devices=several, limit_train=limit, save_every=often, callbacks=listening
        )
    raise SystemExit(0 if ended.outcome.signal is None else 128 + signal.Signals(ended.outcome.signal))
