"""Every option of one training, resolved: what config.json holds, and what replays a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest
from zoo.api.errors import BadFile, UsageError
from zoo.api.problem import Input
from zoo.api.recipe import Recipe
from zoo.api.specs import ModelSpec
from zoo.registry.discovery import same_name
from zoo.runs.option_words import check_interval, read_ratios, read_seconds
from zoo.runs.recipe_overrides import Option, apply_settings, changed_fields, check_recipe, read_size
from zoo.runs.serialization import from_json, to_json
from zoo.runs.train_options import AUTO, NO_CALLBACK, Freeze, OnBadSample, TrainOptions, given
from zoo.runs.user_paths import expand_user

SCHEMA: Final = 2
"""In schema 1, of zoo 0.1, an input names its kind by a class; all else is the same."""
FIRST_SIZE: Final = "first_size"
"""The trainers' option for the share of a picture's side with which a training begins."""
DEVICES: Final = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A number that zoo chose for the data, and why."""

    name: str
    """What was chosen: model, input_size, epochs, …, as the recipe calls it."""
    value: str
    reason: str


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
    data_path: str = ""
    """The absolute path of data that are a file or folder, so that they are found from any other folder."""
    data_root: str | None = None
    on_bad_sample: OnBadSample = "error"
    train: str = ""
    """The part of the data to learn from, where the names in it do not tell; the next two are the same."""
    validation: str = ""
    test: str = ""
    ratios: tuple[float, float, float] | None = None
    """Shares of train, validation and test."""
    format: str = ""
    """What the data are read as; empty to detect it."""
    text_column: str = ""
    label_column: str = ""
    encoding: str = ""
    """What files of text are in; empty for UTF-8."""
    weights: str | None = None
    """What training starts from: a tag, a run or a file; None starts from the seed."""
    trainer: str = ""
    """The full name of the trainer that was chosen instead of the model's own; empty for that."""
    freeze: Freeze = "none"
    teacher: str = ""
    """A run or weights whose answers are learnt, too; empty for none."""
    teacher_sha256: str = ""
    """Of the file with the teacher's parameters; a resume needs the same."""
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
    """The training is planned for at most so many batches: its learning rates end with them."""
    stop_after: int | None = None
    """It stops after so many batches, whatever it is planned for."""
    max_time: float | None = None
    """Seconds."""
    limit_train: int | None = None
    """Take only so many training items."""
    save_every: str = "10min"
    """A checkpoint within an epoch: a time, or a number of steps as in 500steps."""
    callbacks: tuple[str, ...] = ()
    """Full names of what listens beside the built-in callbacks."""
    choices: tuple[Choice, ...] = ()
    """What of this zoo chose for the data, and why; nothing that the user chose."""

    @property
    def request(self) -> DataRequest:
        """The data that it names."""
        root = Path(self.data_root) if self.data_root else None
        return DataRequest(
            source=self.data,
            root=root,
            on_bad_sample=self.on_bad_sample,
            train=self.train,
            validation=self.validation,
            test=self.test,
            ratios=self.ratios,
            format=self.format,
            text_column=self.text_column,
            label_column=self.label_column,
            encoding=self.encoding,
            location=self.data_path if self._names_data else "",
        )

    @property
    def _names_data(self) -> bool:
        """Whether the absolute path is that of the data, and not of others that were named before."""
        return Path(self.data).name in (Path(self.data_path).name, "", "..")

    def with_data(self, data: str) -> TrainConfig:
        """A copy for data at another place."""
        return replace(self, data=data, data_path=absolute_path(data))

    def settled(self, **decided: str | int) -> TrainConfig:
        """A copy with what only the machine can decide: device, devices, threads, workers, output."""
        return replace(self, **decided)  # type: ignore[arg-type]


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
    if replayed and not same_name(replayed.model, full_name):
        raise UsageError(f"{options.config} trains {replayed.model}, not {full_name}", hint="leave MODEL out")
    chosen = _config_fields(options)
    data = str(chosen.get("data") or (replayed.data if replayed else default_data))
    if not data:
        raise UsageError(f"the task {spec.task} has no embedded data", hint="name yours with --data")
    weights = str(chosen.get("weights") or (replayed.weights if replayed else None) or "")
    recipe = _recipe(options, replayed.recipe if replayed else choose_recipe(spec, data, weights), trainer_options)
    start = replayed or TrainConfig(
        model=full_name, plugin=plugin, plugin_version=plugin_version, data=data, input=spec.input, recipe=recipe
    )
    config = replace(
        start,
        **{**chosen, "data": data, "data_path": absolute_path(data) or start.data_path},  # type: ignore[arg-type]
        model=full_name,
        plugin=plugin,
        plugin_version=plugin_version,
        recipe=recipe,
        input=sized_input(spec.input, recipe),
        output=str(options.output or ""),
        choices=tuple(choice for choice in start.choices if choice.name not in chosen_numbers(options)),
    )
    check_config(config)
    return _whole_from_the_start(config, options)


