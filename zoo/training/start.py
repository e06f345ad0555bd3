"""A training from what somebody wants to its finished run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from torch import nn

from zoo.api.data import DataCard
from zoo.api.errors import UsageError
from zoo.api.problem import Problem
from zoo.models.build import silent
from zoo.models.weights.source import find_source, read_as
from zoo.registry.catalog import Catalog
from zoo.runs.run import Run
from zoo.runs.train_config import Freeze, OnBadSample, TrainConfig, TrainOptions
from zoo.training.build import build_training, starting_model
from zoo.training.engine.fabric import choose_device, choose_precision, launch, launched_processes
from zoo.training.events import Callback
from zoo.training.provenance import data_record, new_record
from zoo.training.request import Intent, check_data, intend
from zoo.training.run_training import Ended, finish

Say = Callable[[str], None]
"""Takes a sentence for the user."""


def begin(
    intent: Intent, card: DataCard, *, argv: Sequence[str] = (), callbacks: Sequence[Callback] = (), say: Say = print
) -> Ended:
    """Train from the first step."""
    problem = _as_the_weights_read(intent, intent.task.problem(card, intent.config.input))
    config = replace(intent.config, input=problem.input)
    model, started = starting_model(intent.catalog, intent.entry, config, problem)
    for note in (*card.notes, *(started.notes if started else ())):
        say(note)
    config = _on_this_machine(config, model, problem)
    with launch(device=config.device, devices=config.devices, precision=config.recipe.precision) as engine:  # type: ignore[arg-type]
        place = Path(engine.tell(str(intent.place)))
        training = build_training(
            config=config.settled(output=str(place)),
            catalog=intent.catalog,
            entry=intent.entry,
            task=intent.task,
            card=card,
            problem=problem,
            model=model,
            engine=engine,
        )
        run = Run(
            path=place,
            record=new_record(intent.entry, training.config, argv),
            config=training.config,
            data=data_record(card, problem),
        )
        if engine.leads:
            run = Run.create(place, record=run.record, config=run.config, data=run.data, overwrite=intent.overwrite)
            say(f"run {run.path}")
        engine.barrier()
        return finish(run, training, card, callbacks)


def train(
    model: str,
    *,
    data: str | Path | None = None,
    data_root: Path | None = None,
    weights: str | Path | None = None,
    freeze: Freeze | None = None,
    config: Path | None = None,
    output: Path | None = None,
    overwrite: bool = False,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    precision: Literal["auto", "32", "bf16", "16"] | None = None,
    patience: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    threads: int | None = None,
    max_steps: int | None = None,
    max_time: str | None = None,
    limit_train: int | None = None,
    on_bad_sample: OnBadSample | None = None,
    settings: Sequence[str] = (),
    callbacks: Sequence[Callback] = (),
    catalog: Catalog | None = None,
) -> Run:
    """The finished (or, after Ctrl-C, interrupted) run of a model on data; nothing is printed.

    `settings` are changes of the recipe, as in ("recipe.clip=1",); everything left out is chosen by the recipe.
    """
    options = TrainOptions(
        data=None if data is None else str(data),
        data_root=data_root,
        weights=None if weights is None else str(weights),
        freeze=freeze,
        config=config,
        output=output,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        precision=precision,
        patience=patience,
        seed=seed,
        device=device,
        threads=threads,
        max_steps=max_steps,
        max_time=max_time,
        limit_train=limit_train,
        on_bad_sample=on_bad_sample,
        settings=tuple(settings),
    )
    intent = intend(model, options, catalog=catalog or Catalog.discover(), overwrite=overwrite)
    card = check_data(intent, progress=silent)
    return begin(intent, card, argv=tuple(sys.argv), callbacks=callbacks, say=_ignore).run


def _ignore(text: str) -> None:
    """A sentence that nobody hears."""


def _as_the_weights_read(intent: Intent, problem: Problem) -> Problem:
    """The problem as the weights know it that are started from."""
    if not intent.config.weights:
        return problem
    source = find_source(intent.config.weights, intent.catalog, intent.entry)
    return read_as(problem, source)


def _on_this_machine(config: TrainConfig, model: nn.Module, problem: Problem) -> TrainConfig:
    """The config with device, processes and precision decided."""
    device = choose_device(config.device)
    side = problem.input.picture_side
    count = sum(parameter.numel() for parameter in model.parameters())
    precision = choose_precision(config.recipe.precision, device=device, parameters=count, side=side)
    devices = launched_processes() if launched_processes() > 1 else config.devices
    if config.recipe.batch_size % devices:
        raise UsageError(
            f"a batch of {config.recipe.batch_size} cannot be shared evenly by {devices} processes",
            hint="choose a --batch-size that they divide",
        )
    return replace(config, recipe=replace(config.recipe, precision=precision)).settled(device=device, devices=devices)
