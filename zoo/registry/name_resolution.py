"""Which entry a name stands for: exact names beat aliases, zoo's own keep bare names, a clash is an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from zoo.api.callback import CallbackSpec
from zoo.api.errors import AmbiguousName, UnknownName
from zoo.api.formats import FormatSpec
from zoo.api.runtime import RuntimeSpec
from zoo.api.specs import ModelSpec, TaskSpec, TrainerSpec, WeightsSpec
from zoo.registry.discovery import current_name
from zoo.registry.loader import Plugin
from zoo.registry.suggestions import close_names

S = TypeVar("S", ModelSpec, TrainerSpec, WeightsSpec, TaskSpec, FormatSpec, RuntimeSpec, CallbackSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEntry(Generic[S]):
    """One spec with the plugin that it comes from.

    Examples:
        >>> zoo.Catalog.discover().model("cnn").spec.trainer
        'classification'
    """

    plugin: Plugin
    """Who offers it."""
    spec: S
    """What is offered."""
    note: str = field(default="", compare=False)
    """A sentence for the user of a bare name that another plugin entries too; else empty."""

    needs_plugin: bool = field(default=False, compare=False)
    """Its bare name means what another plugin offers, or is ambiguous; see `bare_name`."""
    model_needs_plugin: bool = field(default=False, compare=False)
    """Of weights: the same of their model."""

    @property
    def name(self) -> str:
        """Its name without the plugin: resnet18; for weights the tag, imagenet1k_v1."""
        return self.spec.tag if isinstance(self.spec, WeightsSpec) else self.spec.name

    @property
    def bare_name(self) -> str:
        """The shortest name that means it: resnet18; for weights resnet18@imagenet1k_v1.

        timm/resnet18 where resnet18 is another plugin's.
        """
        if isinstance(self.spec, WeightsSpec):
            model = self.model if self.model_needs_plugin else self.model.rpartition("/")[2]
            return f"{model}@{self.owned_name if self.needs_plugin else self.name}"
        return self.owned_name if self.needs_plugin else self.name

    @property
    def aliases(self) -> tuple[str, ...]:
        """Its other names."""
        return self.spec.aliases if isinstance(self.spec, ModelSpec) else ()

    @property
    def owned_name(self) -> str:
        """The name with its plugin before it."""
        return f"{self.plugin.name}/{self.name}"

    @property
    def full_name(self) -> str:
        """torchvision/resnet18; torchvision/resnet18@torchvision/imagenet1k_v1 for weights."""
        if isinstance(self.spec, WeightsSpec):
            return f"{self.model}@{self.owned_name}"
        return self.owned_name

    @property
    def former_names(self) -> tuple[str, ...]:
        """Its full names before its plugin was renamed."""
        return tuple(f"{former}/{self.name}" for former in self.plugin.former_names)

    @property
    def model(self) -> str:
        """For weights the full name of their model; for a model its own full name."""
        if isinstance(self.spec, WeightsSpec):
            return self.spec.model if "/" in self.spec.model else f"{self.plugin.name}/{self.spec.model}"
        return self.full_name


def find_entry(
    name: str,
    entries: Sequence[RegistryEntry[S]],
    *,
    kind: str,
    owner: str = "",
    prefer: tuple[str, ...] = (),
    plugins: Sequence[Plugin] = (),
) -> RegistryEntry[S]:
    """The entry that a bare or full name stands for.

    `owner` is a plugin whose own entries come first; `prefer` names plugins that win between third parties.  Raises
    UnknownName with the closest names, or AmbiguousName with all plugins that offer the name.  A plugin's former name
    means the plugin.
    """
    plugin, _, bare = current_name(name, plugins).rpartition("/")
    candidates = [entry for entry in entries if plugin in ("", entry.plugin.name)]
    exact = [entry for entry in candidates if entry.name == bare]
    aliased = [entry for entry in candidates if bare in entry.aliases]
    if not exact and not aliased:
        raise _unknown(name, entries, kind=kind, plugins=plugins)
    entry = _choose(name, exact or aliased, kind=kind, owner=owner, prefer=prefer)
    shadowed = [other for other in aliased if exact and not plugin and other.plugin.built_in > entry.plugin.built_in]
    if shadowed:
        return replace(
            entry, note=f"{name} is {entry.owned_name}; zoo's own {shadowed[0].owned_name} has it as an alias"
        )
    return entry


def mark_clashes(
    entries: Sequence[RegistryEntry[S]], *, prefer: tuple[str, ...], owner: str = ""
) -> tuple[RegistryEntry[S], ...]:
    """The entries, those marked whose bare name does not mean them."""
    named: dict[str, list[RegistryEntry[S]]] = {}
    for entry in entries:
        named.setdefault(entry.name, []).append(entry)
    resolved = {
        name: _resolved(name, group, prefer=prefer, owner=owner) for name, group in named.items() if len(group) > 1
    }
    return tuple(
        replace(entry, needs_plugin=True) if resolved.get(entry.name, entry.full_name) != entry.full_name else entry
        for entry in entries
    )


def _resolved(name: str, entries: Sequence[RegistryEntry[S]], *, prefer: tuple[str, ...], owner: str) -> str:
    """The full name of what a bare name means; empty where it is ambiguous."""
    try:
        return _choose(name, entries, kind="", owner=owner, prefer=prefer).full_name
    except AmbiguousName:
        return ""


def _choose(
    name: str,
    entries: Sequence[RegistryEntry[S]],
    *,
    kind: str,
    owner: str,
    prefer: tuple[str, ...],
) -> RegistryEntry[S]:
    own = [entry for entry in entries if owner and entry.plugin.name == owner]
    if len(own) == 1:
        return own[0]
    if len(entries) == 1:
        return entries[0]
    built_in = [entry for entry in entries if entry.plugin.built_in]
    if len(built_in) > 1:
        least = min(map(_yields, built_in))
        built_in = [entry for entry in built_in if _yields(entry) == least]
    if len(built_in) == 1:
        rivals = [entry for entry in entries if entry is not built_in[0] and not _yields(entry)]
        if not rivals:
            return built_in[0]
        others = ", ".join(entry.owned_name for entry in rivals)
        return replace(built_in[0], note=f"{name} is zoo's own {built_in[0].owned_name}; {others} needs its full name")
    for name_of_plugin in () if built_in else prefer:
        preferred = [entry for entry in entries if entry.plugin.name == name_of_plugin]
        if preferred:
            return preferred[0]
    everyone = ", ".join(sorted(entry.owned_name for entry in entries))
    raise AmbiguousName(
        f"the {kind} {name!r} is offered by more than one plugin: {everyone}",
        hint=f"use the full name, or decide with ZOO_PREFER={entries[0].plugin.name}",
    )


def _yields(entry: RegistryEntry[S]) -> int:
    """Above 0 where it leaves its bare name to another of zoo's own plugins that has less."""
    return entry.spec.yields if isinstance(entry.spec, ModelSpec) else 0


