"""A trained model measured on data: the task's metrics over one split, the test data where there are any."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.data import DataCard, DataRequest, Split
from zoo.api.errors import UsageError
from zoo.api.problem import Problem
from zoo.api.recipe import Recipe
from zoo.api.specs import ModelSpec
from zoo.api.task import Dataset, Metrics, Progress
from zoo.bundle.evaluate import evaluate_bundle
from zoo.models.build import silent, weights_problem
from zoo.models.device import choose_device
from zoo.models.load import Trained, load_trained
from zoo.models.target import BundleTarget, RunTarget, TargetRequest, WeightsTarget, resolve_target, target_text
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.evaluation_result import (
    Evaluation,
    check_classes,
    check_save_folder,
    choose_split,
    recorded,
    save_measured,
)
from zoo.runs.run import Run
from zoo.training.engine.fabric import launch
from zoo.training.engine.threads import idle_cores, restored_torch, use_cores
from zoo.training.loop.context import Context
from zoo.training.loop.split_metrics import calibration_errors, intervals, measure

if TYPE_CHECKING:
    from zoo.api.task import Batch


def evaluate(
    target: str | Path | None = None,
    *,
    data: str | None = None,
    data_root: Path | None = None,
    encoding: str = "",
    split: Split | None = None,
    save: Path | None = None,
    overwrite: bool = False,
    device: str = "auto",
) -> Evaluation:
    """The metrics of a run, of published weights or of a bundle; without a target, of the latest run.

    `data` defaults to what the run was trained on, and for weights to the task's embedded data; `encoding` is what
    their files of text are in, as in cp1252; `split` defaults to the test split, or to validation where there is none.
    `save` is a new folder for metrics.json and pictures.

    Args:
        target: A run, weights as in "cnn@digits", or a bundle.
        data: Other data of the same classes.
        data_root: The folder where named datasets are kept.
        encoding: Of files of text that are not UTF-8.
        split: "train", "validation" or "test".
        save: A new folder for metrics.json and pictures.
        overwrite: Replace that folder.
        device: "cpu", "cuda", "mps" or "auto"; a bundle is always run on the CPU.

    Returns:
        The metrics by name, as shares of 1 or in the unit of the task, and how many items they are of.

    Raises:
        UnknownName: There is no such target.
        DataError: The data are missing or cannot be read.
        OutputExists: `save` is there, without `overwrite`.

    Examples:
        >>> zoo.evaluate("cnn@digits").metrics["top1"] > 0.98
        True
    """
    request = resolve_target(target_text(target) if target is not None else None, device=device)
    return evaluate_target(
        request, data=data, data_root=data_root, encoding=encoding, split=split, save=save, overwrite=overwrite
    )


@restored_torch()
def evaluate_target(
    request: TargetRequest,
    *,
    data: str | None = None,
    data_root: Path | None = None,
    encoding: str = "",
    split: Split | None = None,
    save: Path | None = None,
    overwrite: bool = False,
    trained: Trained | None = None,
    checking: Progress = silent,
    fetching: Progress = silent,
    measuring: Progress = silent,
) -> Evaluation:
    """As `evaluate`; the three progresses are called with how much of each part is done.

    Whoever has loaded the target's model already, and perhaps changed its parameters, hands it over as `trained`.

    The data are looked at before any weights are fetched, so that data of another problem are refused at once.
    """
    target, catalog = request.target, request.catalog
    if isinstance(target, BundleTarget):
        return evaluate_bundle(
            target.path,
            catalog,
            data=data,
            data_root=data_root,
            encoding=encoding,
            split=split,
            save=save,
            overwrite=overwrite,
            checking=checking,
            measuring=measuring,
        )
    check_save_folder(save, overwrite=overwrite)
    if trained is None and isinstance(target, RunTarget) and target.whole is not None:
        trained = load_trained(target, catalog)  # the problem of a part comes with its parameters
    subject = _subject(request, trained)
    data_request = subject.data_request(data, data_root, encoding)
    task = catalog.make_task(subject.problem.task)
    card = task.data.check(task.data.detect(data_request), progress=checking)
    classes = task.problem(card, subject.problem.input).classes
    check_classes(subject.model.bare_name, subject.problem.classes, source=data_request.source, found=classes)
    chosen, notes = choose_split(card, split, own=subject.learnt(card, named=data is not None))
    trained = trained or load_trained(target, catalog, progress=fetching)
    dataset = task.tensors.dataset(card, chosen, trained.problem)
    metrics = task.tensors.metrics(trained.problem)
    use_cores(idle_cores())
    start = time.monotonic()
    values = measure_trained(trained, catalog, _Counted(dataset, measuring), metrics, device=request.device)
    result = Evaluation(
        model=trained.entry.full_name,
        task=task.name,
        data=data_request.source,
        split=chosen,
        items=len(dataset),
        metrics=recorded(values),
        seconds=round(time.monotonic() - start, 3),
        intervals={name.partition("/")[2]: ends for name, ends in intervals({chosen: metrics}).items()},
        calibration_error=calibration_errors({chosen: metrics}).get(chosen),
        notes=(*trained.notes, *card.notes, *notes, *subject.changed(card)),
    )
    return result if save is None else save_measured(result, metrics.pictures, save, overwrite=overwrite)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What is measured, known before its parameters are loaded."""

    model: RegistryEntry[ModelSpec]
    problem: Problem
    default_data: str
    run: Run | None = None

    def data_request(self, data: str | None, root: Path | None, encoding: str) -> DataRequest:
        """What to measure on: what was asked for, else the run's own data, else the task's embedded ones."""
        if data is None and self.run is not None:
            own = self.run.config.request
            return replace(own, root=root or own.root, encoding=encoding or own.encoding)
        if not data and not self.default_data:
            raise UsageError(f"the task {self.problem.task} has no embedded data", hint="name yours with --data")
        return DataRequest(source=data or self.default_data, root=root, encoding=encoding)

    def learnt(self, card: DataCard, *, named: bool) -> bool:
        """Whether these are the data of its training, as far as that is known."""
        return not named if self.run is None else card.has_fingerprint(self.run.data.fingerprint)

    def changed(self, card: DataCard) -> tuple[str, ...]:
        """A sentence when the run's own data are not what they were."""
        run, source = self.run, card.source.request.source
        if run is None or source != run.config.data or card.has_fingerprint(run.data.fingerprint):
            return ()
        then, here = run.record.versions.get("edgezoo"), version("edgezoo")
        other_zoo = "" if then in (None, here) else f", or zoo {then} divided or read it otherwise than zoo {here}"
        return (f"{source} has changed since the run was trained on it{other_zoo}",)


