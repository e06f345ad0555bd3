"""Giving a built model trained parameters, with a new head where the classes are other ones.  [torch]"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import Tensor, nn

from zoo.api.data import counted
from zoo.api.errors import BadFile, PluginError, UsageError, describe_error
from zoo.api.problem import ImageInput, Problem
from zoo.api.specs import ModelSpec
from zoo.api.task import Progress
from zoo.models.weights.fit_names import fit_names
from zoo.models.weights.load import load_state, read_state
from zoo.models.weights.source import WeightsSource
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What a model started from."""

    name: str
    sha256: str
    new_head: bool
    notes: tuple[str, ...] = ()
    """Sentences for the user: which parameters were loaded, which are new."""


def start_from(
    source: WeightsSource,
    model: nn.Module,
    *,
    catalog: Catalog,
    entry: RegistryEntry[ModelSpec],
    problem: Problem,
    progress: Progress,
    keep_head: bool = False,
) -> Started:
    """Load parameters into a model built for `problem`; its head stays as built where the classes differ.

    With `keep_head` a head that does not fit is an error, for models that are to answer and not to learn.
    """
    _check_size(source, problem)
    file = source.fetch(progress)
    state = _renamed(source, _read(source, file.path, catalog, entry), catalog)
    _check_finite(source, state)
    notes = [*source.notes]
    new_head = not keep_head and _needs_new_head(source, state, model, entry, problem)
    fresh = entry.spec.head if new_head else ()
    if source.file and not source.reader:
        fitted = fit_names(source.name, state, model, head=entry.spec.head)
        if fitted.fresh and keep_head:
            raise BadFile(f"{source.name} has no head for these {len(problem.classes)} classes: {fitted.sentence}")
        state, fresh, new_head = fitted.state, fitted.fresh, bool(fitted.fresh)
        notes.append(fitted.sentence)
    if new_head and not entry.spec.head:
        raise UsageError(
            f"{source.name} was trained for {_count(source.classes)}, this data has {_count(problem.classes)}, and "
            f"{entry.full_name} does not say which of its layers is the head",
            hint="train from scratch, without --weights",
        )
    optional = source.entry.spec.optional if source.entry else ()
    load_state(model, state, origin=source.name, optional=optional, fresh=fresh)
    note = f"started from {source.name}"
    if new_head:
        note += f" with a new head ({', '.join(fresh)}) for {_count(problem.classes)}"
    return Started(name=source.name, sha256=file.sha256, new_head=new_head, notes=(*notes, note))


def _check_finite(source: WeightsSource, state: Mapping[str, Tensor]) -> None:
    """BadFile for parameters that are no numbers: training could only diverge."""
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise BadFile(
                f"{name} of {source.name} holds numbers that are NaN or infinite",
                hint="the training that made it has diverged: take an earlier checkpoint of it, or other weights",
            )


def _check_size(source: WeightsSource, problem: Problem) -> None:
    """UsageError where the parameters are those of another image size."""
    then, now = source.input, problem.input
    if isinstance(then, ImageInput) and isinstance(now, ImageInput) and now.fixed_size and then.size != now.size:
        raise UsageError(
            f"{source.name} was trained at {then.size[0]}x{then.size[1]} pixels, and its parameters depend on the "
            f"size, so it cannot start a training at {now.size[0]}x{now.size[1]}",
            hint=f"--set recipe.input_size={then.size[0]},{then.size[1]}",
        )


def _needs_new_head(
    source: WeightsSource,
    state: Mapping[str, Tensor],
    model: nn.Module,
    entry: RegistryEntry[ModelSpec],
    problem: Problem,
) -> bool:
    if source.classes and problem.classes:
        return source.classes != problem.classes
    own = model.state_dict()
    head = {name: tensor for name, tensor in state.items() if name.startswith(entry.spec.head)}
    if source.reader and not head and any(name.startswith(entry.spec.head) for name in own):
        return True  # another library's encoder, which comes without one
    return any(name in own and tensor.shape != own[name].shape for name, tensor in head.items())


def _read(source: WeightsSource, path: Path, catalog: Catalog, entry: RegistryEntry[ModelSpec]) -> dict[str, Tensor]:
    if source.reader is None:
        return read_state(path)
    reader = cast("Callable[[Path], dict[str, Tensor]]", catalog.load(entry, source.reader))
    return reader(path)


def _renamed(source: WeightsSource, state: dict[str, Tensor], catalog: Catalog) -> dict[str, Tensor]:
    if not source.entry or not source.entry.spec.remap:
        return state
    remap = catalog.load(source.entry, source.entry.spec.remap)
    try:
        renamed = remap(state)  # type: ignore[operator]
    except Exception as error:
        raise PluginError(f"the remap of {source.name} failed: {describe_error(error)}") from error
    return cast("dict[str, Tensor]", renamed)


def _count(classes: tuple[str, ...]) -> str:
    return f"{counted(len(classes), 'class', 'classes')}" if classes else "classes that nobody recorded"