def _whole_from_the_start(config: TrainConfig, options: TrainOptions) -> TrainConfig:
    """The config of a training that may end before its pictures have grown: they are whole from the first step."""
    recipe = config.recipe
    early = config.max_time is not None or config.stop_after is not None or recipe.patience is not None
    if not early or recipe.options.get(FIRST_SIZE, 1) == 1 or f"options.{FIRST_SIZE}" in chosen_numbers(options):
        return config
    reason = "this training may stop before its last steps, and only these see whole pictures otherwise"
    choice = Choice(name=f"options.{FIRST_SIZE}", value="1", reason=reason)
    recipe = replace(recipe, options={**recipe.options, FIRST_SIZE: 1.0})
    return replace(config, recipe=recipe, choices=(*config.choices, choice))


def absolute_path(data: str) -> str:
    """The absolute path of data that are a file or folder; empty for embedded and published ones."""
    path = expand_user(data)
    return str(path.resolve()) if path.exists() else ""


def choose_recipe(spec: ModelSpec, data: str, weights: str | None) -> Recipe:
    """The model's recipe: "finetune" with weights, else the one named like the data, "default", or the plain one."""
    for name in (*(["finetune"] if weights else []), data, "default"):
        if name in spec.recipes:
            return spec.recipes[name]
    return Recipe()


def _config_fields(options: TrainOptions) -> dict[str, object]:
    """The fields of TrainConfig that the user chose, as config.json holds them."""
    chosen = dict(given(options, "config"))
    if "teacher" in chosen:
        chosen |= {"teacher": absolute_path(str(options.teacher)) or str(options.teacher), "teacher_sha256": ""}
    for name in ("data", "data_root", "weights"):
        if name in chosen:
            chosen[name] = str(chosen[name])
    if "callbacks" in chosen:
        chosen["callbacks"] = tuple(name for name in options.callbacks if name != NO_CALLBACK)
    if options.max_time is not None:
        chosen["max_time"] = read_seconds(options.max_time)
    if options.ratios is not None:
        chosen["ratios"] = read_ratios(options.ratios)
    return chosen


def _recipe(options: TrainOptions, recipe: Recipe, trainer_options: Mapping[str, Option]) -> Recipe:
    """The recipe with the fields that the user chose, then with every `--set`."""
    chosen = {name: value for name, value in given(options, "recipe").items() if name != "settings"}
    if chosen.get("batch_size") == AUTO:
        del chosen["batch_size"]
    elif isinstance(chosen.get("batch_size", 0), str):
        raise UsageError(f"--batch-size {chosen['batch_size']!r} is no number", hint="name a number, or say auto")
    if "input_size" in chosen:
        chosen["input_size"] = read_size(chosen["input_size"])
    recipe = apply_settings(replace(recipe, **chosen), options.settings, trainer_options)
    check_recipe(recipe)
    return recipe


def chosen_numbers(options: TrainOptions) -> frozenset[str]:
    """The fields of the recipe that the user chose: "epochs", "augment.flip"."""
    found = {"batch_size"} if options.batch_size == AUTO else set()
    return changed_fields(options.settings) | (given(options, "recipe").keys() - {"settings"} - found)


def sized_input(input: Input, recipe: Recipe) -> Input:
    """The input at the size that the recipe trains at; UsageError where the model cannot take it."""
    return input if recipe.input_size is None else input.resized(recipe.input_size)


def check_config(config: TrainConfig) -> None:
    """UsageError with a sentence for the first option that is out of range."""
    at_least = {"--devices": (config.devices, 1), "--threads": (config.threads, 1), "--workers": (config.workers, 0)}
    at_least |= {"--max-steps": (config.max_steps, 1), "--stop-after": (config.stop_after, 1)}
    at_least |= {"--limit-train": (config.limit_train, 1)}
    for name, (value, least) in at_least.items():
        if value is not None and value < least:
            raise UsageError(f"{name} is {value}; it must be at least {least}")
    check_interval(config.save_every)
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


def read_config(path: Path) -> TrainConfig:
    """The config in a file, or in a run directory; BadFile where it is none."""
    file = path / "config.json" if path.is_dir() else path
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise BadFile(f"{file} is not a readable config: {error}") from error
    current = {**check_schema(data, file, newest=SCHEMA), "schema": SCHEMA}
    return from_json(TrainConfig, current, where=str(file))


def check_schema(data: object, file: Path, *, newest: int) -> dict[str, object]:
    """The record, of a schema that this zoo can read; BadFile where it is none."""
    schema = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(schema, int):
        raise BadFile(f"{file} is not a record of zoo: it names no schema")
    if schema > newest:
        raise BadFile(
            f"{file} was written by a newer zoo (schema {schema}; this one reads {newest})", hint="update zoo"
        )
    return data


def config_json(config: TrainConfig) -> dict[str, object]:
    """The config as config.json holds it."""
    record: dict[str, object] = to_json(config)
    return record
