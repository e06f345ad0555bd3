"""The conformance kit: all checks, their subjects in a plugin, and the score of a plugin.  [torch]"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zoo.api.callback import CallbackSpec
from zoo.api.errors import UsageError, ZooError
from zoo.api.runtime import RuntimeSpec
from zoo.api.specs import ModelSpec
from zoo.registry.catalog import Catalog
from zoo.registry.loader import Plugin
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing import callback, declaration, export, model, runtime, trainer, weights
from zoo.testing.check import Check, Step
from zoo.testing.check_context import CheckContext
from zoo.testing.score import GROUPS, Group, Result, Score


def switches(context: CheckContext, plugin: Plugin) -> str:
    """Every check that a model, a runtime or a callback declares as not applicable exists, and has a reason."""
    del context
    known = {check.name for check in CHECKS if check.group != "declaration"}
    wrong = []
    specs: tuple[ModelSpec | RuntimeSpec | CallbackSpec, ...] = (*plugin.models, *plugin.runtimes, *plugin.callbacks)
    for spec in specs:
        for name, reason in spec.conformance.items():
            if name not in known:
                wrong.append(f"{spec.name} declares {name!r}; the checks are {', '.join(sorted(known))}")
            elif not reason.strip():
                wrong.append(f"{spec.name} declares {name!r} without a reason")
    return declaration.pass_or_fail(wrong, f"{sum(len(spec.conformance) for spec in specs)} switches")


CHECKS: Final[tuple[Check, ...]] = (
    Check(group="declaration", name="loads", ask=declaration.loads),
    Check(group="declaration", name="torch_free", ask=declaration.torch_free),
    Check(group="declaration", name="names", ask=declaration.names),
    Check(group="declaration", name="references", ask=declaration.references),
    Check(group="declaration", name="json_round_trip", ask=declaration.json_round_trip),
    Check(group="declaration", name="licences", ask=declaration.licences),
    Check(group="declaration", name="switches", ask=switches),
    Check(group="model", name="shapes", ask=model.shapes),
    Check(group="model", name="finite", ask=model.finite),
    Check(group="model", name="tags", ask=model.tags),
    Check(group="model", name="parameters", ask=model.parameters),
    Check(group="model", name="determinism", ask=model.determinism),
    Check(group="model", name="gradients", ask=model.gradients),
    Check(group="model", name="seed", ask=model.seed),
    Check(group="model", name="state_round_trip", ask=model.state_round_trip),
    Check(group="model", name="batch_independence", ask=model.batch_independence),
    Check(group="trainer", name="loss_falls", ask=trainer.loss_falls),
    Check(group="trainer", name="overfits", ask=trainer.overfits),
    Check(group="trainer", name="resume_exact", ask=trainer.resume_exact),
    Check(group="trainer", name="two_processes", ask=trainer.two_processes),
    Check(group="weights", name="hash", ask=weights.hash),
    Check(group="weights", name="licence", ask=weights.licence),
    Check(group="weights", name="loads", ask=weights.loads),
    Check(group="weights", name="metric", ask=weights.metric),
    Check(group="export", name="proof", ask=export.proof),
    Check(group="export", name="truth", ask=export.truth),
    Check(group="export", name="dynamic_axes", ask=export.dynamic_axes),
    Check(group="export", name="golden_replay", ask=export.golden_replay),
    Check(group="runtime", name="runs", ask=runtime.runs),
    Check(group="runtime", name="repeats", ask=runtime.repeats),
    Check(group="runtime", name="refuses", ask=runtime.refuses),
    Check(group="callback", name="events", ask=callback.events),
    Check(group="callback", name="state_round_trip", ask=callback.state_round_trip),
)
MAX_MODELS: Final = 12
"""Of a plugin with more models the smallest of each kind is checked, unless `models` says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be checked, and sentences about what will not."""

    steps: tuple[Step, ...]
    left_out: tuple[str, ...] = ()


def check_plugin(
    name: str,
    *,
    groups: Sequence[Group] = GROUPS,
    models: str | None = None,
    smallest: bool = False,
    data: str | None = None,
    catalog: Catalog | None = None,
    notify: Callable[[Result], None] = lambda _: None,
) -> Score:
    """The score of an installed plugin; `notify` is called with each result.

    `models` is a pattern of names, as `zoo list` takes it.  `smallest` checks only the smallest model of each kind; so
    does a plugin of more than twelve models without `models`.  `data` replaces the embedded data of the tasks.
    """
    catalog = catalog or Catalog.discover()
    plugin = catalog.plugin(name)
    context = CheckContext(catalog, plugin, data=data)
    start = time.monotonic()
    planned = plan(context, groups=groups, models=models, smallest=smallest)
    results = []
    for step in planned.steps:
        results.append(step.run(context))
        notify(results[-1])
    return Score(
        plugin=plugin.name,
        distribution=plugin.distribution,
        version=plugin.version,
        results=tuple(results),
        left_out=planned.left_out,
        seconds=round(time.monotonic() - start, 3),
    )


def plan(
    context: CheckContext, *, groups: Sequence[Group] = GROUPS, models: str | None = None, smallest: bool = False
) -> Plan:
    """Every check of these groups for each of its subjects in the plugin, in order."""
    plugin = context.plugin
    chosen, left_out = _chosen(context, models, smallest=smallest)
    steps: list[Step] = []
    for group in GROUPS:
        if group not in groups:
            continue
        if group == "declaration":
            steps += [Step(check=check, name=plugin.name, subject=plugin) for check in _of(group)]
        elif not plugin.error:
            steps += _SUBJECTS[group](context, chosen)
    return Plan(steps=tuple(steps), left_out=(*left_out, *_groups_left_out(plugin, groups)))


def _groups_left_out(plugin: Plugin, groups: Sequence[Group]) -> tuple[str, ...]:
    unwanted = [group for group in GROUPS if group not in groups]
    sentences = [f"the groups {', '.join(unwanted)}: not asked for"] if unwanted else []
    if plugin.error:
        sentences.append("everything but the declaration: the plugin is broken")
    return tuple(sentences)


def _of(group: Group) -> list[Check]:
    return [check for check in CHECKS if check.group == group]


# --- subjects ---


def _of_models(group: Group, chosen: Iterable[RegistryEntry[ModelSpec]]) -> list[Step]:
    return [
        Step(check=check, name=entry.full_name, subject=entry, model=entry) for entry in chosen for check in _of(group)
    ]


def _of_trainers(context: CheckContext, chosen: Sequence[RegistryEntry[ModelSpec]]) -> list[Step]:
    """Overfit tests of every model; for every trainer, runs of the smallest model that uses it."""
    overfit_tests, runs = _of("trainer")[:2], _of("trainer")[2:]
    steps = [
        Step(check=check, name=entry.full_name, subject=entry, model=entry)
        for entry in chosen
        for check in overfit_tests
    ]
    for trainer_name, user in _smallest_users(context, chosen).items():
        if user is None:
            steps += [Step(check=check, name=trainer_name, subject=None, absent="no model uses it") for check in runs]
        else:
            name = f"{trainer_name} ({user.full_name})"
            steps += [Step(check=check, name=name, subject=user, model=user) for check in runs]
    return steps


def _smallest_users(
    context: CheckContext, chosen: Sequence[RegistryEntry[ModelSpec]]
) -> dict[str, RegistryEntry[ModelSpec] | None]:
    """For each trainer that these models use or that the plugin offers, the smallest model that uses it."""
    catalog, plugin = context.catalog, context.plugin
    own = [RegistryEntry(plugin=plugin, spec=spec).full_name for spec in plugin.trainers]
    users: dict[str, RegistryEntry[ModelSpec] | None] = {}
    for entry in _by_size(chosen):
        if not entry.spec.part_of:
            users.setdefault(_trainer(catalog, entry), entry)
    users.pop("", None)
    usable = [
        entry
        for entry in _by_size(catalog.models())
        if not entry.spec.part_of and not entry.spec.not_available and not catalog.missing(entry)
    ]
    for name in own:
        if name not in users:
            users[name] = next((entry for entry in usable if _trainer(catalog, entry) == name), None)
    return users


def _trainer(catalog: Catalog, entry: RegistryEntry[ModelSpec]) -> str:
    """The full name of its trainer; empty where no plugin offers it."""
    try:
        return catalog.trainer(entry.spec.trainer, owner=entry.plugin.name).full_name
    except ZooError:
        return ""


def _of_weights(context: CheckContext, chosen: Sequence[RegistryEntry[ModelSpec]]) -> list[Step]:
    """The plugin's weights for the chosen models, and for models of other plugins."""
    names, prefix = {entry.full_name for entry in chosen}, f"{context.plugin.name}/"
    entries = [RegistryEntry(plugin=context.plugin, spec=spec) for spec in context.plugin.weights]
    checked = [entry for entry in entries if entry.model in names or not entry.model.startswith(prefix)]
    return [Step(check=check, name=entry.full_name, subject=entry) for entry in checked for check in _of("weights")]


