"""The entry points of all installed distributions, read so that one damaged record hides nobody else's."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points

from zoo.api.errors import PluginError, UnknownName, describe_error

GROUP = "zoo.plugins"
BUILT_IN = "edgezoo"
"""The distribution whose plugins keep their bare names against everybody's."""
_VALUE = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A plugin before it was loaded."""

    name: str
    load: Callable[[], object]
    distribution: str = ""
    """Empty for an object that was handed over instead of installed."""
    version: str = ""
    module: str = ""
    """The package that it is imported from, without what is below."""

    @property
    def title(self) -> str:
        """As messages name it: plugin 'acme' (zoo-acme 1.0)."""
        return title(self.name, self.distribution, self.version)


def title(name: str, distribution: str, version: str) -> str:
    """As messages name a plugin: plugin 'acme' (zoo-acme 1.0)."""
    return f"plugin {name!r} ({f'{distribution} {version}'.strip() or 'not installed'})"


def installed_candidates() -> tuple[Candidate, ...]:
    """Every entry point of the group `zoo.plugins`, by name; of one name zoo's own first, then by distribution."""
    try:
        entries: Sequence[EntryPoint] = tuple(entry_points(group=GROUP))
    except Exception:
        # one distribution whose entry points cannot be read would hide everybody's: each is read alone
        found = [candidate for one in distributions() for candidate in _of_distribution(one)]
    else:
        known: dict[int, tuple[str, str]] = {}  # reading a distribution's metadata for each entry point takes long
        found = []
        for entry in entries:
            if id(entry.dist) not in known:
                known[id(entry.dist)] = _name_and_version(entry.dist)
            found.append(_candidate(entry, *known[id(entry.dist)]))
    # pip leaves a second record of a distribution behind where it is interrupted
    once = {(one.name, one.distribution, one.module): one for one in reversed(found)}
    return tuple(sorted(once.values(), key=lambda one: (one.name, one.distribution != BUILT_IN, one.distribution)))


def _of_distribution(distribution: Distribution) -> Iterator[Candidate]:
    """The candidates of one distribution; where its entry points cannot be read, one that says so when it is loaded."""
    name, version = _name_and_version(distribution)
    try:
        yield from (_candidate(entry, name, version) for entry in distribution.entry_points.select(group=GROUP))
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


def _candidate(entry: EntryPoint, distribution: str, version: str) -> Candidate:
    load: Callable[[], object] = entry.load
    if not _VALUE.fullmatch(entry.value):
        load = _refusing(
            f"its entry point is {entry.value!r}; it must look like 'zoo_acme.plugin', or 'zoo_acme.plugin:object'"
        )
    elif not distribution:
        load = _refusing(
            "its distribution has no name: the METADATA beside its entry points is missing or damaged",
            hint=f"install what brings the module {entry.value} anew, or ZOO_DISABLE_PLUGINS={entry.name}",
        )
    module = re.split(r"[.:]", entry.value, maxsplit=1)[0]
    return Candidate(name=entry.name, load=load, distribution=distribution, version=version, module=module)


def _refusing(sentence: str, *, hint: str = "") -> Callable[[], object]:
    def load() -> object:
        raise PluginError(sentence, hint=hint)

    return load


def _name_and_version(distribution: Distribution | None) -> tuple[str, str]:
    """What a distribution calls itself; empty where its record does not say."""
    try:
        record = distribution.metadata if distribution else None
        return (str(record["Name"] or ""), str(record["Version"] or "")) if record else ("", "")
    except Exception:  # a missing METADATA is told in other ways by every version of Python
        return "", ""


def plugin_at_fault(error: BaseException) -> str:
    """The title of the third party's plugin in whose code an error arose, innermost first; empty for nobody's."""
    strangers = {one.module: one.title for one in installed_candidates() if one.distribution != BUILT_IN}
    packages, place = [], error.__traceback__
    while place:
        packages.append(str(place.tb_frame.f_globals.get("__name__", "")).partition(".")[0])
        place = place.tb_next
    return next((strangers[package] for package in reversed(packages) if package in strangers), "")


def chosen(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that ZOO_LOAD_PLUGINS ("" is none) and ZOO_DISABLE_PLUGINS leave; UnknownName for one not installed."""
    wanted = os.environ.get("ZOO_LOAD_PLUGINS")
    unwanted = _names(os.environ.get("ZOO_DISABLE_PLUGINS", ""))
    if wanted is None:
        return tuple(one for one in candidates if one.name not in unwanted)
    installed = sorted({one.name for one in candidates})
    for name in _names(wanted):
        if name not in installed:
            raise UnknownName(
                f"ZOO_LOAD_PLUGINS names the plugin {name!r}, which is not installed",
                hint=f"installed are {', '.join(installed) or 'none'}",
            )
    return tuple(one for one in candidates if one.name in _names(wanted) and one.name not in unwanted)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def handed_over(plugin: object) -> Candidate:
    """A candidate from an object with hooks; its `name`, or else the name of its class, is the plugin's name."""
    if isinstance(plugin, Candidate):
        return plugin
    name = getattr(plugin, "name", None) or type(plugin).__name__.lower()
    return Candidate(name=str(name), load=lambda: plugin)
