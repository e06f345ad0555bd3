"""The entry points of all installed distributions, read so that one damaged record hides nobody else's."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from typing import Protocol

from zoo.api.errors import PluginError, UnknownName, describe_error

GROUP = "zoo.plugins"
FORMER_NAMES = "zoo.former_names"
"""Entry points `old = "new"` of a distribution that renamed a plugin: the old name goes on meaning the new one."""
BUILT_IN = "edgezoo"
"""The distribution whose plugins keep their bare names where others offer the same."""
_VALUE = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A plugin before it was loaded."""

    name: str
    load: Callable[[], object]
    distribution: str = ""
    """Empty for an object that was passed to `Catalog.discover` instead of installed."""
    version: str = ""
    module: str = ""
    """The top-level package that it is imported from."""
    former_names: tuple[str, ...] = ()
    """What the plugin was called in earlier versions of its distribution."""

    @property
    def title(self) -> str:
        """As messages name it: plugin 'acme' (zoo-acme 1.0)."""
        return title(self.name, self.distribution, self.version)


def title(name: str, distribution: str, version: str) -> str:
    """As messages name a plugin: plugin 'acme' (zoo-acme 1.0)."""
    return f"plugin {name!r} ({f'{distribution} {version}'.strip() or 'not installed'})"


def installed_candidates() -> tuple[Candidate, ...]:
    """Every entry point of the group `zoo.plugins`, sorted by name, then zoo's own first, then by distribution."""
    try:
        entries = entry_points()
        plugins, former = tuple(entries.select(group=GROUP)), tuple(entries.select(group=FORMER_NAMES))
    except Exception:
        # one distribution whose entry points cannot be read would hide those of all others: each is read alone
        candidates = [candidate for distribution in distributions() for candidate in _of_distribution(distribution)]
    else:
        known: dict[int, tuple[str, str]] = {}  # reading a distribution's metadata for each entry point takes long
        candidates = []
        for entry in plugins:
            if id(entry.dist) not in known:
                known[id(entry.dist)] = _name_and_version(entry.dist)
            renamed = [other for other in former if other.dist is entry.dist]
            candidates.append(_candidate(entry, *known[id(entry.dist)], former=renamed))
    # pip leaves a second record of a distribution behind where it is interrupted
    unique = {(item.name, item.distribution, item.module): item for item in reversed(candidates)}
    return tuple(
        sorted(unique.values(), key=lambda item: (item.name, item.distribution != BUILT_IN, item.distribution))
    )


class Named(Protocol):
    """A plugin, loaded or not, as far as its name goes."""

    @property
    def name(self) -> str: ...

    @property
    def distribution(self) -> str: ...

    @property
    def former_names(self) -> tuple[str, ...]: ...


def current_plugin(name: str, plugins: Iterable[Named]) -> str:
    """The present name of the plugin that is or was called so; the name itself where nobody is or was.

    A plugin that has the name now beats one that had it; of two that had it, zoo's own beats the others.
    """
    plugins = tuple(plugins)
    renamed = [plugin for plugin in plugins if name in plugin.former_names]
    if not renamed or any(plugin.name == name for plugin in plugins):
        return name
    return min(renamed, key=lambda plugin: (plugin.distribution != BUILT_IN, plugin.name)).name


def current_name(full_name: str, plugins: Iterable[Named]) -> str:
    """A full name of a model, a task or weights with the present names of its plugins: huggingface/bert_tiny."""
    plugins = tuple(plugins)
    parts = [part.rpartition("/") for part in full_name.split("@", 1)]
    return "@".join(f"{current_plugin(plugin, plugins)}{slash}{name}" for plugin, slash, name in parts)


def same_name(first: str, second: str) -> bool:
    """Whether two full names mean the same: transformers/bert_tiny, as 0.1 wrote it, is huggingface/bert_tiny."""
    if first == second:
        return True
    plugins = installed_candidates()
    return current_name(first, plugins) == current_name(second, plugins)


