"""Models as torch modules: built from their specs for a problem, with trained parameters where asked.  [torch]"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import nn

from zoo.api.data import DataRequest
from zoo.api.errors import PluginError, UsageError, ZooError, describe_error
from zoo.api.problem import Problem
from zoo.api.specs import ModelSpec
from zoo.models.weights.source import WeightsSource, find_source, published_source, read_as
from zoo.models.weights.start import start_from
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry


def create_model(
    name: str,
    *,
    problem: Problem | None = None,
    num_classes: int | None = None,
    weights: str | None = None,
    seed: int | None = None,
) -> nn.Module:
    """A model by name, in training mode, built for a problem or for so many classes.

    `weights` is a tag, a run directory or a .safetensors file; "resnet18@imagenet1k_v1" says both at once.  Where the
    classes are not those of the weights, the head is new.  Without a problem and a number, the classes are those of
    the weights, else those that the model was published with, else those of its task's embedded data.
    The same `seed` gives the same parameters; torch's own random state is left as it was.
    """
    bare, _, tag = name.partition("@")
    if tag and weights:
        raise UsageError(f"{name!r} names weights, and weights={weights!r} too", hint="say one of them")
    catalog = Catalog.discover()
    entry = catalog.model(bare)
    start = f"{entry.full_name}@{tag}" if tag else weights
    source = find_source(start, catalog, entry) if start else None
    made_for = problem or _problem(catalog, entry, source, num_classes)
    if num_classes not in (None, len(made_for.classes)):
        raise UsageError(f"the problem has {len(made_for.classes)} classes, and num_classes={num_classes}")
    model = build(catalog, entry, made_for, seed=seed)
    if source:
        start_from(source, model, catalog=catalog, entry=entry, problem=made_for, progress=silent)
    return model


def build(catalog: Catalog, entry: RegistryEntry[ModelSpec], problem: Problem, *, seed: int | None = None) -> nn.Module:
    """The architecture with random parameters, drawn from `seed` where one is given; PluginError when it fails."""
    keywords = _keywords(entry, problem)
    builder = catalog.load(entry, entry.spec.builder)
    if not callable(builder):
        raise PluginError(f"{entry.spec.builder!r}, the builder of {entry.full_name}, is not callable")
    try:
        with seeded(seed):
            model = builder(**keywords)
    except ZooError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"the {entry.plugin.title} could not build {entry.full_name} with {_spoken(keywords)}: "
            f"{describe_error(error)}"
        ) from error
    if not isinstance(model, nn.Module):
        raise PluginError(
            f"the {entry.plugin.title} built {entry.full_name} as a {type(model).__name__}, not as a torch.nn.Module"
        )
    return model


def _keywords(entry: RegistryEntry[ModelSpec], problem: Problem) -> dict[str, object]:
    try:
        return problem.keywords(entry.spec.needs)
    except UsageError as error:
        if not entry.spec.from_weights:
            raise
        raise UsageError(
            f"{entry.full_name} is built from weights alone: {entry.spec.from_weights}",
            hint=f"zoo train {entry.bare_name} --weights ...",
        ) from error


def default_problem(catalog: Catalog, entry: RegistryEntry[ModelSpec]) -> Problem:
    """The problem of a model that nobody brought data for.

    The classes of its first published weights that name any, else what its task's embedded data say.
    """
    for weights in catalog.weights(entry.full_name):
        if weights.spec.classes:
            return weights_problem(catalog, entry, published_source(catalog, weights, entry))
    task = catalog.task(entry.spec.task)
    if not task.spec.default_data:
        raise UsageError(f"{entry.full_name} needs a problem to be built for: {task.full_name} has no embedded data")
    made = catalog.make_task(task.full_name)
    card = made.data.check(made.data.detect(DataRequest(source=task.spec.default_data)), progress=silent)
    return made.problem(card, entry.spec.input)


def weights_problem(catalog: Catalog, entry: RegistryEntry[ModelSpec], source: WeightsSource) -> Problem:
    """The problem that published weights were trained for; UsageError where they do not say it."""
    if "num_classes" in entry.spec.needs and not source.classes:
        raise UsageError(
            f"{source.name} names no classes, so it cannot answer by itself",
            hint=f"train with it: zoo train {entry.bare_name} --weights {source.name} --data ...",
        )
    task = catalog.make_task(entry.spec.task).name
    if "vocabulary_size" in entry.spec.needs and not source.vocabulary:
        raise UsageError(f"{source.name} names no vocabulary, so it cannot answer by itself")
    return Problem(
        task=task,
        input=source.input or entry.spec.input,
        classes=source.classes,
        vocabulary=source.vocabulary,
        facts=source.facts,
    )


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


def _problem(
    catalog: Catalog, entry: RegistryEntry[ModelSpec], source: WeightsSource | None, num_classes: int | None
) -> Problem:
    input = (source and source.input) or entry.spec.input
    if num_classes is not None:
        if num_classes < 1:
            raise UsageError(f"num_classes is {num_classes}; it must be at least 1")
        if source and len(source.classes) == num_classes:
            return weights_problem(catalog, entry, source)
        classes = tuple(str(index) for index in range(num_classes))
        made = Problem(task=catalog.make_task(entry.spec.task).name, input=input, classes=classes)
        return read_as(made, source) if source else made
    if source and source.classes:
        return weights_problem(catalog, entry, source)
    made = replace(default_problem(catalog, entry), input=input)
    return read_as(made, source) if source else made


@contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """What is drawn inside depends on the seed alone, torch's own random state stays as it was; None does nothing."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _spoken(keywords: dict[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in keywords.items()) or "no arguments"
