"""Checks of what a plugin declares: it loads, listing it imports nothing heavy, and everything it names exists."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from inspect import getmembers, isfunction
from typing import Any, Final

from zoo.api.api_1 import TaskApi1
from zoo.api.callback import CallbackSpec
from zoo.api.data import counted
from zoo.api.errors import ZooError
from zoo.api.formats import FormatSpec
from zoo.api.parts import TaskAnswers, TaskData, TaskGraphs, TaskTensors
from zoo.api.runtime import RuntimeSpec
from zoo.api.specs import PARTS, ModelSpec, Reference, TaskSpec, TaskTags, TrainerSpec, WeightsSpec
from zoo.api.trainer import Trainer
from zoo.registry.api_1 import renamed_device
from zoo.registry.loader import Plugin
from zoo.registry.name_resolution import RegistryEntry
from zoo.registry.references import resolve
from zoo.runs.serialization import from_json, to_json
from zoo.testing.check_context import CheckContext
from zoo.testing.score import Failing

Spec = ModelSpec | TrainerSpec | WeightsSpec | TaskSpec | FormatSpec | RuntimeSpec | CallbackSpec
LIST_PLUGIN: Final = """
import json, sys
from zoo.registry.catalog import Catalog
catalog = Catalog.discover()
list(catalog.models()), list(catalog.weights())
for task in catalog.tasks():
    if not catalog.missing(task) and not task.plugin.error:
        made = catalog.make_task(task.full_name)
        made.data, made.answers
