"""Finding plugins and asking each, alone, what it offers; a broken one is remembered and stops nobody.

pluggy marks and checks the hooks.  Its own loader is not used: there one plugin that fails takes all others
along, and of two distributions with one entry-point name the second vanishes silently.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import TypeVar, cast

import pluggy

from zoo import hookspecs
from zoo.errors import PluginError, UnknownName
from zoo.hookspecs import API_VERSION, PROJECT
from zoo.light import HeavyImport, light
from zoo.specs import ModelSpec, TaskSpec, TrainerSpec, WeightsSpec, is_name

GROUP = "zoo.plugins"
BUILT_IN = "edgezoo"
"""The distribution whose plugins keep their bare names against everybody's."""

HOOKS = ("zoo_models", "zoo_trainers", "zoo_weights", "zoo_tasks")
S = TypeVar("S", ModelSpec, TrainerSpec, WeightsSpec, TaskSpec)
SLOW = 1.0
"""Seconds above which a plugin is named for making every command wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One installed plugin: who brings it, what it offers, or why it is broken."""

    name: str
    distribution: str = ""
    """Empty for an object that was handed over instead of installed."""
    version: str = ""
    models: tuple[ModelSpec, ...] = ()
    trainers: tuple[TrainerSpec, ...] = ()
    weights: tuple[WeightsSpec, ...] = ()
    tasks: tuple[TaskSpec, ...] = ()
    seconds: float = 0.0
    """How long it took to be asked, importing its module included."""
    error: str = ""
    """Why it offers nothing; empty when all is well."""
    cure: str = ""
    """What to do about the error."""

    @property
    def built_in(self) -> bool:
        """True for what zoo itself ships."""
        return self.distribution == BUILT_IN

    @property
    def title(self) -> str:
        """As messages name it: plugin 'acme' (zoo-acme 1.0)."""
        origin = f"{self.distribution} {self.version}".strip() or "not installed"
        return f"plugin {self.name!r} ({origin})"

    @property
    def complaint(self) -> str:
        """A sentence for the user when it is broken or slow: who, why, and what to do; empty when all is well."""
        if self.error:
            return f"the {self.title} is broken and offers nothing: {self.error}\n  {self.cure}"
        if self.seconds > SLOW:
            leave_out = f"ZOO_DISABLE_PLUGINS={self.name} leaves it out"
            return f"the {self.title} takes {self.seconds:.1f} s to be listed, in every command\n  {leave_out}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A plugin before it was loaded."""

    name: str
    load: Callable[[], object]
    distribution: str = ""
    version: str = ""


def installed_candidates() -> tuple[Candidate, ...]:
    """Every entry point of the group `zoo.plugins`, by name; of one name zoo's own first, then by distribution."""
    known: dict[int, tuple[str, str]] = {}  # reading a distribution's metadata anew for each entry point takes long
    found = []
    for entry in entry_points(group=GROUP):
        if id(entry.dist) not in known:
            known[id(entry.dist)] = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
        name, version = known[id(entry.dist)]
        found.append(Candidate(name=entry.name, load=entry.load, distribution=name, version=version))
    return tuple(sorted(found, key=lambda one: (one.name, one.distribution != BUILT_IN, one.distribution)))


def culprit(error: BaseException) -> str:
    """The title of the third party's plugin in whose code an error arose, innermost first; empty for nobody's."""
    strangers = {
        entry.module.partition(".")[0]: (entry.name, entry.dist.name, entry.dist.version)
        for entry in entry_points(group=GROUP)
        if entry.dist and entry.dist.name != BUILT_IN
    }
    packages, place = [], error.__traceback__
    while place:
        packages.append(str(place.tb_frame.f_globals.get("__name__", "")).partition(".")[0])
        place = place.tb_next
    for package in reversed(packages):
        if package in strangers:
            name, distribution, version = strangers[package]
            return Plugin(name=name, distribution=distribution, version=version).title
    return ""


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


def load_plugins(candidates: Iterable[Candidate]) -> tuple[Plugin, ...]:
    """Each candidate loaded alone, in order; with ZOO_STRICT_PLUGINS=1 the first broken one raises PluginError."""
    strict = os.environ.get("ZOO_STRICT_PLUGINS", "") not in ("", "0")
    taken: dict[str, Candidate] = {}
    return tuple(_load(one, taken.setdefault(one.name, one), strict=strict) for one in candidates)


