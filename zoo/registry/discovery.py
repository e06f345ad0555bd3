"""The entry points of all installed distributions, read so that one damaged record hides nobody else's."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from zoo.api.errors import PluginError, UnknownName, describe_error
from zoo.registry.distributions import Entries, canonical, metadata_of, read_entries, read_metadata, record_folders
from zoo.registry.references import resolve

if TYPE_CHECKING:
    from importlib.metadata import Distribution

GROUP = "zoo.plugins"
FORMER_NAMES = "zoo.former_names"
"""Entry points `old = "new"` of a distribution that renamed a plugin: the old name goes on meaning the new one."""
GROUPS = (GROUP, FORMER_NAMES)
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
    folders = record_folders()
    if folders is None:
        candidates = [candidate for distribution in _distributions() for candidate in _of_distribution(distribution)]
    else:
        candidates = [candidate for folder in folders.values() for candidate in _of_folder(folder)]
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


def _distributions() -> Iterable[Distribution]:
    """Every distribution as `importlib.metadata` sees it; of two with one name, the first on `sys.path`."""
    from importlib.metadata import distributions  # noqa: PLC0415  slow to import

    first: dict[object, Distribution] = {}
    for distribution in distributions():
        name, _ = _name_and_version(distribution)
        first.setdefault(canonical(name) or distribution, distribution)
    return first.values()


def _of_folder(folder: str) -> Iterable[Candidate]:
    """The candidates of a record that is a folder."""
    try:
        entries = read_entries(folder)
    except (OSError, ValueError):
        from importlib.metadata import Distribution  # noqa: PLC0415  slow to import

        return _of_distribution(Distribution.at(folder))
    if not entries.get(GROUP):
        return ()
    try:
        metadata = read_metadata(folder)
    except (OSError, ValueError):
        return _candidates(entries, "", "")
    return _candidates(entries, metadata.name, metadata.version)


def _of_distribution(distribution: Distribution) -> Iterable[Candidate]:
    """The candidates of one distribution; if its entry points cannot be read, one whose loading raises PluginError."""
    name, version = _name_and_version(distribution)
    try:
        points = distribution.entry_points
    except Exception as error:
        refused = Candidate(
            name=re.sub(r"\W+", "_", name.lower()) or "unnamed",
            load=_refusing(
                f"its entry_points.txt cannot be read ({describe_error(error)})",
                hint=f"pip install --force-reinstall {name}, or pip uninstall {name}",
            ),
            distribution=name,
            version=version,
        )
        return (refused,)
    groups = {group: tuple((point.name, point.value) for point in points.select(group=group)) for group in GROUPS}
    return _candidates(groups, name, version)


def _candidates(entries: Entries, distribution: str, version: str) -> list[Candidate]:
    """The candidates of a distribution from the names and values of its entry points."""
    former = entries.get(FORMER_NAMES, ())
    return [
        Candidate(
            name=name,
            load=_load_of(name, value, distribution),
            distribution=distribution,
            version=version,
            module=re.split(r"[.:]", value, maxsplit=1)[0],
            former_names=tuple(old for old, new in former if new == name),
        )
        for name, value in entries.get(GROUP, ())
    ]


def _load_of(name: str, value: str, distribution: str) -> Callable[[], object]:
    """What loads the object that an entry point names, or says why it cannot."""
    if not _VALUE.fullmatch(value):
        return _refusing(
            f"its entry point is {value!r}; it must look like 'zoo_acme.plugin', or 'zoo_acme.plugin:object'"
        )
    if not distribution:
        return _refusing(
            "its distribution has no name: the METADATA beside its entry points is missing or damaged",
            hint=f"reinstall the package of the module {value}, or set ZOO_DISABLE_PLUGINS={name}",
        )
    return partial(resolve, value)


def _refusing(sentence: str, *, hint: str = "") -> Callable[[], object]:
    def load() -> object:
        raise PluginError(sentence, hint=hint)

    return load


def _name_and_version(distribution: Distribution) -> tuple[str, str]:
    """Name and version of a distribution; empty where its metadata do not say."""
    try:
        metadata = metadata_of(distribution)
    except Exception:  # every version of Python reports a missing METADATA in another way
        return "", ""
    return metadata.name, metadata.version


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
