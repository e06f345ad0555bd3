"""The whole contract between zoo and a plugin: seven hooks without arguments, whose results are collected.

A plugin implements any subset.  Each hook returns plain frozen specs whose heavy parts are references
("module:object"), so that calling a hook imports neither torch nor numpy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pluggy

from zoo.api.callback import CallbackSpec
from zoo.api.formats import FormatSpec
from zoo.api.runtime import RuntimeSpec
from zoo.api.specs import ModelSpec, TaskSpec, TrainerSpec, WeightsSpec

API_VERSION: Final = 2
"""A plugin module may declare `ZOO_API = 2`; it changes only when something is removed."""

API_VERSIONS: Final = (1, 2)
"""What this zoo speaks; a task of API 1 is known by its spec, whatever its module declares."""

PROJECT: Final = "zoo"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def zoo_models() -> Iterable[ModelSpec]:  # type: ignore[empty-body]
    """The architectures that this plugin offers."""


@hookspec
def zoo_trainers() -> Iterable[TrainerSpec]:  # type: ignore[empty-body]
    """The trainers that this plugin offers, for its own models or for those of other plugins."""


@hookspec
def zoo_weights() -> Iterable[WeightsSpec]:  # type: ignore[empty-body]
    """The sets of weights that this plugin offers, for its own models or for those of other plugins."""


@hookspec
def zoo_tasks() -> Iterable[TaskSpec]:  # type: ignore[empty-body]
    """The tasks that this plugin offers."""


@hookspec
def zoo_formats() -> Iterable[FormatSpec]:  # type: ignore[empty-body]
    """The formats of data that this plugin reads, for its own tasks or for those of other plugins."""


@hookspec
def zoo_runtimes() -> Iterable[RuntimeSpec]:  # type: ignore[empty-body]
    """The runtimes that this plugin offers, which execute the graphs of any bundle."""


@hookspec
def zoo_callbacks() -> Iterable[CallbackSpec]:  # type: ignore[empty-body]
    """The callbacks that this plugin offers to trainings of any model."""