def _load(candidate: Candidate, first: Candidate, *, strict: bool) -> Plugin:
    start = time.perf_counter()
    try:
        # stdout belongs to zoo's answers: `zoo list --json` must stay one document whatever a plugin prints
        with redirect_stdout(sys.stderr), light():
            plugin = _ask(candidate, first)
    except (Exception, SystemExit) as error:
        broken = _broken(candidate, error)
        if strict:
            raise PluginError(f"{broken.title} failed: {broken.error}", hint=broken.cure) from error
        return broken
    return replace(plugin, seconds=time.perf_counter() - start)


def _broken(candidate: Candidate, error: BaseException) -> Plugin:
    spoken = error.message if isinstance(error, PluginError) else str(error)
    sentence = spoken if isinstance(error, PluginError | HeavyImport) else f"{type(error).__name__}: {spoken}"
    name, distribution = candidate.name, candidate.distribution
    pip = f"pip install -U {distribution}, pip uninstall {distribution}, or " if distribution else ""
    return Plugin(
        name=name,
        distribution=distribution,
        version=candidate.version,
        error=sentence,
        cure=(error.hint if isinstance(error, PluginError) else "") or f"{pip}ZOO_DISABLE_PLUGINS={name}",
    )


def _ask(candidate: Candidate, first: Candidate) -> Plugin:
    if first is not candidate:
        raise PluginError(
            f"the name {candidate.name!r} is already taken by {first.distribution} {first.version}",
            hint=f"pip uninstall {candidate.distribution}, or {first.distribution}",
        )
    if not is_name(candidate.name):
        raise PluginError(
            f"a plugin cannot be named {candidate.name!r}: lower case letters, digits and underscores, as in 'acme'"
        )
    implementation = candidate.load()
    _check_api(implementation)
    # a manager of its own: what a plugin half-registered before it failed is gone with it
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(implementation, name=candidate.name)
    _check_hooks(manager, implementation)
    plugin = Plugin(
        name=candidate.name,
        distribution=candidate.distribution,
        version=candidate.version,
        models=_collect(manager.hook.zoo_models, ModelSpec),
        trainers=_collect(manager.hook.zoo_trainers, TrainerSpec),
        weights=_collect(manager.hook.zoo_weights, WeightsSpec),
        tasks=_collect(manager.hook.zoo_tasks, TaskSpec),
    )
    _check_duplicates(plugin)
    return plugin


def _check_api(implementation: object) -> None:
    declared = getattr(implementation, "ZOO_API", API_VERSION)
    if declared != API_VERSION:
        raise PluginError(f"it declares ZOO_API = {declared!r}, and this zoo speaks {API_VERSION}")


def _check_hooks(manager: pluggy.PluginManager, implementation: object) -> None:
    implemented = {caller.name: caller for caller in manager.get_hookcallers(implementation) or ()}
    for name, caller in implemented.items():
        if caller.spec is None:
            close = get_close_matches(name, HOOKS, n=1)
            raise PluginError(
                f"it implements the unknown hook {name!r}"
                + (f"; did you mean {close[0]!r}?" if close else f"; the hooks are {', '.join(HOOKS)}")
            )
    for name in HOOKS:
        if name not in implemented and callable(getattr(implementation, name, None)):
            raise PluginError(f"its function {name!r} is not marked with @zoo.hookimpl, so nobody calls it")


def _collect(hook: pluggy.HookCaller, kind: type[S]) -> tuple[S, ...]:
    specs: list[S] = []
    for implementation in hook.get_hookimpls():
        for spec in cast("Iterable[object]", implementation.function()):
            if not isinstance(spec, kind):
                raise PluginError(
                    f"its hook {hook.name!r} returned a {type(spec).__name__} where a {kind.__name__} belongs"
                )
            specs.append(spec)
    return tuple(specs)


def _check_duplicates(plugin: Plugin) -> None:
    claims = {
        "model": [name for spec in plugin.models for name in (spec.name, *spec.aliases)],
        "trainer": [spec.name for spec in plugin.trainers],
        "task": [spec.name for spec in plugin.tasks],
        "set of weights": [f"{spec.model}@{spec.tag}" for spec in plugin.weights],
    }
    for kind, names in claims.items():
        for name, times in Counter(names).items():
            if times > 1:
                raise PluginError(f"it offers {times} times a {kind} named {name!r}")
