"""The options of a training, declared once.

The command line of `zoo train`, the parameters of `zoo.train`, what `--config` replays and the table in
docs/training.md come from the fields of `TrainOptions`.
"""

from __future__ import annotations

import shlex
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

Freeze = Literal["none", "backbone"]
OnBadSample = Literal["error", "skip"]
Precision = Literal["auto", "32", "bf16", "16"]
AugmentPolicy = Literal["none", "randaugment", "trivialaugment", "autoaugment", "augmix"]
Sampling = Literal["shuffled", "balanced"]
ClassWeights = Literal["none", "balanced"]
AUTO: Final = "auto"
"""The batch size that is found by trying."""
NO_CALLBACK: Final = "none"
"""What --callback calls no callback."""
Destination = Literal["config", "recipe", "start"]
"""Where an option goes: to a field of TrainConfig or of Recipe, both replayed by `--config`, or to the start alone."""


def _row(help: str, destination: Destination, *, name: str = "", short: str = "", metavar: str = "") -> dict[str, str]:
    """What a field of the table says beside its type; `name` is the command line's word where it is another one."""
    return {"help": help, "destination": destination, "name": name, "short": short, "metavar": metavar}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """What the user chose; None (or nothing) where the recipe, the config or the machine is to choose."""

    data: str | Path | None = field(
        default=None, metadata=_row("Embedded data by name, a path, or as in torchvision:CIFAR10.", "config")
    )
    data_root: Path | None = field(default=None, metadata=_row("The folder where named datasets are kept.", "config"))
    train: str | None = field(
        default=None,
        metadata=_row("The part of --data to learn from, where names do not tell: a folder or file in it.", "config"),
    )
    validation: str | None = field(default=None, metadata=_row("The part to validate on.", "config", name="val"))
    test: str | None = field(default=None, metadata=_row("The part to test on.", "config"))
    ratios: str | None = field(
        default=None,
        metadata=_row("Shares of train, validation and test: 0.8,0.1,0.1.", "config", metavar="A,B,C"),
    )
    format: str | None = field(default=None, metadata=_row("Read --data as this format.", "config"))
    text_column: str | None = field(
        default=None, metadata=_row("The column of texts in a table: its name, or its number from 1.", "config")
    )
    label_column: str | None = field(default=None, metadata=_row("The column of labels in a table.", "config"))
    encoding: str | None = field(
        default=None,
        metadata=_row("What files of text are in, where it is not UTF-8 or UTF-16: cp1252, gb18030.", "config"),
    )
    weights: str | Path | None = field(
        default=None,
        metadata=_row(
            "Start from a tag, a run, a .safetensors or .pth file, or what the model finds by itself: hf:ID.", "config"
        ),
    )
    pretrained: bool = field(default=False, metadata=_row("--weights of the model's default tag.", "start"))
    trainer: str | None = field(
        default=None, metadata=_row("Any trainer of the model's task instead of the model's own.", "config")
    )
    freeze: Freeze | None = field(default=None, metadata=_row("backbone: only the head learns.", "config"))
    teacher: str | Path | None = field(
        default=None,
        metadata=_row("Learn from its answers, too: a run, or weights as in resnet50@imagenet1k_v2.", "config"),
    )
    layer_decay: float | None = field(
        default=None, metadata=_row("Factor of the learning rate from each layer to the one before it.", "recipe")
    )
    mixup: float | None = field(default=None, metadata=_row("Mix pictures in pairs: alpha, as in 0.2.", "recipe"))
    cutmix: float | None = field(
        default=None, metadata=_row("Put a part of another picture in: alpha, as in 1.", "recipe")
    )
    augment_policy: AugmentPolicy | None = field(
        default=None, metadata=_row("A published list of random changes of pictures.", "recipe")
    )
    sampling: Sampling | None = field(
        default=None, metadata=_row("balanced: every class equally often, with repeats.", "recipe")
    )
    class_weights: ClassWeights | None = field(
        default=None, metadata=_row("balanced: rare classes count more in the loss.", "recipe")
    )
    epochs: int | None = field(default=None, metadata=_row("How many times training goes through the data.", "recipe"))
    batch_size: int | str | None = field(
        default=None,
        metadata=_row(
            "Items in a batch, over all devices; auto: the recipe's, halved until a step fits into memory.",
            "recipe",
            metavar="ITEMS",
        ),
    )
    lr: float | None = field(default=None, metadata=_row("The highest learning rate.", "recipe"))
    input_size: int | str | None = field(
        default=None,
        metadata=_row(
            "Pixels that pictures are brought to: 64, or height and width as in 96x128.",
            "recipe",
            name="image-size",
            metavar="PIXELS",
        ),
    )
    seed: int | None = field(
        default=None, metadata=_row("Of the parameters, the order of the data, and the augmentation.", "config")
    )
    device: str | None = field(default=None, metadata=_row("cpu, cuda, mps or auto.", "config"))
    output: Path | None = field(
        default=None, metadata=_row("The run directory; runs/MODEL/TIME-LETTERS if left out.", "start", short="-o")
    )
    overwrite: bool = field(default=False, metadata=_row("Replace a run that is there.", "start"))
    config: Path | None = field(
        default=None, metadata=_row("Replay the config.json of a run; the other options change it.", "start")
    )
    settings: Sequence[str] = field(
        default=(),
        metadata=_row("Change the recipe: recipe.clip=1. May be repeated.", "recipe", name="set", metavar="KEY=VALUE"),
    )
    precision: Precision | None = field(
        default=None, metadata=_row("Number format of the forward pass; auto suits the device.", "recipe")
    )
    compile: bool = field(
        default=False,
        metadata=_row("Let PyTorch compile the model at the first step: for long trainings; needs g++.", "recipe"),
    )
    devices: int | None = field(
        default=None, metadata=_row("Processes on this machine, one for each device.", "config")
    )
    threads: int | None = field(
        default=None, metadata=_row("CPU threads of each process; measured if left out.", "config")
    )
    workers: int | None = field(
        default=None, metadata=_row("Threads that read data ahead; measured if left out.", "config")
    )
    patience: int | None = field(
        default=None, metadata=_row("Stop after this many epochs without a better score.", "recipe")
    )
    max_steps: int | None = field(default=None, metadata=_row("Stop after this many batches.", "config"))
    stop_after: int | None = field(
        default=None,
        metadata=_row("Stop after this many batches, with the learning rates of the whole training.", "config"),
    )
    max_time: str | None = field(default=None, metadata=_row("Stop after this time: 55s, 10min or 2h.", "config"))
    save_every: str | None = field(
        default=None,
        metadata=_row("Save within an epoch, too: 5min or 500steps; every 10min if left out.", "config"),
    )
    limit_train: int | None = field(default=None, metadata=_row("Use only this many training items.", "config"))
    callbacks: Sequence[str] = field(
        default=(),
        metadata=_row(
            "Who listens, too: mlflow, wandb, or a plugin's callback; none: nobody. May be repeated.",
            "config",
            name="callback",
            metavar="NAME",
        ),
    )
    on_bad_sample: OnBadSample | None = field(
        default=None, metadata=_row("skip: leave out samples that cannot be read, at most 1 %.", "config")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOption:
    """One row of the table."""

    name: str
    """In Python."""
    flag: str
    """On the command line."""
    short: str
    metavar: str
    type: Any
    """Without None: int, float, str, bool, Path, a Literal, `str | Path` or `Sequence[str]`."""
    help: str
    destination: Destination

    @property
    def choices(self) -> tuple[str, ...]:
        """The only values it takes; empty where it takes others."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def multiple(self) -> bool:
        """Whether it can be given more than once."""
        return get_origin(self.type) is Sequence


def _table() -> tuple[TrainOption, ...]:
    hints = get_type_hints(TrainOptions)
    return tuple(
        TrainOption(
            name=row.name,
            flag="--" + (row.metadata["name"] or row.name).replace("_", "-"),
            short=row.metadata["short"],
            metavar=row.metadata["metavar"],
            type=_without_none(hints[row.name]),
            help=row.metadata["help"],
            destination=row.metadata["destination"],
        )
        for row in fields(TrainOptions)
    )


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    return Union[tuple(part for part in get_args(annotation) if part is not types.NoneType)]  # noqa: UP007  computed


TRAIN_OPTIONS: Final = _table()
"""Every option of a training, in the order of `zoo train --help`."""


def given(options: TrainOptions, destination: Destination) -> Mapping[str, Any]:
    """The options for one destination that the user chose, by name."""
    return {
        row.name: value
        for row in TRAIN_OPTIONS
        if row.destination == destination and _is_given(value := getattr(options, row.name))
    }


def _is_given(value: object) -> bool:
    """0 is a choice; None, False and an empty sequence are none."""
    return not (value is None or value is False or value == ())


def chosen_flags(options: TrainOptions) -> list[str]:
    """The options that the user chose, as the command line calls them: --batch-size."""
    return [row.flag for row in TRAIN_OPTIONS if _is_given(getattr(options, row.name))]


def command_words(options: TrainOptions) -> list[str]:
    """The options that the user chose with their values, quoted for a shell: --data './my photos'."""
    words: list[str] = []
    for row in TRAIN_OPTIONS:
        value = getattr(options, row.name)
        if not _is_given(value):
            continue
        if row.multiple:
            words += [word for item in value for word in (row.flag, item)]
        else:
            words += [row.short or row.flag, *([] if row.type is bool else [str(value)])]
    return [shlex.quote(word) for word in words]
