"""`zoo.create_model`: a network by name, as users of torch and timm expect one.  [torch]"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.api.data import counted
from zoo.api.errors import UsageError
from zoo.api.parts import Task
from zoo.api.problem import ImageInput, Problem
from zoo.api.specs import ModelSpec
from zoo.models.build import build, default_problem, seeded, silent, takes, weights_problem
from zoo.models.preprocessing import BUILT, Built
from zoo.models.target import check_model_name
from zoo.models.variants import feature_maps, read_channels, with_channels, with_dropout, with_pool, without_head
from zoo.models.weights.source import WeightsSource, default_weights, find_source, named_by_source, read_as
from zoo.models.weights.start import start_from
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry


def create_model(
    name: str,
    *,
    problem: Problem | None = None,
    num_classes: int | None = None,
    weights: str | Path | None = None,
    pretrained: bool = False,
    in_chans: int | None = None,
    drop_rate: float | None = None,
    features_only: bool = False,
    global_pool: str | None = None,
    seed: int | None = None,
) -> nn.Module:
    """A model by name, in training mode, built for a problem or for so many classes.

    `weights` is a tag, a run directory or a file with parameters; "resnet18@imagenet1k_v1" says both at once, and
    `pretrained` means the model's default tag.  Where the classes are not those of the weights, the head is new.
    Without a problem and a number, the classes are those of the weights, else those that the model was published with,
    else those of its task's embedded data.  The same `seed` gives the same parameters; torch's own random state is left
    as it was.

    `num_classes=0` takes the head off: the model gives float32 [n, `model.num_features`].  `in_chans` is the number of
    channels of a picture; weights for another number are adapted.  `drop_rate` is that of every dropout layer,
    `global_pool` how the last maps become one vector ("avg", "max"; timm's networks know more).  With `features_only`
    the model is a `FeatureMaps`, which gives a list of maps.  UsageError where the architecture does
    not have what is asked for.

    Args:
        name: A model, bare or full, or model@tag: "resnet18", "timm/resnet18", "resnet18@imagenet1k_v1".
        problem: All facts of the data at once, instead of `num_classes`.
        num_classes: The size of the new head; 0 takes the head off.
        weights: A tag, a run, or a file with parameters.
        pretrained: As the model's default tag for `weights`.
        in_chans: Channels of the pictures, 1 or 3 as a rule.
        drop_rate: 0 to 1, for every dropout layer.
        features_only: Give feature maps instead of scores.
        global_pool: How the last maps become one vector.
        seed: Of the random parameters; None takes them from torch's own state.

    Returns:
        A module in training mode. Pictures go in as float32 [batch, channels, height, width], normalised as
        `preprocessing` does; classifiers give logits, float32 [batch, classes].

    Raises:
        UnknownName: No plugin offers the name.
        UsageError: The architecture does not have what is asked for.
        MissingExtra: A library that the model needs is not installed.

    Examples:
        >>> model = zoo.create_model("resnet18", num_classes=5, seed=0)
        >>> model(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 5])
    """
    check_model_name(name)
    catalog = Catalog.discover()
    if both := named_by_source(name, catalog):
        name, weights = both[0].full_name, name if weights is None else weights
    _check(num_classes, least=0, name="num_classes")
    _check(in_chans, least=1, name="in_chans")
    bare, _, tag = name.partition("@")
    for keyword, given in (("weights", weights), ("pretrained", pretrained)):
        if given and (tag or (keyword == "pretrained" and weights)):
            named = repr(name) if tag else f"weights={weights!r}"
            raise UsageError(f"{named} names weights, and {keyword}={given!r} too", hint="say one of them")
    entry = catalog.usable_model(bare)
    source = _source(catalog, entry, tag=tag, weights=weights, pretrained=pretrained)
    made_for = problem or _problem(catalog, entry, source, num_classes or None)
    if problem and num_classes not in (None, 0, len(problem.classes)):
        raise UsageError(
            f"the problem has {counted(len(problem.classes), 'class', 'classes')}, and num_classes={num_classes}"
        )
    free = in_chans is not None and source is None and problem is None
    made_for = _with_channels(made_for, in_chans) if free and _takes_any(entry) else made_for
    options = {"global_pool": global_pool} if global_pool is not None and takes(catalog, entry, "global_pool") else {}
    model = build(catalog, entry, made_for, seed=seed, options=options)
    if global_pool is not None and not options:
        with seeded(seed):
            with_pool(model, global_pool, classes=len(made_for.classes), name=entry.full_name)
    if source:
        start_from(source, model, catalog=catalog, entry=entry, problem=made_for, progress=silent)
    if in_chans is not None and in_chans != made_for.image.channels:
        if takes(catalog, entry, "in_chans"):
            wide = build(catalog, entry, made_for, seed=seed, options={"in_chans": in_chans, **options})
            example = torch.zeros(1, in_chans, *made_for.image.size)
            model = read_channels(wide, model if source else None, example=example, name=entry.full_name)
        else:
            with_channels(model, given=made_for.image.channels, wanted=in_chans, name=entry.full_name)
        made_for = _with_channels(made_for, in_chans)
    model = _varied(
        model, catalog, entry, made_for, headless=num_classes == 0, drop_rate=drop_rate, features_only=features_only
    )
    BUILT[model] = Built(name=entry.full_name, task=catalog.make_task(entry.spec.task), problem=made_for)
    return model


def _varied(
    model: nn.Module,
    catalog: Catalog,
    entry: RegistryEntry[ModelSpec],
    problem: Problem,
    *,
    headless: bool,
    drop_rate: float | None,
    features_only: bool,
) -> nn.Module:
    """The network with what was asked for changed."""
    name = entry.full_name
    if drop_rate is not None:
        with_dropout(model, drop_rate, name=name)
    if features_only and headless:
        raise UsageError("features_only gives maps, and num_classes=0 one vector of features", hint="say one of them")
    if not features_only and not headless:
        return model
    if features_only and entry.spec.features:
        own: Callable[[nn.Module, Problem], nn.Module] = catalog.load(entry, entry.spec.features)  # type: ignore[assignment]
        return own(model, problem)
    example = example_inputs(catalog.make_task(entry.spec.task), problem)
    if features_only:
        return feature_maps(model, example=example, name=name)
    count = without_head(model, entry.spec.head, classes=len(problem.classes), example=example, name=name)
    object.__setattr__(model, "num_features", count)  # as users of timm read it
    return model


def example_inputs(task: Task, problem: Problem) -> list[Tensor]:
    """An input of the usual size: zeros, and ones where whole numbers are read, as lengths are."""
    image = problem.input
    if isinstance(image, ImageInput) and not image.noise:  # a detector's adapter alone knows its signature
        return [torch.zeros(1, image.channels, *image.size)]
    inputs = []
    for port in task.model_signature(problem).inputs:
        shape = [size if isinstance(size, int) else 1 for size in port.shape]
        dtype = getattr(torch, port.dtype)
        inputs.append(torch.zeros(shape, dtype=dtype) if dtype.is_floating_point else torch.ones(shape, dtype=dtype))
    return inputs


def _source(
    catalog: Catalog, entry: RegistryEntry[ModelSpec], *, tag: str, weights: str | Path | None, pretrained: bool
) -> WeightsSource | None:
    """The weights to begin with; UsageError where pretrained ones are asked for and none are published."""
    if pretrained:
        default = default_weights(catalog, entry)
        if default is None:
            raise UsageError(
                f"no weights are published for {entry.full_name}", hint="leave out pretrained, or name yours as weights"
            )
        return find_source(default.full_name, catalog, entry)
    start = f"{entry.full_name}@{tag}" if tag else str(weights) if weights else None
    return find_source(start, catalog, entry) if start else None


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
        made = (
            Problem(task=catalog.make_task(entry.spec.task).name, input=input, classes=classes)
            if isinstance(input, ImageInput)
            else replace(default_problem(catalog, entry), input=input, classes=classes)  # with its vocabulary
        )
        return read_as(made, source) if source else made
    if source and source.classes:
        return weights_problem(catalog, entry, source)
    made = replace(default_problem(catalog, entry), input=input)
    return read_as(made, source) if source else made


def _takes_any(entry: RegistryEntry[ModelSpec]) -> bool:
    """Whether the architecture itself can be built for any number of channels."""
    return isinstance(entry.spec.input, ImageInput) and entry.spec.input.any_channels


def _with_channels(problem: Problem, channels: int | None) -> Problem:
    """The problem with pictures of so many channels; UsageError where the model reads no pictures."""
    image = problem.image
    if channels is None or channels == image.channels:
        return problem
    mean, std = (
        values if len(values) == channels else (sum(values) / len(values),) for values in (image.mean, image.std)
    )
    if not isinstance(problem.input, ImageInput):
        raise UsageError(f"the task {problem.task} reads no pictures, so it has no in_chans")
    return replace(problem, input=replace(problem.input, channels=channels, mean=mean, std=std))


def _check(value: object, *, least: int, name: str) -> None:
    """UsageError for what is no whole number, or too small a one."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
        raise UsageError(f"{name} is {value!r}; it must be a whole number from {least} on")