def _of_libraries(context: CheckContext, group: Group) -> list[Step]:
    """The plugin's callbacks or runtimes; of those whose extra is not installed only the name."""
    specs: tuple[CallbackSpec | RuntimeSpec, ...] = context.plugin.callbacks
    if group == "runtime":
        specs = context.plugin.runtimes
    entries: list[RegistryEntry[Any]] = [RegistryEntry(plugin=context.plugin, spec=spec) for spec in specs]
    missing = {entry.full_name: context.catalog.missing(entry) for entry in entries}
    return [
        Step(
            check=check,
            name=entry.full_name,
            subject=entry,
            absent=_not_called(entry.spec.conformance.get(check.name), missing[entry.full_name]),
        )
        for entry in entries
        for check in _of(group)
    ]


def _not_called(declared: str | None, missing: tuple[str, ...]) -> str:
    """Why a callback or a runtime is not called; empty where it is."""
    if declared is not None:
        return f"the plugin declares that it does not apply: {declared}"
    return f"it needs {', '.join(missing)}, not installed here" if missing else ""


_SUBJECTS: Final[dict[Group, Callable[[CheckContext, Sequence[RegistryEntry[ModelSpec]]], list[Step]]]] = {
    "model": lambda _, chosen: _of_models("model", chosen),
    "trainer": _of_trainers,
    "weights": _of_weights,
    "export": lambda _, chosen: _of_models("export", chosen),
    "runtime": lambda context, _: _of_libraries(context, "runtime"),
    "callback": lambda context, _: _of_libraries(context, "callback"),
}


