"""Every option of one training, resolved: what config.json holds, and what replays a run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final, Literal

from zoo.api.data import DataRequest
from zoo.api.errors import BadFile, UsageError
from zoo.api.problem import Input
from zoo.api.recipe import Recipe
from zoo.api.specs import ModelSpec
from zoo.runs.recipe_overrides import Option, apply_settings, check_recipe
from zoo.runs.serialization import from_json, to_json

SCHEMA: Final = 1
Freeze = Literal["none", "backbone"]
OnBadSample = Literal["error", "skip"]
DEVICES: Final = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One training, with nothing left to choose; `zoo train --config` replays it."""

    schema: int = SCHEMA
    model: str
    """Full name."""
    plugin: str
    plugin_version: str
    data: str
    """An embedded name, a path, or "scheme:rest"."""
    data_root: str | None = None
    on_bad_sample: OnBadSample = "error"
    weights: str | None = None
    """What training starts from: a tag, a run or a file; None starts from the seed."""
    freeze: Freeze = "none"
    seed: int = 0
    device: str = "auto"
    """cpu, cuda or mps once the run has started."""
    devices: int = 1
    """Processes, one for each device; a launcher (torchrun, SLURM) decides where there is one."""
    threads: int | None = None
    """CPU threads of each process; decided once when the run starts."""
    workers: int | None = None
    """Threads that read data ahead; decided once when the run starts."""
    input: Input
    """The model's input at the size that is trained."""
    recipe: Recipe
    output: str = ""
    """The run directory."""
    max_steps: int | None = None
    max_time: float | None = None
    """Seconds."""
    limit_train: int | None = None
    """Take only so many training items."""

    @property
    def request(self) -> DataRequest:
        """The data that it names."""
        root = Path(self.data_root) if self.data_root else None
        return DataRequest(source=self.data, root=root, on_bad_sample=self.on_bad_sample)

    def settled(self, **decided: str | int) -> TrainConfig:
        """A copy with what only the machine can decide: device, devices, threads, workers, output."""
        return replace(self, **decided)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """What a user said; None (or nothing) where they said nothing."""

    data: str | None = None
    data_root: Path | None = None
    weights: str | None = None
    freeze: Freeze | None = None
    config: Path | None = None
    output: Path | None = None
    epochs: int | None = None
    batch_size: int | None = None
    lr: float | None = None
    precision: Literal["auto", "32", "bf16", "16"] | None = None
    patience: int | None = None
    seed: int | None = None
    device: str | None = None
    devices: int | None = None
    threads: int | None = None
    workers: int | None = None
    max_steps: int | None = None
    max_time: str | None = None
    limit_train: int | None = None
    on_bad_sample: OnBadSample | None = None
    settings: tuple[str, ...] = ()
    """As in "recipe.clip=1"."""


def resolve_config(
    options: TrainOptions,
    *,
    spec: ModelSpec,
    full_name: str,
    plugin: str,
    plugin_version: str,
    default_data: str,
    trainer_options: Mapping[str, Option],
) -> TrainConfig:
    """The config of a new run: the model's recipe, changed by `--config`, then by options, then by `--set`."""
    replayed = read_config(options.config) if options.config else None
    if replayed and replayed.model != full_name:
        raise UsageError(f"{options.config} trains {replayed.model}, not {full_name}", hint="leave MODEL out")
    given = _given(options)
    data = str(given.get("data") or (replayed.data if replayed else default_data))
    if not data:
        raise UsageError(f"the task {spec.task} has no embedded data", hint="name yours with --data")
    weights = options.weights or (replayed.weights if replayed else None)
    recipe = _recipe(options, replayed.recipe if replayed else choose_recipe(spec, data, weights), trainer_options)
    start = replayed or TrainConfig(
        model=full_name, plugin=plugin, plugin_version=plugin_version, data=data, input=spec.input, recipe=recipe
    )
    config = replace(
        start,
        **{**given, "data": data},  # type: ignore[arg-type]
        plugin=plugin,
        plugin_version=plugin_version,
        recipe=recipe,
        input=sized_input(spec.input, recipe),
        output=str(options.output or ""),
    )
    check_config(config)
    return config


