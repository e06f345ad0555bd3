"""A training from its request to its finished run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from zoo.api.callback import Callback
from zoo.api.data import DataCard
from zoo.api.errors import UsageError
from zoo.api.problem import Problem
from zoo.models.build import silent
from zoo.models.device import choose_device
from zoo.models.target import check_model_name
from zoo.models.weights.source import read_as
from zoo.registry.catalog import Catalog
from zoo.runs.known_runs import remember_run
from zoo.runs.lock import holding
from zoo.runs.replacement import make_place, take_place, training_place
from zoo.runs.run import Run
from zoo.runs.train_config import TrainConfig
from zoo.runs.train_options import (
    AUTO,
    AugmentPolicy,
    ClassWeights,
    Freeze,
    OnBadSample,
    Precision,
    Sampling,
    TrainOptions,
)
from zoo.training.advice.finetuning import finetuning_offer
from zoo.training.engine.fabric import Engine, choose_precision, launch
from zoo.training.engine.place import processes
from zoo.training.engine.threads import restored_torch
from zoo.training.launch.build import build_training, rehearsal_of, starting_model
from zoo.training.launch.find_lr import RangeTest, range_test
from zoo.training.launch.fitting_batch import fit_batch
from zoo.training.launch.memory import memory_errors
from zoo.training.launch.provenance import data_record, new_record
from zoo.training.launch.rehearsal import Rehearsal, check_room, rehearse, saved_bytes
from zoo.training.launch.request import TrainingRequest, check_data, choice_sentences, resolve_training, suit_to_data
from zoo.training.launch.run_training import Ended, finish
from zoo.training.loop.components import Training
from zoo.training.recipe.batch_norm import without_idle_choice

Say = Callable[[str], None]
"""Called with a sentence for the user."""


def begin(
    request: TrainingRequest,
    card: DataCard,
    *,
    argv: Sequence[str] = (),
    callbacks: Sequence[Callback] = (),
    say: Say = print,
) -> Ended:
    """Train from the first step."""
    prepared = _prepare(request, card)
    request, config = prepared.request, prepared.request.config
    for sentence in (*prepared.notes, *finetuning_offer(request)):
        say(sentence)
    with _launch(config) as engine:
        output = Path(engine.tell(str(request.output)))  # its letters are random: all processes take the first one's
        place = Path(engine.tell(str(training_place(output, overwrite=request.overwrite) if engine.leads else "")))
        config = _fitting(prepared, card, engine) if request.options.batch_size == AUTO else config
        for sentence in choice_sentences(config) if config != prepared.request.config else ():
            if sentence not in prepared.notes:
                say(sentence)
        request = replace(request, config=config.settled(output=str(output)))
        with memory_errors(request.config, "before the first step"):
            training = build_training(request, card=card, problem=prepared.problem, model=prepared.model, engine=engine)
        run = Run(
            path=place,
            record=new_record(request.entry, training.config, argv, replaces=output.name if place != output else ""),
            config=training.config,
            data=data_record(card, prepared.problem),
        )
        if engine.leads:
            needed = saved_bytes(training)
            free = check_room(place, needed)
            make_place(place, output)
            run = Run.create(place, record=run.record, config=run.config, data=run.data, overwrite=request.overwrite)
            remember_run(run.path)
            say(f"run {run.path}" + (f"; it replaces {output} when it has finished" if place != output else ""))
            say(
                f"disk: up to {needed.at_once / 1e6:,.1f} MB for the checkpoints, "
                f"about {needed.at_the_end / 1e6:,.1f} MB at the end; {free / 1e6:,.0f} MB are free"
            )
        engine.barrier()
        with holding(run.path) if engine.leads else nullcontext():
            ended = finish(run, training, card, callbacks, entry=request.entry, catalog=request.catalog)
        return in_its_place(ended) if engine.leads else ended


def _fitting(prepared: _Prepared, card: DataCard, engine: Engine) -> TrainConfig:
    """The config with a batch of which a step fits into memory."""
    if engine.world > 1:
        raise UsageError("--batch-size auto is for one process", hint="name the batch size, over all processes")

    def trial(config: TrainConfig) -> tuple[Training, TrainingRequest]:
        request = replace(prepared.request, config=config.settled(threads=config.threads or 1, workers=0))
        built = build_training(request, card=card, problem=prepared.problem, model=prepared.model, engine=engine)
        return built, request

    config = prepared.request.config
    items = trial(config)[0].plan.items
    return fit_batch(config, lambda smaller: rehearsal_of(*trial(smaller))(), items=items)


def in_its_place(ended: Ended) -> Ended:
    """A training that finished, its run at the place of the one that it replaces."""
    return replace(ended, run=take_place(ended.run)) if ended.outcome.status == "finished" else ended


@restored_torch()
def dry_run(request: TrainingRequest, card: DataCard, *, say: Say = print) -> Rehearsal:
    """One step of the training, on a copy of the model, with all that is checked before it; nothing is written."""
    prepared = _prepare(request, card)
    config = prepared.request.config
    for sentence in (*prepared.notes, *finetuning_offer(prepared.request)):
        say(sentence)
    alone = launch(device=config.device, devices=1, precision=config.recipe.precision, alone=True)  # type: ignore[arg-type]
    with memory_errors(config, "before the first step"), alone as engine:
        training = build_training(
            prepared.request, card=card, problem=prepared.problem, model=prepared.model, engine=engine
        )
        return rehearse(training, rehearsal_of(training, prepared.request, planned=True), request.output)


@restored_torch()
def find_lr(request: TrainingRequest, card: DataCard, *, say: Say = print) -> RangeTest:
    """The loss at rising learning rates, on a copy of the model; nothing is written."""
    prepared = _prepare(request, card)
    config = prepared.request.config
    for sentence in prepared.notes:
        say(sentence)
    alone = launch(device=config.device, devices=1, precision=config.recipe.precision, alone=True)  # type: ignore[arg-type]
    with memory_errors(config, "in the learning-rate test"), alone as engine:
        training = build_training(
            prepared.request, card=card, problem=prepared.problem, model=prepared.model, engine=engine
        )
        return range_test(training)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A request with its model, before anything is launched."""

    request: TrainingRequest
    problem: Problem
    model: nn.Module
    notes: tuple[str, ...]
    """Sentences for the user: on the weights, on what was chosen."""


