"""Models as torch modules: built from their specs for a problem, with trained parameters where asked.  [torch]"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin

from zoo.api.data import DataRequest
from zoo.api.errors import PluginError, UsageError, ZooError, describe_error
from zoo.api.problem import Problem
from zoo.api.specs import ModelSpec
from zoo.models.weights.source import WeightsSource, default_weights, described_weights
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry


def build(
    catalog: Catalog,
    entry: RegistryEntry[ModelSpec],
    problem: Problem,
    *,
    seed: int | None = None,
    options: Mapping[str, object] | None = None,
) -> nn.Module:
    """The architecture with random parameters, drawn from `seed` where one is given; PluginError when it fails.

    `options` are further keywords that this builder takes (see `takes`).
    """
    keywords = {**_keywords(entry, problem), **(options or {})}
    builder = _builder(catalog, entry)
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
    lazy = [path for path, part in model.named_modules() if _is_lazy(part)]
    if lazy:
        raise PluginError(
            f"the {entry.plugin.title} built {entry.full_name} with layers that do not know their sizes yet: "
            f"{', '.join(lazy[:4])}{' …' if len(lazy) > 4 else ''}",
            hint="give the sizes (nn.Linear(in_features, ...)), or let the builder run the model once on zeros",
        )
    return model


def takes(catalog: Catalog, entry: RegistryEntry[ModelSpec], keyword: str) -> bool:
    """Whether the model's builder itself takes this keyword of `create_model`."""
    return keyword in inspect.signature(_builder(catalog, entry)).parameters


def _builder(catalog: Catalog, entry: RegistryEntry[ModelSpec]) -> Callable[..., object]:
    builder = catalog.load(entry, entry.spec.builder)
    if not callable(builder):
        raise PluginError(f"{entry.spec.builder!r}, the builder of {entry.full_name}, is not callable")
    return builder


def _is_lazy(part: nn.Module) -> bool:
    """Whether a layer waits for its first input to make its parameters or buffers."""
    return isinstance(part, LazyModuleMixin) and part.has_uninitialized_params()


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

    The classes of its default weights, where they name any, else what its task's embedded data say.
    """
    weights = default_weights(catalog, entry)
    if weights is not None and weights.spec.classes:
        return weights_problem(catalog, entry, described_weights(catalog, weights, entry))
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
