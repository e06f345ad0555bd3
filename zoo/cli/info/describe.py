"""One named thing told in full, to people and as JSON: what `zoo info` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from zoo.api.callback import CallbackSpec
from zoo.api.formats import FormatSpec
from zoo.api.runtime import RuntimeSpec
from zoo.api.specs import ModelSpec, TaskSpec, TaskTags, TrainerSpec, WeightsSpec
from zoo.cli.list.callbacks import callback_record
from zoo.cli.list.models import weights_record
from zoo.cli.list.runtimes import describe_runtime
from zoo.cli.plugins.plugins import offered, plugin_record
from zoo.cli.terminal import text
from zoo.cli.terminal.output import Output
from zoo.registry.catalog import Catalog
from zoo.registry.loader import Plugin
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.serialization import to_json
from zoo_export.sweep.verdicts import known_verdict

Formats = tuple[RegistryEntry[FormatSpec], ...]
"""What one name of a format means: a spec for each kind of task."""


def describe(out: Output, catalog: Catalog, thing: RegistryEntry[Any] | Plugin | Formats) -> None:
    """Print everything about an offer or a plugin."""
    if isinstance(thing, tuple):
        _formats(out, thing)
        return
    if isinstance(thing, Plugin):
        _plugin(out, thing)
        return
    out.note(thing.note)
    match thing.spec:
        case ModelSpec():
            _model(out, catalog, thing)
        case WeightsSpec():
            _weights(out, thing)
        case TaskSpec():
            _task(out, catalog, thing)
        case TrainerSpec():
            _trainer(out, thing)
        case CallbackSpec():
            _callback(out, catalog, thing)
        case RuntimeSpec():
            describe_runtime(out, catalog, thing)


def _origin(plugin: Plugin) -> str:
    return f"{plugin.name} ({plugin.distribution} {plugin.version})".replace("( )", "(not installed)")


def _origin_record(plugin: Plugin) -> dict[str, str]:
    return {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}


def _model(out: Output, catalog: Catalog, model: RegistryEntry[ModelSpec]) -> None:
    spec, weights, missing = model.spec, catalog.weights(model.full_name), catalog.missing(model)
    out.document(
        {
            "schema": 1,
            "kind": "model",
            **to_json(spec),
            "name": model.full_name,
            "plugin": _origin_record(model.plugin),
            "weights": [weights_record(entry) for entry in weights],
            "proof": known_verdict(model.full_name),
            "available": not missing and not spec.not_available,
        }
    )
    out.facts(
        [
            ("model", model.full_name),
            ("", spec.summary),
            ("aliases", ", ".join(spec.aliases)),
            ("in training", "; ".join(_in_training(catalog, model))),
            ("plugin", _origin(model.plugin)),
            ("task", spec.task),
            ("parameters", f"{spec.parameters:,}" if spec.parameters else ""),
            ("gflops", f"{spec.gflops:g}" if spec.gflops else ""),
            ("paper", spec.paper),
            ("licence", spec.licence),
            ("trainer", spec.trainer),
            ("part of", ", ".join(spec.part_of)),
            (
                "needs",
                f"{', '.join(missing)}: pip install '{model.plugin.distribution}[{spec.extra}]'" if missing else "",
            ),
            ("not available", spec.not_available),
            ("not exportable", spec.export.not_exportable),
            ("proof", known_verdict(model.full_name)),
            *(
                (f"input {key}", _value(value))
                for key, value in _flatten(to_json(spec)["input"]).items()
                if key != "kind"
            ),
        ]
    )
    _recipes(out, to_json(spec)["recipes"])
    if weights:
        out.line()
        out.table(
            ("weights", "licence", "size", "metrics", "url"),
            [
                (
                    entry.bare_name,
                    text.licence(entry.spec.licence),
                    text.size(entry.spec.size),
                    text.metrics(entry.spec.metrics),
                    entry.spec.url or entry.spec.hub or "ships with the package",
                )
                for entry in weights
            ],
            right=("size",),
        )
    out.line()
    if spec.not_available:
        out.next("zoo list")
        return
    out.next(f"zoo train {model.bare_name}{' --weights ...' if model.spec.from_weights else ''}")


def _in_training(catalog: Catalog, model: RegistryEntry[ModelSpec]) -> list[str]:
    """What an alias means in `zoo train`, where the pictures decide."""
    own = [f"{alias} means this model for pictures up to {side} px" for alias, side in model.spec.takes_over.items()]
    return own + [
        f"{alias} means {member.bare_name} for pictures up to {member.spec.takes_over[alias]} px, else this model"
        for alias, member in catalog.taken_over(model)
    ]


def _recipes(out: Output, recipes: Mapping[str, Mapping[str, Any]]) -> None:
    """One column per recipe, one row per number."""
    flat = {name: _flatten(recipe) for name, recipe in recipes.items()}
    keys = list(dict.fromkeys(key for numbers in flat.values() for key in numbers))
    if keys:
        out.line()
        out.table(("recipe", *flat), [(key, *(_value(numbers.get(key)) for numbers in flat.values())) for key in keys])


def _flatten(numbers: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in numbers.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _value(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, list | tuple):
        return " ".join(_value(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _weights(out: Output, weights: RegistryEntry[WeightsSpec]) -> None:
    spec = weights.spec
    out.document({"schema": 1, "kind": "weights", **weights_record(weights), "plugin": _origin_record(weights.plugin)})
    out.facts(
        [
            ("weights", weights.full_name),
            ("plugin", _origin(weights.plugin)),
            ("licence", spec.licence),
            ("metrics", text.metrics(spec.metrics)),
            ("measured on", spec.data),
            ("size", text.size(spec.size)),
            ("sha256", spec.sha256),
            ("url", spec.url),
            ("on the hub", spec.hub),
            ("ships in", spec.resource),
            ("made by", spec.recipe),
            ("classes", spec.classes if isinstance(spec.classes, str) else ", ".join(spec.classes[:12])),
        ]
    )
    out.line()
    out.next(f"zoo predict {weights.bare_name} FILE")


def _task(out: Output, catalog: Catalog, task: RegistryEntry[TaskSpec]) -> None:
    models = catalog.models(task=task.full_name)
    trainers = [one for one in catalog.trainers() if catalog.is_for(one, task)]
    formats = catalog.formats(task.full_name)
    out.document(
        {
            "schema": 1,
            "kind": "task",
            **to_json(task.spec),
            "name": task.full_name,
            "plugin": _origin_record(task.plugin),
            "models": [model.full_name for model in models],
            "trainers": [trainer.full_name for trainer in trainers],
            "formats": [{"name": entry.bare_name, "summary": entry.spec.summary} for entry in formats],
        }
    )
    out.facts(
        [
            ("task", task.full_name),
            ("", task.spec.summary),
            ("plugin", _origin(task.plugin)),
            ("default data", task.spec.default_data),
            ("metric", task.spec.monitored),
            ("trainers", ", ".join(trainer.full_name for trainer in trainers)),
            ("tags", ", ".join(_tags(task.spec.tags))),
            ("models", str(len(models))),
            *(("format " + entry.bare_name, entry.spec.summary) for entry in formats),
        ]
    )
    out.line()
    out.next(f"zoo list --task {task.name}")


def _tags(tags: TaskTags) -> list[str]:
    """The tags that hold, in words."""
    return [field.name.replace("_", " ") for field in fields(tags) if getattr(tags, field.name) is True]


def _trainer(out: Output, trainer: RegistryEntry[TrainerSpec]) -> None:
    spec = trainer.spec
    out.document(
        {
            "schema": 1,
            "kind": "trainer",
            **to_json(spec),
            "name": trainer.full_name,
            "plugin": _origin_record(trainer.plugin),
        }
    )
    out.facts(
        [
            ("trainer", trainer.full_name),
            ("", spec.summary),
            ("plugin", _origin(trainer.plugin)),
            ("task", spec.task),
            ("metric", spec.monitor.metric if spec.monitor else ""),
            ("supports", ", ".join(spec.supports)),
            *((f"recipe.options.{key}", _value(value)) for key, value in spec.options.items()),
        ]
    )
    out.line()
    out.next(f"zoo list --task {spec.task}")


def _callback(out: Output, catalog: Catalog, callback: RegistryEntry[CallbackSpec]) -> None:
    origin = _origin_record(callback.plugin)
    out.document({"schema": 1, "kind": "callback", **callback_record(catalog, callback), "plugin": origin})
    out.facts([("callback", callback.full_name), ("", callback.spec.summary), ("plugin", _origin(callback.plugin))])
    out.line()
    out.next(f"zoo train resnet --callback {callback.bare_name}")


def _formats(out: Output, formats: Formats) -> None:
    name = formats[0].name
    rows = [
        {
            "plugin": _origin_record(entry.plugin),
            "tasks": list(entry.spec.tasks),
            "summary": entry.spec.summary,
        }
        for entry in formats
    ]
    out.document({"schema": 1, "kind": "format", "name": name, "formats": rows})
    for entry in formats:
        out.facts(
            [
                ("format", entry.full_name),
                ("", entry.spec.summary),
                ("plugin", _origin(entry.plugin)),
                ("tasks", ", ".join(entry.spec.tasks)),
            ]
        )
        out.line()
    out.next(f"zoo data check SOURCE --format {name}")


def _plugin(out: Output, plugin: Plugin) -> None:
    out.document({"schema": 1, "kind": "plugin", **plugin_record(plugin)})
    out.facts(
        [
            ("plugin", plugin.name),
            ("distribution", f"{plugin.distribution} {plugin.version}".strip()),
            ("offers", offered(plugin)),
            ("broken", plugin.error),
        ]
    )
    out.line()
    out.next(f"zoo list '{plugin.name}/*'")