def _subject(request: TargetRequest, trained: Trained | None) -> _Subject:
    """What is known of the target; of a part of a run, by its loaded model."""
    target, catalog = request.target, request.catalog
    match target:
        case RunTarget(model=model, run=run, whole=whole):
            problem = trained.problem if trained is not None and whole is not None else run.problem
            return _Subject(model=model, problem=problem, default_data=_embedded(model, catalog), run=run)
        case WeightsTarget(model=model, source=source):
            problem = weights_problem(catalog, model, source)
            return _Subject(model=model, problem=problem, default_data=_embedded(model, catalog))
    raise UsageError(
        "only runs, bundles and published weights are measured", hint="name a run, or weights (cnn@digits)"
    )


def _embedded(model: RegistryEntry[ModelSpec], catalog: Catalog) -> str:
    return catalog.task(model.spec.task).spec.default_data


def measure_trained(
    trained: Trained, catalog: Catalog, dataset: Dataset, metrics: Metrics, *, device: str
) -> dict[str, float]:
    """The metrics of a dataset as the model's own trainer measures them, on the raw head."""
    trainer = catalog.make_trainer(trained.entry)
    declared = catalog.trainer_of(trained.entry).spec.options
    recipe = trained.run.config.recipe if trained.run else Recipe()
    with launch(device=choose_device(device), devices=1, precision="32", alone=True) as engine:
        modules = trainer.modules(trained.model.to(engine.device), trained.problem)
        context = Context(
            modules={name: module.to(engine.device) for name, module in modules.items()},
            problem=trained.problem,
            recipe=recipe,
            options={**declared, **recipe.options},
            engine=engine,
            seed=0,
        )
        return measure(context, trainer, dataset, metrics)


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