def _prepare(request: TrainingRequest, card: DataCard) -> _Prepared:
    problem = request.task.problem(card, request.config.input)
    if request.weights:
        problem = read_as(problem, request.weights)
    request = replace(request, config=replace(request.config, input=problem.input))
    model, started = starting_model(request, problem)
    config = without_idle_choice(_on_this_machine(request, model, problem), model)
    notes = (*(started.notes if started else ()), *choice_sentences(config))
    return _Prepared(request=replace(request, config=config), problem=problem, model=model, notes=notes)


def _launch(config: TrainConfig) -> AbstractContextManager[Engine]:
    return launch(device=config.device, devices=config.devices, precision=config.recipe.precision)  # type: ignore[arg-type]


def train(
    model: str | None = None,
    *,
    data: str | Path | None = None,
    data_root: Path | None = None,
    train: str | None = None,
    validation: str | None = None,
    test: str | None = None,
    ratios: str | None = None,
    format: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    encoding: str | None = None,
    weights: str | Path | None = None,
    pretrained: bool = False,
    trainer: str | None = None,
    freeze: Freeze | None = None,
    teacher: str | Path | None = None,
    layer_decay: float | None = None,
    mixup: float | None = None,
    cutmix: float | None = None,
    augment_policy: AugmentPolicy | None = None,
    sampling: Sampling | None = None,
    class_weights: ClassWeights | None = None,
    epochs: int | None = None,
    batch_size: int | str | None = None,
    lr: float | None = None,
    input_size: int | str | None = None,
    seed: int | None = None,
    device: str | None = None,
    output: Path | None = None,
    overwrite: bool = False,
    config: Path | None = None,
    settings: Sequence[str] = (),
    precision: Precision | None = None,
    compile: bool = False,
    devices: int | None = None,
    threads: int | None = None,
    workers: int | None = None,
    patience: int | None = None,
    max_steps: int | None = None,
    stop_after: int | None = None,
    max_time: str | None = None,
    save_every: str | None = None,
    limit_train: int | None = None,
    callbacks: Sequence[str | Callback] = (),
    on_bad_sample: OnBadSample | None = None,
    catalog: Catalog | None = None,
) -> Run:
    """The finished (or, after Ctrl-C, interrupted) run of a model on data; nothing is printed.

    The parameters are the options of `zoo train`, described in docs/training.md; what is left out is chosen by the
    model's recipe, by `config`, or by measuring this machine.  `model` may be left out where `config` names it.
    `settings` change the recipe: ("recipe.clip=1",).  `callbacks` are names ("mlflow") or objects of a
    subclass of `zoo.Callback`.
    UsageError for options that cannot be used, DataError for data that cannot be trained on, Diverged when the loss
    becomes NaN or infinite.

    Args:
        model: A model's name, bare or full; a family's name takes the member that suits the data.
        data: Embedded data by name, a path, or as in torchvision:CIFAR10.
        data_root: The folder where named datasets are kept.
        train: The part of --data to learn from, where names do not tell: a folder or file in it.
        validation: The part to validate on.
        test: The part to test on.
        ratios: Shares of train, validation and test: 0.8,0.1,0.1.
        format: Read --data as this format.
        text_column: The column of texts in a table: its name, or its number from 1.
        label_column: The column of labels in a table.
        encoding: What files of text are in, where it is not UTF-8 or UTF-16: cp1252, gb18030.
        weights: Start from a tag, a run, a .safetensors or .pth file, or what the model finds by itself: hf:ID.
        pretrained: --weights of the model's default tag.
        trainer: Any trainer of the model's task instead of the model's own.
        freeze: backbone: only the head learns.
        teacher: Learn from its answers, too: a run, or weights as in resnet50@imagenet1k_v2.
        layer_decay: Factor of the learning rate from each layer to the one before it.
        mixup: Mix pictures in pairs: alpha, as in 0.2.
        cutmix: Put a part of another picture in: alpha, as in 1.
        augment_policy: A published list of random changes of pictures.
        sampling: balanced: every class equally often, with repeats.
        class_weights: balanced: rare classes count more in the loss.
        epochs: How many times training goes through the data.
        batch_size: Items in a batch, over all devices; auto: the recipe's, halved until a step fits into memory.
        lr: The highest learning rate.
        input_size: Pixels that pictures are brought to: 64, or height and width as in 96x128.
        seed: Of the parameters, the order of the data, and the augmentation.
        device: cpu, cuda, mps or auto.
        output: The run's directory; by default below runs/.
        overwrite: Replace the run that is there once the new one has finished.
        config: A run, or its config.json, to replay.
        settings: Changes of the recipe: ("recipe.clip=1",).
        precision: Number format of the forward pass; auto suits the device.
        compile: Let PyTorch compile the model at the first step: for long trainings; needs g++.
        devices: Processes on this machine, one for each device.
        threads: CPU threads of each process; measured if left out.
        workers: Threads that read data ahead; measured if left out.
        patience: Stop after this many epochs without a better score.
        max_steps: Stop after this many batches.
        stop_after: Stop after this many batches, with the learning rates of the whole training.
        max_time: Stop after this time: 55s, 10min or 2h.
        save_every: Save within an epoch, too: 5min or 500steps; every 10min if left out.
        limit_train: Use only this many training items.
        callbacks: Names, or objects of a subclass of `zoo.Callback`.
        on_bad_sample: skip: leave out samples that cannot be read, at most 1 %.
        catalog: The plugins; those that are installed if left out.

    Returns:
        The run: its directory, record, config and metrics; `run.status` is "finished" or "interrupted".

    Raises:
        UsageError: An option cannot be used.
        DataError: The data cannot be trained on; `problems` lists why.
        Diverged: The loss became NaN or infinite.
        OutputExists: `output` is there, without `overwrite`.

    Examples:
        >>> run = zoo.train("cnn", data="digits", epochs=1, limit_train=64, output=Path("trained"))
        >>> run.status
        'finished'
    """
    check_model_name(model)
    options = TrainOptions(
        data=data,
        data_root=data_root,
        train=train,
        validation=validation,
        test=test,
        ratios=ratios,
        format=format,
        text_column=text_column,
        label_column=label_column,
        encoding=encoding,
        weights=weights,
        pretrained=pretrained,
        trainer=trainer,
        freeze=freeze,
        teacher=teacher,
        layer_decay=layer_decay,
        mixup=mixup,
        cutmix=cutmix,
        augment_policy=augment_policy,
        sampling=sampling,
        class_weights=class_weights,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        input_size=input_size,
        seed=seed,
        device=device,
        output=output,
        overwrite=overwrite,
        config=config,
        settings=tuple(settings),
        precision=precision,
        compile=compile,
        devices=devices,
        threads=threads,
        workers=workers,
        patience=patience,
        max_steps=max_steps,
        stop_after=stop_after,
        max_time=max_time,
        save_every=save_every,
        limit_train=limit_train,
        on_bad_sample=on_bad_sample,
        callbacks=tuple(callback for callback in callbacks if isinstance(callback, str)),
    )
    request = resolve_training(model, options, catalog=catalog or Catalog.discover())
    choose_device(request.config.device)  # one that this machine lacks is refused before the data are checked
    card = check_data(request, progress=silent)
    request = suit_to_data(request, card)
    own = [callback for callback in callbacks if not isinstance(callback, str)]
    return begin(request, card, argv=tuple(sys.argv), callbacks=own, say=_ignore).run


def _ignore(text: str) -> None:
    """A sentence that is not printed."""


def _on_this_machine(request: TrainingRequest, model: nn.Module, problem: Problem) -> TrainConfig:
    """The config with device, processes and precision decided."""
    config = request.config
    device = choose_device(config.device)
    side = problem.input.picture_side
    count = sum(parameter.numel() for parameter in model.parameters())
    precision = choose_precision(config.recipe.precision, device=device, parameters=count, side=side)
    devices = processes(config, asked=request.options.devices)
    return replace(config, recipe=replace(config.recipe, precision=precision)).settled(device=device, devices=devices)