# --- which models ---


def _of_plugin(models: Sequence[RegistryEntry[ModelSpec]], plugin: Plugin) -> list[RegistryEntry[ModelSpec]]:
    """The models of a plugin that can be used."""
    return [entry for entry in models if entry.plugin.name == plugin.name and not entry.spec.not_available]


def _chosen(
    context: CheckContext, pattern: str | None, *, smallest: bool
) -> tuple[tuple[RegistryEntry[ModelSpec], ...], tuple[str, ...]]:
    """The models to check, and a sentence about the others."""
    plugin = context.plugin
    models = _of_plugin(context.catalog.models(), plugin)
    chosen = _of_plugin(context.catalog.models(pattern or "*"), plugin)
    if pattern and not chosen:
        raise UsageError(
            f"no model of the plugin {plugin.name!r} matches {pattern!r}", hint=f"zoo list '{plugin.name}/*'"
        )
    selected_by = [f"those that match {pattern!r}"] if pattern else []
    if smallest or (pattern is None and len(models) > MAX_MODELS):
        chosen = smallest_of_each_kind(chosen)
        selected_by.append("the smallest of each kind")
    if len(chosen) == len(models):
        return tuple(chosen), ()
    advice = f"zoo plugins check {plugin.name} --models '*' checks all"
    left_out = len(models) - len(chosen)
    return tuple(chosen), (f"{left_out} of {len(models)} models: only {', and of them '.join(selected_by)}; {advice}",)


def smallest_of_each_kind(entries: Iterable[RegistryEntry[ModelSpec]]) -> list[RegistryEntry[ModelSpec]]:
    """Of all models with the same task, trainer and type of input, the one with the fewest parameters."""
    kinds: dict[tuple[object, ...], RegistryEntry[ModelSpec]] = {}
    for entry in _by_size(entries):
        spec = entry.spec
        kinds.setdefault((spec.task, spec.trainer, type(spec.input)), entry)
    return list(kinds.values())


def _by_size(entries: Iterable[RegistryEntry[ModelSpec]]) -> list[RegistryEntry[ModelSpec]]:
    """Sorted by the number of parameters; models of unknown size last."""
    return sorted(entries, key=lambda entry: (entry.spec.parameters is None, entry.spec.parameters or 0))
