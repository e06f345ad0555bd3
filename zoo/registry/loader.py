"""Loading plugins one by one and calling their hooks; a broken plugin is reported and the others work.

pluggy marks and checks the hooks.  Its own loader is not used: there one plugin that fails stops all others, and of
two distributions with the same entry-point name the second is ignored in silence.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

import pluggy

from zoo.api import hookspecs
from zoo.api.callback import CallbackSpec
from zoo.api.errors import PluginError, describe_error
from zoo.api.formats import FormatSpec
from zoo.api.hookspecs import API_VERSION, API_VERSIONS, PROJECT
from zoo.api.runtime import RuntimeSpec
from zoo.api.specs import ModelSpec, TaskSpec, TrainerSpec, WeightsSpec, is_name
from zoo.registry.discovery import BUILT_IN, Candidate, title
from zoo.registry.import_guard import HeavyImport, import_guard
from zoo.registry.process_guard import THREAD, process_guard
from zoo.registry.validation import type_error

HOOKS = ("zoo_models", "zoo_trainers", "zoo_weights", "zoo_tasks", "zoo_formats", "zoo_runtimes", "zoo_callbacks")
S = TypeVar("S", ModelSpec, TrainerSpec, WeightsSpec, TaskSpec, FormatSpec, RuntimeSpec, CallbackSpec)
SLOW_SECONDS = 1.0
"""A plugin that takes longer to load gets a warning: every command waits for it."""
MAX_SPECS_PER_HOOK = 20_000
"""Limit of the specs of one hook: a hook that never ends must not fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One installed plugin: its distribution, what it offers, or why it is broken.

    Examples:
        >>> plugin = zoo.Plugin(name="acme", distribution="zoo-acme", version="1.0", error="no module named acme")
        >>> plugin.models, plugin.error
        ((), 'no module named acme')
    """

    name: str
    """The name of its entry point, and its namespace."""
    distribution: str = ""
    """Empty for an object that was passed to `Catalog.discover` instead of installed."""
    version: str = ""
    """Of the distribution."""
    former_names: tuple[str, ...] = ()
    """What it was called in earlier versions of its distribution; these names go on meaning it."""
    models: tuple[ModelSpec, ...] = ()
    """What `zoo_models` gave."""
    trainers: tuple[TrainerSpec, ...] = ()
    """What `zoo_trainers` gave."""
    weights: tuple[WeightsSpec, ...] = ()
    """What `zoo_weights` gave."""
    tasks: tuple[TaskSpec, ...] = ()
    """What `zoo_tasks` gave."""
    formats: tuple[FormatSpec, ...] = ()
    """What `zoo_formats` gave."""
    runtimes: tuple[RuntimeSpec, ...] = ()
    """What `zoo_runtimes` gave."""
    callbacks: tuple[CallbackSpec, ...] = ()
    """What `zoo_callbacks` gave."""
    seconds: float = 0.0
    """How long importing its module and calling its hooks took."""
    changed: tuple[str, ...] = ()
    """What its code changed in the whole process while it was loaded: the current directory, signal handlers, …"""
    error: str = ""
    """Why it offers nothing; empty when all is well."""
    hint: str = ""
    """What to do about the error."""

    @property
    def built_in(self) -> bool:
        """True for what zoo itself ships."""
        return self.distribution == BUILT_IN

    @property
    def title(self) -> str:
        """As messages name it: plugin 'acme' (zoo-acme 1.0)."""
        return title(self.name, self.distribution, self.version)

    @property
    def warning(self) -> str:
        """Sentences for the user when it is broken, slow or changes the process: who, why, what to do; else empty."""
        if self.error:
            return f"the {self.title} is broken and offers nothing: {self.error}\n  {self.hint}"
        leave_out = f"ZOO_DISABLE_PLUGINS={self.name} leaves it out"
        sentences = []
        if self.seconds > SLOW_SECONDS:
            sentences.append(f"takes {self.seconds:.1f} s to load, in every command\n  {leave_out}")
        if THREAD in self.changed:
            sentences.append(f"starts a thread when it is loaded, and every command waits for its end\n  {leave_out}")
        if changes := [name for name in self.changed if name != THREAD]:
            advice = "do this in the modules that its references name"
            sentences.append(
                f"changes {' and '.join(changes)} when it is loaded; zoo undid that\n  {advice}; {leave_out}"
            )
        return "\n".join(f"the {self.title} {sentence}" for sentence in sentences)


def load_plugins(candidates: Iterable[Candidate]) -> tuple[Plugin, ...]:
    """Every candidate loaded by itself, in order; with ZOO_STRICT_PLUGINS=1 the first broken one raises PluginError."""
    strict = os.environ.get("ZOO_STRICT_PLUGINS", "") not in ("", "0")
    taken: dict[str, Candidate] = {}
    return tuple(_load(item, taken.setdefault(item.name, item), strict=strict) for item in candidates)


def _load(candidate: Candidate, first: Candidate, *, strict: bool) -> Plugin:
    start = time.process_time()
    try:
        # stdout is for the command's own output: `zoo list --json` must stay one document whatever a plugin prints
        with redirect_stdout(sys.stderr), process_guard() as changed, import_guard():
            plugin = _call_hooks(candidate, first)
    except KeyboardInterrupt as error:
        error.add_note(f"while the {candidate.title} was loaded; ZOO_DISABLE_PLUGINS={candidate.name} leaves it out")
        raise
    except BaseException as error:
        broken = _broken(candidate, error)
        if strict:
            raise PluginError(f"{broken.title} failed: {broken.error}", hint=broken.hint) from error
        return broken
    return replace(plugin, seconds=time.process_time() - start, changed=tuple(changed))


def _broken(candidate: Candidate, error: BaseException) -> Plugin:
    name, distribution = candidate.name, candidate.distribution
    pip = f"pip install -U {distribution}, pip uninstall {distribution}, or " if distribution else ""
    return Plugin(
        name=name,
        distribution=distribution,
        version=candidate.version,
        former_names=candidate.former_names,
        error=_sentence(error),
        hint=(error.hint if isinstance(error, PluginError) else "") or f"{pip}ZOO_DISABLE_PLUGINS={name}",
    )


def _sentence(error: BaseException) -> str:
    if isinstance(error, PluginError):
        return " ".join(error.message.split())
    return describe_error(error).removeprefix(f"{HeavyImport.__name__}: ")


def _call_hooks(candidate: Candidate, first: Candidate) -> Plugin:
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
    # a manager for each plugin: what a failing plugin has registered is dropped with it
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(implementation, name=candidate.name)
    _check_hooks(manager, implementation)
    trusted = candidate.distribution == BUILT_IN  # zoo's own tests look at its four hundred specs
    plugin = Plugin(
        name=candidate.name,
        distribution=candidate.distribution,
        version=candidate.version,
        former_names=candidate.former_names,
        models=_collect(manager.hook.zoo_models, ModelSpec, trusted=trusted),
        trainers=_collect(manager.hook.zoo_trainers, TrainerSpec, trusted=trusted),
        weights=_collect(manager.hook.zoo_weights, WeightsSpec, trusted=trusted),
        tasks=_collect(manager.hook.zoo_tasks, TaskSpec, trusted=trusted),
        formats=_collect(manager.hook.zoo_formats, FormatSpec, trusted=trusted),
        runtimes=_collect(manager.hook.zoo_runtimes, RuntimeSpec, trusted=trusted),
        callbacks=_collect(manager.hook.zoo_callbacks, CallbackSpec, trusted=trusted),
    )
    _check_duplicates(plugin)
    return plugin


def _check_api(implementation: object) -> None:
    declared = getattr(implementation, "ZOO_API", API_VERSION)
    if declared not in API_VERSIONS:
        known = " and ".join(map(str, API_VERSIONS))
        raise PluginError(f"it declares ZOO_API = {declared!r}, and this zoo supports {known}")


def _check_hooks(manager: pluggy.PluginManager, implementation: object) -> None:
    implemented = {caller.name: caller for caller in manager.get_hookcallers(implementation) or ()}
    for name, caller in implemented.items():
        if caller.spec is None:
            from difflib import get_close_matches  # noqa: PLC0415  only for a typing mistake

            close = get_close_matches(name, HOOKS, n=1)
            raise PluginError(
                f"it implements the unknown hook {name!r}"
                + (f"; did you mean {close[0]!r}?" if close else f"; the hooks are {', '.join(HOOKS)}")
            )
    for name in HOOKS:
        if name not in implemented and callable(getattr(implementation, name, None)):
            raise PluginError(f"its function {name!r} is not marked with @zoo.hookimpl, so it is never called")


def _collect(hook: pluggy.HookCaller, kind: type[S], *, trusted: bool) -> tuple[S, ...]:
    specs: list[S] = []
    for implementation in hook.get_hookimpls():
        answer = implementation.function()
        if not isinstance(answer, Iterable):
            returned = "nothing" if answer is None else f"a {type(answer).__name__}"
            raise PluginError(
                f"its hook {hook.name!r} returned {returned} where an iterable of {kind.__name__} belongs"
            )
        for spec in islice(answer, MAX_SPECS_PER_HOOK + 1):
            # no subclasses: every command would run what they override
            if type(spec) is not kind:
                raise PluginError(
                    f"its hook {hook.name!r} returned a {type(spec).__name__} where a {kind.__name__} belongs"
                )
            if not trusted and (mistake := type_error(spec)):
                named = spec.tag if isinstance(spec, WeightsSpec) else spec.name
                raise PluginError(f"of its {kind.__name__} {named!r} {mistake}")
            specs.append(spec)
        if len(specs) > MAX_SPECS_PER_HOOK:
            raise PluginError(f"its hook {hook.name!r} offers more than {MAX_SPECS_PER_HOOK:,}")
    return tuple(specs)


def _check_duplicates(plugin: Plugin) -> None:
    claims = {
        "model": [name for spec in plugin.models for name in (spec.name, *spec.aliases)],
        "trainer": [spec.name for spec in plugin.trainers],
        "task": [spec.name for spec in plugin.tasks],
        "set of weights": [f"{spec.model}@{spec.tag}" for spec in plugin.weights],
        "runtime": [spec.name for spec in plugin.runtimes],
        "callback": [spec.name for spec in plugin.callbacks],
        "format": [f"{spec.name} for {task}" for spec in plugin.formats for task in spec.tasks],
    }
    for kind, names in claims.items():
        for name, times in Counter(names).items():
            if times > 1:
                raise PluginError(f"it offers {times} times a {kind} named {name!r}")