def _unknown(name: str, entries: Sequence[RegistryEntry[S]], *, kind: str, plugins: Sequence[Plugin]) -> UnknownName:
    plugin, _, bare = current_name(name, plugins).rpartition("/")
    broken = [other for other in plugins if other.error and other.name == plugin]
    if broken:
        return UnknownName(
            f"no {kind} named {name!r}: the {broken[0].title} is broken: {broken[0].error}",
            hint=broken[0].hint or "see `zoo plugins`",
        )
    if plugin and plugin not in {other.name for other in plugins}:
        known = ", ".join(sorted(other.name for other in plugins)) or "none"
        return UnknownName(f"no {kind} named {name!r}: no plugin {plugin!r} is installed", hint=f"installed: {known}")
    return UnknownName(f"no {kind} named {name!r}", hint=_suggestion(bare, entries, kind=kind))


def _suggestion(bare: str, entries: Sequence[RegistryEntry[S]], *, kind: str) -> str:
    names: dict[str, int] = {}
    for rank, named in [(_yields(entry), {entry.name}.union(entry.aliases)) for entry in entries]:
        names |= {name: min(rank, names.get(name, rank)) for name in named}
    if close := close_names(bare, names):
        return f"did you mean {' or '.join(close)}?"
    if kind == "model":
        return f"`zoo list` shows all {len(entries)}"
    return f"there are {', '.join(sorted(names)) or 'none'}"