errors = [plugin.error for plugin in catalog.plugins if plugin.error]
print(json.dumps({"errors": errors, "tasks": sorted(sys.modules)}))
"""
"""Run in a new process: prints the errors of listing the plugin, and what is imported after its tasks are made."""


def loads(context: CheckContext, plugin: Plugin) -> str:
    """Its module can be imported, and its hooks return specs."""
    del context
    if plugin.error:
        raise Failing(plugin.error, next_step=f"ZOO_STRICT_PLUGINS=1 zoo info {plugin.name} --traceback")
    count = len(_specs(plugin))
    if not count:
        raise Failing("it offers nothing", next_step="implement a hook, as in @zoo.hookimpl def zoo_models(): ...")
    return f"{count} specs"


def _specs(plugin: Plugin) -> tuple[Spec, ...]:
    libraries = (plugin.formats, plugin.runtimes, plugin.callbacks)
    offered = (plugin.models, plugin.trainers, plugin.weights, plugin.tasks, *libraries)
    return tuple(spec for specs in offered for spec in specs)


def torch_free(context: CheckContext, plugin: Plugin) -> str:
    """Listing it imports none of torch, torchvision, onnx, onnxruntime and numpy; making its tasks imports no torch."""
    del context
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "ZOO_LOAD_PLUGINS": plugin.name,
    }
    environment.pop("ZOO_DISABLE_PLUGINS", None)
    done = subprocess.run(
        [sys.executable, "-c", LIST_PLUGIN], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failing(f"it cannot be listed in a new process: {done.stderr.strip().splitlines()[-1:]}")
    listed = json.loads(done.stdout)
    if listed["errors"]:
        raise Failing(
            listed["errors"][0],
            next_step="name what is heavy by reference, 'package.module:object', and import it in that module",
        )
    if "torch" in listed["tasks"]:
        raise Failing(
            "data or answers of its task import torch", next_step="torch belongs to the parts tensors and graphs"
        )
    return "nothing heavy"


def names(context: CheckContext, plugin: Plugin) -> str:
    """Every task, trainer and model that a spec names exists, and each model has a trainer for its task."""
    catalog, mistakes, count = context.catalog, [], 0
    for spec in plugin.models:
        if spec.not_available:
            continue
        entry = RegistryEntry(plugin=plugin, spec=spec)
        try:
            task = catalog.task(spec.task).full_name
            trainer = catalog.trainer(spec.trainer, owner=plugin.name)
            if catalog.task(trainer.spec.task).full_name != task:
                mistakes.append(
                    f"{entry.full_name} is for {spec.task}, its trainer {trainer.name} for {trainer.spec.task}"
                )
            for whole in spec.part_of:
                catalog.model(whole if "/" in whole else f"{plugin.name}/{whole}")
        except ZooError as error:
            mistakes.append(f"{entry.full_name}: {error.message}")
        count += 2
    for weights in (RegistryEntry(plugin=plugin, spec=spec) for spec in plugin.weights):
        try:
            catalog.model(weights.model)
        except ZooError as error:
            mistakes.append(f"{weights.full_name}: {error.message}")
        count += 1
    return pass_or_fail(mistakes, f"{count} names")


def references(context: CheckContext, plugin: Plugin) -> str:
    """Every "module:object" exists; tasks and trainers have the methods of their protocols."""
    mistakes, count = [], 0
    for entry, field, reference in _references(plugin):
        if context.catalog.missing(entry):
            continue
        count += 1
        try:
            found = context.catalog.load(entry, reference)
            mistakes += [
                f"{entry.full_name}: {field} {reference!r} {text}" for text in _mistakes(entry.spec, field, found)
            ]
        except ZooError as error:
            mistakes.append(error.message)
    return pass_or_fail(mistakes, f"{count} references")


def _references(plugin: Plugin) -> Iterator[tuple[RegistryEntry[Any], str, Reference]]:
    fields = ("builder", "adapter", "features", "trainer", "task", *PARTS, "remap", "classes", "vocabulary")
    for spec in _specs(plugin):
        entry: RegistryEntry[Any] = RegistryEntry(plugin=plugin, spec=spec)
        for field in (*fields, "detect", "read", "write", "callback", "engine", "setup"):
            value = getattr(spec, field, None)
            if isinstance(value, str) and ":" in value:
                yield entry, field, value
        for whole, reference in getattr(spec, "part_of", {}).items():
            yield entry, f"part_of {whole}", reference


def _mistakes(spec: object, field: str, found: object) -> Iterator[str]:
    """Each mistake in the object that a reference names, as the end of a sentence."""
    if field in ("classes", "vocabulary"):
        if not isinstance(found, tuple) or not all(isinstance(word, str) for word in found):
            yield "is not a tuple of strings"
        return
    if not callable(found):
        yield "is not callable"
        return
    if isinstance(spec, TaskSpec) and field == "device":
        package = str(spec.device).partition(":")[0]
        # a public name of zoo stands for the module that it lives in
        yield from _device_errors(sys.modules[found.__module__ if package == "zoo" else package], spec.tags)
        return
    protocol = PROTOCOLS.get((type(spec), field))
    if protocol is None:
        return
    made = found()
    tagged = {method for (part, _), method in TAGGED.items() if part == field}
    wanted = {name for name, _ in getmembers(protocol, isfunction) if not name.startswith("_")} - tagged
    missing = sorted(name for name in wanted if not callable(getattr(made, name, None)))
    if missing:
        yield f"has no {', '.join(missing)}"
    if isinstance(spec, TaskSpec):
        yield from _tag_errors(made, field, spec.tags)
    if isinstance(spec, TaskSpec) and field == "task":
        yield from _runner_type_errors(made)


PROTOCOLS: Final[dict[tuple[type, str], type]] = {
    (TrainerSpec, "trainer"): Trainer,
    (TaskSpec, "data"): TaskData,
    (TaskSpec, "tensors"): TaskTensors,
    (TaskSpec, "graphs"): TaskGraphs,
    (TaskSpec, "answers"): TaskAnswers,
    (TaskSpec, "task"): TaskApi1,
}
"""What the object that a field of a spec names must look like."""

TAGGED: Final[dict[tuple[str, str], str]] = {
    ("data", "reads_text"): "read_text",
    ("answers", "generative"): "generate",
    ("answers", "unconditional"): "prompts",
    ("answers", "pairwise"): "compare",
    ("answers", "has_threshold"): "calibrate",
    ("answers", "has_boundary"): "boundary_cases",
    ("device", "reads_text"): "read_text",
    ("device", "generative"): "generate",
    ("device", "pairwise"): "compare",
}
"""Part and tag to the method that the tag promises."""


def _tag_errors(made: Any, part: str, tags: TaskTags) -> Iterator[str]:
    """Where a part and the tags of its task contradict each other; a tag is what the rest of zoo goes by."""
    for (owner, tag), method in TAGGED.items():
        if owner == part and callable(getattr(made, method, None)) != bool(getattr(tags, tag)):
            yield (
                f"has no {method}, which the tag {tag} promises"
                if getattr(tags, tag)
                else (f"has {method}, which nothing calls without the tag {tag}: TaskTags({tag}=True)")
            )


def _device_errors(module: Any, tags: TaskTags) -> Iterator[str]:
    """What the module that bundles carry lacks, and what it has against the tags."""
    wanted = ["read"] if hasattr(module, "keep") else ["read", "show"]
    missing = [name for name in wanted if not callable(getattr(module, name, None))]
    if missing:
        yield f"is in the module {module.__name__}, which has no {', '.join(missing)}"
    for error in _tag_errors(module, "device", tags):
        yield f"is in the module {module.__name__}, which {error}"


def _runner_type_errors(task: Any) -> Iterator[str]:
    """What is wrong with what a task names besides its methods."""
    for name in ("name", "monitor", "runner"):
        if not hasattr(task, name):
            yield f"has no attribute {name}"
    try:
        resolve(renamed_device(getattr(task, "runner", "zoo:API_VERSION")))
    except (ImportError, AttributeError) as error:
        yield f"names the runner {task.runner!r}, which does not exist: {error}"


def json_round_trip(context: CheckContext, plugin: Plugin) -> str:
    """Every spec is equal to itself after it was written as JSON and read again."""
    del context
    mistakes = []
    specs = _specs(plugin)
    for spec in specs:
        name = spec.tag if isinstance(spec, WeightsSpec) else spec.name
        try:
            text = json.dumps(to_json(spec), allow_nan=False)
            if from_json(type(spec), json.loads(text), where=name) != spec:
                mistakes.append(f"{name} is another spec after reading it back")
        except (TypeError, ValueError) as error:
            mistakes.append(f"{name} is no JSON: {error}")
        except ZooError as error:
            mistakes.append(error.message)
    return pass_or_fail(
        mistakes, f"{len(specs)} specs", next_step="keep to the types of the fields: tuples, numbers, strings"
    )


def licences(context: CheckContext, plugin: Plugin) -> str:
    """Every model names the licence of its code."""
    del context
    without = [spec.name for spec in plugin.models if not spec.licence.strip()]
    if without:
        raise Failing(
            f"no licence is named for {', '.join(without[:6])}{', …' if len(without) > 6 else ''}",
            next_step='ModelSpec(..., licence="Apache-2.0"), an SPDX name',
        )
    return counted(len(plugin.models), "model")


def pass_or_fail(mistakes: list[str], detail: str, *, next_step: str = "") -> str:
    """The detail of a passed check; Failing with the first three mistakes where there are any."""
    if mistakes:
        more = f"; and {len(mistakes) - 3} more" if len(mistakes) > 3 else ""
        raise Failing("; ".join(mistakes[:3]) + more, next_step=next_step)
    return detail
