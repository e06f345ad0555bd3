"""What of a config decides what a training comes to, and what of that was edited after the training began."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from zoo.api.problem import Json
from zoo.runs.serialization import to_json
from zoo.runs.train_config import TrainConfig

_CHANGEABLE: Final = frozenset(
    (
        *("schema", "plugin_version", "data", "data_path", "data_root", "output", "choices", "save_every"),
        *("device", "devices", "threads", "workers", "callbacks"),
    )
)
"""Fields that a resume may find changed: another place, another machine, and what decides nothing."""


def deciding(config: TrainConfig) -> dict[str, Json]:
    """The fields that decide what a training comes to, by name: "recipe.lr"."""
    record = json.loads(json.dumps(to_json(config)))  # tuples become lists, as in the file
    return {name: value for name, value in _flat(record) if name not in _CHANGEABLE}


def _flat(values: Mapping[str, Json], prefix: str = "") -> Iterator[tuple[str, Json]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def edited(config: TrainConfig, recorded: Mapping[str, Json]) -> list[str]:
    """What of a config is not as it was recorded: "recipe.lr is 0.1, and was 0.05"; a newer zoo's fields are not."""
    present = deciding(config)
    names = [name for name in recorded if present.get(name) != recorded[name]]
    names += [name for name in present if recorded and name not in recorded and _added(name, config)]
    return [f"{name} is {present.get(name)!r}, and was {recorded.get(name)!r}" for name in names]


def _added(name: str, config: TrainConfig) -> bool:
    """Whether a field is one of those that take any name, as those of the trainer are."""
    return name.startswith("recipe.options.") and name.removeprefix("recipe.options.") in config.recipe.options
