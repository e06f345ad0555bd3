"""The whole kit: which checks there are, which subjects a plugin gives them, and the score of all.  [torch]"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from zoo.api.errors import UsageError, ZooError
from zoo.api.specs import ModelSpec
from zoo.registry.catalog import Catalog
from zoo.registry.loader import Plugin
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing import declaration, export, model, trainer, weights
from zoo.testing.check import Check, Step
from zoo.testing.check_context import CheckContext
from zoo.testing.score import GROUPS, Group, Result, Score


def switches(context: CheckContext, plugin: Plugin) -> str:
    """Checks that are declared not to apply exist, and each has a reason."""
    del context
    known = {check.name for check in CHECKS if check.group != "declaration"}
    wrong = []
    for spec in plugin.models:
        for name, reason in spec.conformance.items():
            if name not in known:
                wrong.append(f"{spec.name} declares {name!r}; the checks are {', '.join(sorted(known))}")
            elif not reason.strip():
                wrong.append(f"{spec.name} declares {name!r} without a reason")
    return declaration.all_right(wrong, f"{sum(len(spec.conformance) for spec in plugin.models)} switches")


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
    Check(group="export", name="dynamic_axes", ask=export.dynamic_axes),
    Check(group="export", name="golden_replay", ask=export.golden_replay),
)
MANY: Final = 12
"""A plugin with more models is checked on the smallest of each kind, unless somebody asks for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be looked at, and what will not."""

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
    """The score of an installed plugin; `notify` is called with each result as it comes.

    `models` is a pattern of names, as `zoo list` takes it; `smallest` takes of those the smallest of each kind, which
    is also done for a plugin of more than a dozen models of which nobody named any.  `data` stands in for the
    embedded data of the tasks.
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
    """Every check of these groups with every subject that the plugin gives it, in order."""
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
    """Lessons for every model; for every trainer, runs of the smallest model that uses it."""
    lessons, runs = _of("trainer")[:2], _of("trainer")[2:]
    steps = [Step(check=check, name=one.full_name, subject=one, model=one) for one in chosen for check in lessons]
    for used, entry in _smallest_users(context, chosen).items():
        if entry is None:
            steps += [Step(check=check, name=used, subject=None, absent="no model uses it") for check in runs]
        else:
            name = f"{used} ({entry.full_name})"
            steps += [Step(check=check, name=name, subject=entry, model=entry) for check in runs]
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
    anybody = [one for one in _by_size(catalog.models()) if not one.spec.part_of and not catalog.missing(one)]
    for name in own:
        if name not in users:
            users[name] = next((one for one in anybody if _trainer(catalog, one) == name), None)
    return users


def _trainer(catalog: Catalog, entry: RegistryEntry[ModelSpec]) -> str:
    """The full name of its trainer; empty where nobody offers it."""
    try:
        return catalog.trainer(entry.spec.trainer, owner=entry.plugin.name).full_name
    except ZooError:
        return ""


def _of_weights(context: CheckContext, chosen: Sequence[RegistryEntry[ModelSpec]]) -> list[Step]:
    """The plugin's weights for the chosen models, and for models of other plugins."""
    ours, names = context.plugin.name, {entry.full_name for entry in chosen}
    offers = [RegistryEntry(plugin=context.plugin, spec=spec) for spec in context.plugin.weights]
    kept = [one for one in offers if one.model in names or not one.model.startswith(f"{ours}/")]
    return [Step(check=check, name=one.full_name, subject=one) for one in kept for check in _of("weights")]


_SUBJECTS: Final[dict[Group, Callable[[CheckContext, Sequence[RegistryEntry[ModelSpec]]], list[Step]]]] = {
    "model": lambda _, chosen: _of_models("model", chosen),
    "trainer": _of_trainers,
    "weights": _of_weights,
    "export": lambda _, chosen: _of_models("export", chosen),
}


# --- which models ---


def _chosen(
    context: CheckContext, pattern: str | None, *, smallest: bool
) -> tuple[tuple[RegistryEntry[ModelSpec], ...], tuple[str, ...]]:
    """The models to look at, and a sentence about the others."""
    plugin = context.plugin
    everything = [entry for entry in context.catalog.models() if entry.plugin.name == plugin.name]
    chosen = [one for one in context.catalog.models(pattern or "*") if one.plugin.name == plugin.name]
    if pattern and not chosen:
        raise UsageError(f"no model of the plugin {plugin.name!r} fits {pattern!r}", hint=f"zoo list '{plugin.name}/*'")
    how = [f"those that fit {pattern!r}"] if pattern else []
    if smallest or (pattern is None and len(everything) > MANY):
        chosen = smallest_of_each_kind(chosen)
        how.append("the smallest of each kind")
    if len(chosen) == len(everything):
        return tuple(chosen), ()
    again = f"zoo plugins check {plugin.name} --models '*' takes all"
    left = len(everything) - len(chosen)
    return tuple(chosen), (f"{left} of {len(everything)} models: only {', and of them '.join(how)}; {again}",)


def smallest_of_each_kind(offers: Iterable[RegistryEntry[ModelSpec]]) -> list[RegistryEntry[ModelSpec]]:
    """Of the models that share task, trainer and form of input, the one with the fewest parameters."""
    kinds: dict[tuple[object, ...], RegistryEntry[ModelSpec]] = {}
    for entry in _by_size(offers):
        spec = entry.spec
        kinds.setdefault((spec.task, spec.trainer, type(spec.input)), entry)
    return list(kinds.values())


def _by_size(offers: Iterable[RegistryEntry[ModelSpec]]) -> list[RegistryEntry[ModelSpec]]:
    """The smallest first, those of unknown size last."""
    return sorted(offers, key=lambda entry: (entry.spec.parameters is None, entry.spec.parameters or 0))