def _of_distribution(distribution: Distribution) -> Iterator[Candidate]:
    """The candidates of one distribution; if its entry points cannot be read, one whose loading raises PluginError."""
    name, version = _name_and_version(distribution)
    try:
        entries = distribution.entry_points
        former = tuple(entries.select(group=FORMER_NAMES))
        yield from (_candidate(entry, name, version, former=former) for entry in entries.select(group=GROUP))
    except Exception as error:
        yield Candidate(
            name=re.sub(r"\W+", "_", name.lower()) or "unnamed",
            load=_refusing(
                f"its entry_points.txt cannot be read ({describe_error(error)})",
                hint=f"pip install --force-reinstall {name}, or pip uninstall {name}",
            ),
            distribution=name,
            version=version,
        )


def _candidate(entry: EntryPoint, distribution: str, version: str, *, former: Iterable[EntryPoint]) -> Candidate:
    load: Callable[[], object] = entry.load
    if not _VALUE.fullmatch(entry.value):
        load = _refusing(
            f"its entry point is {entry.value!r}; it must look like 'zoo_acme.plugin', or 'zoo_acme.plugin:object'"
        )
    elif not distribution:
        load = _refusing(
            "its distribution has no name: the METADATA beside its entry points is missing or damaged",
            hint=f"reinstall the package of the module {entry.value}, or set ZOO_DISABLE_PLUGINS={entry.name}",
        )
    module = re.split(r"[.:]", entry.value, maxsplit=1)[0]
    return Candidate(
        name=entry.name,
        load=load,
        distribution=distribution,
        version=version,
        module=module,
        former_names=tuple(other.name for other in former if other.value == entry.name),
    )


def _refusing(sentence: str, *, hint: str = "") -> Callable[[], object]:
    def load() -> object:
        raise PluginError(sentence, hint=hint)

    return load


def _name_and_version(distribution: Distribution | None) -> tuple[str, str]:
    """Name and version of a distribution; empty where its metadata do not say."""
    try:
        record = distribution.metadata if distribution else None
        return (str(record["Name"] or ""), str(record["Version"] or "")) if record else ("", "")
    except Exception:  # every version of Python reports a missing METADATA in another way
        return "", ""


def plugin_at_fault(error: BaseException) -> str:
    """The third-party plugin whose code is innermost in an error's traceback, by its title; empty if there is none."""
    titles = {plugin.module: plugin.title for plugin in installed_candidates() if plugin.distribution != BUILT_IN}
    packages, traceback = [], error.__traceback__
    while traceback:
        packages.append(str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0])
        traceback = traceback.tb_next
    return next((titles[package] for package in reversed(packages) if package in titles), "")


def enabled_candidates(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates that the environment allows.

    ZOO_LOAD_PLUGINS lists the only ones to load ("" loads none), ZOO_DISABLE_PLUGINS those to leave out.  UnknownName
    where ZOO_LOAD_PLUGINS names a plugin that is not installed.
    """
    load_only = os.environ.get("ZOO_LOAD_PLUGINS")
    disabled = _names(os.environ.get("ZOO_DISABLE_PLUGINS", ""), candidates)
    if load_only is None:
        return tuple(candidate for candidate in candidates if candidate.name not in disabled)
    installed = sorted({candidate.name for candidate in candidates})
    names = _names(load_only, candidates)
    for name in names:
        if name not in installed:
            raise UnknownName(
                f"ZOO_LOAD_PLUGINS names the plugin {name!r}, which is not installed",
                hint=f"installed are {', '.join(installed) or 'none'}",
            )
    return tuple(candidate for candidate in candidates if candidate.name in names and candidate.name not in disabled)


def _names(text: str, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    return tuple(current_plugin(name.strip(), candidates) for name in text.split(",") if name.strip())


def object_candidate(plugin: object) -> Candidate:
    """A candidate from an object with hooks; the plugin's name is its attribute `name`, else the name of its class."""
    if isinstance(plugin, Candidate):
        return plugin
    name = getattr(plugin, "name", None) or type(plugin).__name__.lower()
    return Candidate(name=str(name), load=lambda: plugin)
