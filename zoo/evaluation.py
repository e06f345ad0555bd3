"""A trained model measured on data: the task's metrics over one split, the test data where there are any."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.atomic import write_directory, write_json
from zoo.catalog import Catalog
from zoo.data_card import DataCard, DataRequest, Split
from zoo.engine.fabric import choose_device, launch
from zoo.errors import UsageError
from zoo.problem import Problem
from zoo.recipe import Recipe
from zoo.records import to_json
from zoo.targets import find_target
from zoo.task import Dataset, Metrics, Progress
from zoo.trained import Trained, load_trained
from zoo.training.context import Context
from zoo.training.evaluation import measure

if TYPE_CHECKING:
    from zoo.task import Batch

SHOWN_CLASSES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a trained model reaches on one split of some data."""

    model: str
    """Full name."""
    task: str
    data: str
    split: Split
    items: int
    metrics: Mapping[str, float]
    seconds: float
    notes: tuple[str, ...] = ()
    """Sentences the reader should know: no test split, data that changed since the training."""
    pictures: tuple[str, ...] = ()
    """Names of the files in the folder that was asked for."""


def evaluate(
    target: str | Path | None = None,
    *,
    data: str | None = None,
    data_root: Path | None = None,
    split: Split | None = None,
    save: Path | None = None,
    overwrite: bool = False,
    device: str = "auto",
) -> Evaluation:
    """The metrics of a run, or of published weights; without a target, of the latest run.

    `data` defaults to what the run was trained on, and for weights to the task's embedded data; `split` to the test
    split, or to validation where there is none.  `save` is a new folder for metrics.json and pictures.
    """
    catalog = Catalog.discover()
    meant = find_target(str(target) if target is not None else None, catalog)
    trained = load_trained(meant, catalog)
    request = data_request(trained, catalog, data=data, root=data_root)
    return evaluate_trained(
        trained, catalog, request=request, split=split, save=save, overwrite=overwrite, device=device
    )


def data_request(trained: Trained, catalog: Catalog, *, data: str | None, root: Path | None) -> DataRequest:
    """What to measure on: what was asked for, else the run's own data, else the task's embedded ones."""
    if data is not None:
        return DataRequest(source=data, root=root)
    if trained.data is not None:
        return replace(trained.data, root=root or trained.data.root)
    default = catalog.task(trained.offer.spec.task).spec.default_data
    if not default:
        raise UsageError(f"the task {trained.task.name} has no embedded data", hint="name yours with --data")
    return DataRequest(source=default)


def evaluate_trained(
    trained: Trained,
    catalog: Catalog,
    *,
    request: DataRequest,
    split: Split | None = None,
    save: Path | None = None,
    overwrite: bool = False,
    device: str = "auto",
    checking: Progress = lambda _done, _total: None,
    measuring: Progress = lambda _done, _total: None,
) -> Evaluation:
    """As `evaluate`, for a model that is loaded already; `checking` and `measuring` hear how far it is."""
    task = trained.task
    card = task.check(task.detect(request), progress=checking)
    check_classes(trained, task.problem(card, trained.problem.input), source=request.source)
    chosen, notes = choose_split(card, split)
    if trained.run and request.source == trained.run.config.data and card.fingerprint != trained.run.data.fingerprint:
        notes = (*notes, f"{request.source} has changed since the run was trained on it")
    dataset = task.dataset(card, chosen, trained.problem)
    start = time.monotonic()
    metrics = task.metrics(trained.problem)
    values = _measure(trained, catalog, _Counted(dataset, measuring), metrics, device=device)
    result = Evaluation(
        model=trained.offer.full_name,
        task=task.name,
        data=request.source,
        split=chosen,
        items=len(dataset),
        metrics=values,
        seconds=round(time.monotonic() - start, 3),
        notes=(*trained.notes, *card.notes, *notes),
    )
    return result if save is None else _save(result, metrics, save, overwrite=overwrite)


def check_classes(trained: Trained, problem: Problem, *, source: str) -> None:
    """UsageError unless the data have the very classes that the model answers with."""
    known, found = trained.problem.classes, problem.classes
    if known == found:
        return
    raise UsageError(
        f"{trained.offer.bare_name} answers with {_few(known)}, but {source} has {_few(found)}",
        hint="name the data that it was trained for with --data, or train on these",
    )


def _few(classes: Sequence[str]) -> str:
    shown = ", ".join(classes[:SHOWN_CLASSES])
    return f"{len(classes)} classes ({shown}{', …' if len(classes) > SHOWN_CLASSES else ''})"


def choose_split(card: DataCard, wanted: Split | None) -> tuple[Split, tuple[str, ...]]:
    """The split to measure on, and what must be said about it."""
    if wanted is not None:
        if not card.splits.get(wanted):
            there = ", ".join(f"{name} ({number})" for name, number in card.counts().items() if number)
            raise UsageError(f"{card.source.request.source} has no {wanted} split", hint=f"it has {there}")
        return wanted, ()
    if card.splits.get("test"):
        return "test", ()
    note = f"{card.source.request.source} has no test split: measured on validation, which chose the checkpoint"
    return "validation", (note,)


def _measure(
    trained: Trained, catalog: Catalog, dataset: Dataset, metrics: Metrics, *, device: str
) -> dict[str, float]:
    trainer = catalog.make_trainer(trained.offer)
    declared = catalog.trainer(trained.offer.spec.trainer, owner=trained.offer.plugin.name).spec.options
    recipe = trained.run.config.recipe if trained.run else Recipe()
    with launch(device=choose_device(device), devices=1, precision="32") as engine:
        modules = trainer.modules(trained.model.to(engine.device), trained.problem)
        context = Context(
            modules={name: module.to(engine.device) for name, module in modules.items()},
            problem=trained.problem,
            recipe=recipe,
            options={**declared, **recipe.options},
            engine=engine,
            seed=0,
        )
        values = measure(context, trainer, dataset, metrics)
    assert values is not None  # nobody asked it to stop
    return values


@dataclass(slots=True)
class _Counted:
    """A dataset that tells how much of it was read."""

    dataset: Dataset
    progress: Progress
    done: int = field(default=0)

    def __len__(self) -> int:
        return len(self.dataset)

    def batch(self, indices: Sequence[int]) -> Batch:
        self.done += len(indices)
        self.progress(self.done, len(self.dataset))
        return self.dataset.batch(indices)

    def ready(self, batch: Batch) -> Batch:
        return self.dataset.ready(batch)


def _save(result: Evaluation, metrics: Metrics, folder: Path, *, overwrite: bool) -> Evaluation:
    pictures: list[str] = []

    def fill(place: Path) -> None:
        pictures.extend(sorted(path.name for path in metrics.pictures(place)))
        write_json(place / "metrics.json", {"schema": 1, **to_json(replace(result, pictures=tuple(pictures)))})

    write_directory(folder, fill, overwrite=overwrite)
    return replace(result, pictures=tuple(pictures))