def choose_recipe(spec: ModelSpec, data: str, weights: str | None) -> Recipe:
    """The model's recipe: "finetune" with weights, else the one named like the data, "default", or the plain one."""
    for name in (*(["finetune"] if weights else []), data, "default"):
        if name in spec.recipes:
            return spec.recipes[name]
    return Recipe()


def _given(options: TrainOptions) -> dict[str, object]:
    """The options that are fields of TrainConfig under the same name, where the user said something."""
    names = {field.name for field in fields(TrainConfig)} - {"output", "recipe", "input"}
    given = {name: getattr(options, name) for name in names if getattr(options, name, None) is not None}
    if options.data_root is not None:
        given["data_root"] = str(options.data_root)
    if options.max_time is not None:
        given["max_time"] = read_seconds(options.max_time)
    return given


def _recipe(options: TrainOptions, recipe: Recipe, trainer_options: Mapping[str, Option]) -> Recipe:
    names = ("epochs", "batch_size", "lr", "precision", "patience")
    said = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    recipe = apply_settings(replace(recipe, **said), options.settings, trainer_options)
    check_recipe(recipe)
    return recipe


def sized_input(input: Input, recipe: Recipe) -> Input:
    """The input at the size that the recipe trains at; UsageError where the model cannot take it."""
    return input if recipe.input_size is None else input.resized(recipe.input_size)


def check_config(config: TrainConfig) -> None:
    """UsageError with a sentence for the first option that cannot be meant."""
    at_least = {"--devices": (config.devices, 1), "--threads": (config.threads, 1), "--workers": (config.workers, 0)}
    at_least |= {"--max-steps": (config.max_steps, 1), "--limit-train": (config.limit_train, 1)}
    for name, (value, least) in at_least.items():
        if value is not None and value < least:
            raise UsageError(f"{name} is {value}; it must be at least {least}")
    if config.device not in DEVICES:
        raise UsageError(f"there is no kind of device {config.device!r}", hint=f"say {', '.join(DEVICES)}")
    if not 0 <= config.seed < 2**32:
        raise UsageError(f"--seed is {config.seed}; it must lie between 0 and {2**32 - 1}")
    if config.recipe.batch_size % config.devices:
        raise UsageError(
            f"a batch of {config.recipe.batch_size} cannot be shared evenly by {config.devices} devices",
            hint="choose a --batch-size that they divide",
        )
    if config.freeze == "backbone" and not config.weights:
        raise UsageError(
            "--freeze backbone would keep random weights for ever", hint="say which --weights to start from"
        )


def read_seconds(text: str) -> float:
    """Seconds spelt as "55s", "10min", "2h" or a bare number."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|m|h)?", text.strip())
    seconds = float(match[1]) * {None: 1, "s": 1, "min": 60, "m": 60, "h": 3600}[match[2]] if match else 0.0
    if seconds <= 0:
        raise UsageError(f"--max-time {text!r} is not a time", hint="as in 55s, 10min or 2h")
    return seconds


def read_config(path: Path) -> TrainConfig:
    """The config in a file, or in a run directory; BadFile where it is none."""
    file = path / "config.json" if path.is_dir() else path
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise BadFile(f"{file} is not a readable config: {error}") from error
    check_schema(data, file, newest=SCHEMA)
    return from_json(TrainConfig, data, where=str(file))


def check_schema(data: object, file: Path, *, newest: int) -> None:
    """BadFile unless `data` is a record whose schema this zoo can read."""
    schema = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(schema, int):
        raise BadFile(f"{file} is not a record of zoo: it names no schema")
    if schema > newest:
        raise BadFile(
            f"{file} was written by a newer zoo (schema {schema}; this one reads {newest})", hint="update zoo"
        )


def config_json(config: TrainConfig) -> dict[str, object]:
    """The config as config.json holds it."""
    record: dict[str, object] = to_json(config)
    return record
