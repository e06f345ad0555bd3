"""The catalogue: all models, trainers, weights and tasks of the plugins; a value, never a global registry."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, cast

from zoo.api.callback import Callback, CallbackRun, CallbackSpec
from zoo.api.errors import AmbiguousName, MissingExtra, PluginError, UnknownName, UsageError, ZooError, describe_error
from zoo.api.formats import FormatSpec
from zoo.api.runtime import RuntimeSpec
from zoo.api.specs import ModelSpec, Reference, TaskSpec, TrainerSpec, WeightsSpec
from zoo.registry.discovery import (
    current_name,
    current_plugin,
    enabled_candidates,
    installed_candidates,
    object_candidate,
)
from zoo.registry.listing import matches
from zoo.registry.loader import Plugin, load_plugins
from zoo.registry.name_resolution import RegistryEntry, S, find_entry, mark_clashes
from zoo.registry.references import missing_requirements, resolve

if TYPE_CHECKING:
    from zoo.api.parts import Task, TaskAnswers, TaskData, TaskGraphs, TaskTensors
    from zoo.api.trainer import Trainer


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """The plugins, loaded and broken, and the entries that names stand for.

    Examples:
        >>> catalog = zoo.Catalog.discover()
        >>> catalog.model("cnn").full_name
        'cnn/cnn'
    """

    plugins: tuple[Plugin, ...]
    """Loaded and broken ones, in the order of their names."""
    prefer: tuple[str, ...] = ()
    """Plugins whose bare names win between third parties, from ZOO_PREFER."""

    @classmethod
    def discover(cls, plugins: Sequence[object] | None = None) -> Catalog:
        """The catalogue of the installed plugins, or of these objects with hooks instead of them.

        To try an object beside the installed plugins:
        `Catalog.discover([*zoo.registry.discovery.installed_candidates(), mine])`.
        """
        candidates = (
            enabled_candidates(installed_candidates())
            if plugins is None
            else [object_candidate(plugin) for plugin in plugins]
        )
        loaded = load_plugins(candidates)
        preferred = [name.strip() for name in os.environ.get("ZOO_PREFER", "").split(",")]
        return cls(plugins=loaded, prefer=tuple(current_plugin(name, loaded) for name in preferred if name))

    # --- what there is ---

    def models(self, pattern: str = "*", task: str | None = None) -> tuple[RegistryEntry[ModelSpec], ...]:
        """The models whose bare name, full name or alias matches, sorted by full name.

        A pattern with `*`, `?` or `[` must match the whole name; without them it may match a part of the name.
        """
        task_name = self.task(task).full_name if task is not None else None
        entries = [
            entry
            for entry in self._all_models
            if any(
                matches(name, pattern) for name in (entry.name, entry.full_name, *entry.aliases, *entry.former_names)
            )
            and (task_name is None or task_name == self.task_name(entry))
        ]
        return tuple(sorted(entries, key=lambda entry: entry.full_name))

    def tasks(self) -> tuple[RegistryEntry[TaskSpec], ...]:
        """Every task, sorted by full name."""
        entries = [RegistryEntry(plugin=plugin, spec=spec) for plugin in self.plugins for spec in plugin.tasks]
        return tuple(sorted(mark_clashes(entries, prefer=self.prefer), key=lambda entry: entry.full_name))

    def formats(self, task: str | None = None) -> tuple[RegistryEntry[FormatSpec], ...]:
        """Every format, or those of one task, in the order in which plugins declare them, zoo's own first."""
        wanted = self.task(task).full_name if task is not None else None
        entries = [
            RegistryEntry(plugin=plugin, spec=spec)
            for plugin in sorted(self.plugins, key=lambda plugin: not plugin.built_in)
            for spec in plugin.formats
            if wanted is None or any(self._is_called(wanted, name) for name in spec.tasks)
        ]
        return mark_clashes(entries, prefer=self.prefer) if wanted else tuple(entries)

    def trainers(self) -> tuple[RegistryEntry[TrainerSpec], ...]:
        """Every trainer, sorted by full name."""
        entries = [RegistryEntry(plugin=plugin, spec=spec) for plugin in self.plugins for spec in plugin.trainers]
        return tuple(sorted(mark_clashes(entries, prefer=self.prefer), key=lambda entry: entry.full_name))

    def callbacks(self) -> tuple[RegistryEntry[CallbackSpec], ...]:
        """Every callback, sorted by full name."""
        entries = [RegistryEntry(plugin=plugin, spec=spec) for plugin in self.plugins for spec in plugin.callbacks]
        return tuple(sorted(mark_clashes(entries, prefer=self.prefer), key=lambda entry: entry.full_name))

    def runtimes(self) -> tuple[RegistryEntry[RuntimeSpec], ...]:
        """Every runtime, sorted by full name."""
        entries = [RegistryEntry(plugin=plugin, spec=spec) for plugin in self.plugins for spec in plugin.runtimes]
        return tuple(sorted(mark_clashes(entries, prefer=self.prefer), key=lambda entry: entry.full_name))

    def weights(self, model: str | None = None) -> tuple[RegistryEntry[WeightsSpec], ...]:
        """All weights that plugins offer, or those for one model, given by its full name; sorted by full name."""
        if model is None:
            return self._all_weights
        return tuple(entry for entry in self._all_weights if entry.model == model)

    def without_model(self) -> tuple[RegistryEntry[WeightsSpec], ...]:
        """The weights of models that no installed plugin offers."""
        offered = {entry.full_name for entry in self._all_models}
        return tuple(entry for entry in self._all_weights if entry.model not in offered)

    # --- what a name means ---

    def model(self, name: str) -> RegistryEntry[ModelSpec]:
        """The model of a bare name, an alias or a full name."""
        return self._find(name, self._all_models, kind="model")

    def usable_model(self, name: str) -> RegistryEntry[ModelSpec]:
        """The same; UsageError with the reason for a model that is listed and cannot be used."""
        entry = self.model(name)
        if entry.spec.not_available:
            raise UsageError(f"{entry.full_name} is listed, but cannot be used: {entry.spec.not_available}")
        return entry

    def family(self, name: str) -> tuple[RegistryEntry[ModelSpec], ...]:
        """The models that an alias means in a training, those for the smallest pictures first, then its own model.

        Empty where the name is no alias that a model takes over; see `ModelSpec.takes_over`.
        """
        owner = self.model(name)
        if name not in owner.aliases:
            return ()
        members = [
            entry
            for entry in self._all_models
            if name in entry.spec.takes_over
            and self.task_name(entry) == self.task_name(owner)
            and entry.plugin.built_in >= owner.plugin.built_in
        ]
        members.sort(key=lambda entry: (entry.spec.takes_over[name], entry.full_name))
        return (*members, owner) if members else ()

    def taken_over(self, model: RegistryEntry[ModelSpec]) -> tuple[tuple[str, RegistryEntry[ModelSpec]], ...]:
        """The aliases of a model that others take over for small pictures, each with one that does."""
        return tuple((alias, member) for alias in model.aliases for member in self.family(alias)[:-1])

    def task(self, name: str) -> RegistryEntry[TaskSpec]:
        """The task of a bare or full name."""
        return self._find(name, self.tasks(), kind="task")

    def task_name(self, model: RegistryEntry[ModelSpec]) -> str:
        """The full name of a model's task; as the model has it where no plugin offers that task."""
        return self._task_names[model.spec.task]

    def trainer(self, name: str, owner: str = "") -> RegistryEntry[TrainerSpec]:
        """The trainer of a bare or full name; the trainers of the plugin `owner` come first."""
        return self._find(name, self.trainers(), kind="trainer", owner=owner)

    def callback(self, name: str) -> RegistryEntry[CallbackSpec]:
        """The callback of a bare or full name; MissingExtra where it cannot be used here."""
        entry = self._find(name, self.callbacks(), kind="callback")
        self.check_extra(entry)
        return entry

    def runtime(self, name: str) -> RegistryEntry[RuntimeSpec]:
        """The runtime of a bare or full name, installed or not."""
        return self._find(name, self.runtimes(), kind="runtime")

    def trainer_of(self, model: RegistryEntry[ModelSpec]) -> RegistryEntry[TrainerSpec]:
        """The trainer that a model names."""
        return self.trainer(model.spec.trainer, owner=model.plugin.name)

    def is_for(self, trainer: RegistryEntry[TrainerSpec], task: RegistryEntry[TaskSpec]) -> bool:
        """Whether a trainer is for a task; not where it names a task that nobody offers."""
        try:
            return self.task(trainer.spec.task).full_name == task.full_name
        except UnknownName:
            return False

    def with_trainer(self, model: RegistryEntry[ModelSpec], name: str) -> RegistryEntry[ModelSpec]:
        """The model with another trainer of its task, by bare or full name; UsageError for one of another task."""
        if not name:
            return model
        trainer, task = self.trainer(name, owner=model.plugin.name), self.task(model.spec.task)
        if not self.is_for(trainer, task):
            fitting = [other.full_name for other in self.trainers() if self.is_for(other, task)]
            raise UsageError(
                f"the trainer {trainer.full_name} is for {trainer.spec.task}, not for {model.spec.task}, the task of "
                f"{model.full_name}",
                hint=f"trainers of {model.spec.task} are {', '.join(fitting)}",
            )
        return replace(model, spec=replace(model.spec, trainer=trainer.full_name))

    def monitor_metric(self, model: RegistryEntry[ModelSpec]) -> str:
        """The name of the metric that chooses the model's best checkpoint: its trainer's, else its task's."""
        monitor = self.trainer_of(model).spec.monitor
        return monitor.metric if monitor else self.task(model.spec.task).spec.monitored

    def format(self, name: str) -> tuple[RegistryEntry[FormatSpec], ...]:
        """What a bare or full name of a format means: a spec for each kind of task whose data it can hold."""
        plugin, _, bare = current_name(name, self.plugins).rpartition("/")
        entries = tuple(entry for entry in self.formats() if entry.name == bare and plugin in ("", entry.plugin.name))
        if not entries:
            names = dict.fromkeys(entry.name for entry in self.formats())
            raise UnknownName(f"no format named {name!r}", hint=f"there are {', '.join(names)}")
        return entries

    def weight(self, name: str) -> RegistryEntry[WeightsSpec]:
        """The weights of "[plugin/]model@[plugin/]tag"."""
        model, _, tag = name.partition("@")
        entry = self.model(model)
        entries = self.weights(entry.full_name)
        if not entries and entry.spec.from_weights:
            raise UnknownName(
                f"there are no weights {tag!r} for {entry.bare_name}, which is built from what somebody trained",
                hint=f"name a folder or a file that is there; zoo info {model} says what it takes",
            )
        if not entries:
            raise UnknownName(f"there are no weights for the model {entry.full_name}", hint=f"zoo train {model}")
        try:
            return find_entry(
                tag,
                entries,
                kind=f"weights of {entry.bare_name}",
                owner=entry.plugin.name,
                prefer=self.prefer,
                plugins=self.plugins,
            )
        except UnknownName as error:
            tags = ", ".join(weights.spec.tag for weights in entries)
            raise UnknownName(error.message, hint=f"{entry.full_name} has {tags}") from None

    def plugin(self, name: str) -> Plugin:
        """The first plugin of that name, or of that former name."""
        current = current_plugin(name, self.plugins)
        for plugin in self.plugins:
            if plugin.name == current:
                return plugin
        known = ", ".join(plugin.name for plugin in self.plugins) or "none"
        raise UnknownName(f"no plugin named {name!r}", hint=f"installed: {known}")

    # --- the objects behind the names ---

    def missing(self, entry: RegistryEntry[S]) -> tuple[str, ...]:
        """The requirements of the spec's extra that are not installed; empty when the entry can be used."""
        extra = None if isinstance(entry.spec, WeightsSpec | FormatSpec) else entry.spec.extra
        if not extra or not entry.plugin.distribution:
            return ()
        try:
            return missing_requirements(entry.plugin.distribution, extra)
        except Exception as error:  # no such extra, or requirements that nobody can read
            reason = error.args[0] if isinstance(error, LookupError) and error.args else describe_error(error)
            raise PluginError(f"{entry.full_name} of the {entry.plugin.title} cannot be used: {reason}") from error

    def load(self, entry: RegistryEntry[S], reference: Reference) -> object:
        """The object that a reference of an entry names; MissingExtra or PluginError when it cannot be loaded."""
        self.check_extra(entry)
        try:
            return resolve(reference)
        except ZooError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"the {entry.plugin.title} could not provide {reference!r} for {entry.full_name}: "
                f"{describe_error(error)}"
            ) from error

    def check_extra(self, entry: RegistryEntry[S]) -> None:
        """MissingExtra with the line of pip where an entry needs what is not installed here, or is too old."""
        missing = self.missing(entry)
        if missing and not isinstance(entry.spec, WeightsSpec | FormatSpec):
            raise MissingExtra(
                f"{entry.full_name} needs {', '.join(missing)}, not installed here",
                hint=f"pip install '{entry.plugin.distribution}[{entry.spec.extra}]'",
            )

    def make_task(self, name: str) -> Task:
        """The task of a bare or full name; its parts are made when they are first used."""
        from zoo.api.parts import Task  # noqa: PLC0415  listing needs no parts

        entry = self.task(name)
        spec = entry.spec
        if spec.task is not None:
            from zoo.registry.api_1 import adapt_task, warn_api_1  # noqa: PLC0415  only plugins of API 1 pay for it

            warn_api_1(entry.plugin.title)
            return adapt_task(self._make(entry, spec.task))
        assert spec.monitor is not None, "a spec with parts has a monitor"
        device = str(spec.device)
        return Task(
            name=spec.name,
            monitor=spec.monitor,
            tags=spec.tags,
            make_data=partial(self._make_data, entry, str(spec.data)),
            make_tensors=cast("Callable[[], TaskTensors]", partial(self._make, entry, str(spec.tensors))),
            make_graphs=cast("Callable[[], TaskGraphs]", partial(self._make, entry, str(spec.graphs))),
            make_answers=cast("Callable[[], TaskAnswers]", partial(self._make, entry, str(spec.answers))),
            device=lambda problem: spec.devices.get(getattr(problem.input, "unit", ""), device),
        )

    def _make_data(self, entry: RegistryEntry[TaskSpec], reference: Reference) -> TaskData:
        """The part `data`, which knows the formats of all plugins where it reads formats."""
        from zoo.api.parts import ReadsFormats  # noqa: PLC0415  listing needs no parts

        part = self._make(entry, reference)
        if isinstance(part, ReadsFormats):
            part = part.with_formats({format.bare_name: format.spec for format in self.formats(entry.full_name)})
        return cast("TaskData", part)

    def make_trainer(self, entry: RegistryEntry[ModelSpec]) -> Trainer:
        """A new trainer object for a model."""
        trainer = self.trainer_of(entry)
        return cast("Trainer", self._make(trainer, trainer.spec.trainer))

    def make_callback(self, entry: RegistryEntry[CallbackSpec], run: CallbackRun) -> Callback:
        """A new callback for a training; PluginError where it is none."""
        made = self._make(entry, entry.spec.callback, run)
        if not isinstance(made, Callback):
            raise PluginError(
                f"{entry.spec.callback!r} of the {entry.plugin.title} gave a {type(made).__name__} for "
                f"{entry.full_name}, where a zoo.Callback belongs"
            )
        return made

    def _make(self, entry: RegistryEntry[S], reference: Reference, *arguments: object) -> object:
        maker = self.load(entry, reference)
        if not callable(maker):
            raise PluginError(f"{reference!r} of the {entry.plugin.title} is not callable, so {entry.full_name} is not")
        try:
            return maker(*arguments)
        except ZooError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"the {entry.plugin.title} could not make {entry.full_name}: {describe_error(error)}"
            ) from error

    def _find(self, name: str, entries: Sequence[RegistryEntry[S]], *, kind: str, owner: str = "") -> RegistryEntry[S]:
        return find_entry(
            name,
            entries,
            kind=kind,
            owner=owner,
            prefer=self.prefer,
            plugins=self.plugins,
        )

    def _with_current_model(self, spec: WeightsSpec) -> WeightsSpec:
        """Weights that name the plugin of their model by a former name, with its present one."""
        current = current_name(spec.model, self.plugins)
        return spec if current == spec.model else replace(spec, model=current)

    @cached_property
    def _task_names(self) -> dict[str, str]:
        """What each task that models name means."""
        names = {}
        for name in {spec.task for plugin in self.plugins for spec in plugin.models}:
            try:
                names[name] = self.task(name).full_name
            except UnknownName:
                names[name] = name
        return names

    @cached_property
    def _all_models(self) -> tuple[RegistryEntry[ModelSpec], ...]:
        entries = [RegistryEntry(plugin=plugin, spec=spec) for plugin in self.plugins for spec in plugin.models]
        return mark_clashes(entries, prefer=self.prefer)

    @cached_property
    def _all_weights(self) -> tuple[RegistryEntry[WeightsSpec], ...]:
        """The weights of every model, those marked whose bare name does not mean them; sorted by full name."""
        clashing = {entry.full_name for entry in self._all_models if entry.needs_plugin}
        groups: dict[str, list[RegistryEntry[WeightsSpec]]] = {}
        for plugin in self.plugins:
            for spec in plugin.weights:
                entry = RegistryEntry(plugin=plugin, spec=self._with_current_model(spec))
                if entry.model in clashing:
                    entry = replace(entry, model_needs_plugin=True)
                groups.setdefault(entry.model, []).append(entry)
        marked = [
            entry
            for model, group in groups.items()
            for entry in mark_clashes(group, prefer=self.prefer, owner=model.partition("/")[0])
        ]
        return tuple(sorted(marked, key=lambda entry: entry.full_name))

    def _is_called(self, full_name: str, name: str) -> bool:
        """Whether a name means the task of this full name; not where nobody offers it."""
        try:
            return self.task(name).full_name == full_name
        except (UnknownName, AmbiguousName):
            return False
