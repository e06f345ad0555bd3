"""Options of `zoo train` as other trainers call them: understood, or answered with how zoo says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click

UNDERSTOOD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("--img-size", "--imgsz", "--img", "--input-size", "--resolution"), "--image-size"),
    **dict.fromkeys(("--batch", "--bs", "--batchsize"), "--batch-size"),
    **dict.fromkeys(("--lr0", "--learning-rate", "--learning_rate"), "--lr"),
    **dict.fromkeys(("--num-epochs", "--max-epochs", "--n-epochs", "--epoch"), "--epochs"),
    **dict.fromkeys(("--data-dir", "--data-path", "--dataset"), "--data"),
    **dict.fromkeys(("--num-workers", "--dataloader-num-workers"), "--workers"),
    **dict.fromkeys(("--output-dir", "--out-dir", "--save-dir"), "--output"),
    **dict.fromkeys(("--val-dir", "--valid-dir", "--validation"), "--val"),
    "--train-dir": "--train",
    "--test-dir": "--test",
    "--finetune": "--pretrained",
    "--initial-checkpoint": "--weights",
    "--early-stopping-patience": "--patience",
}
"""Another trainer's option, and zoo's with the same values."""
SUGGESTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("--weight-decay", "--wd"), "--set recipe.weight_decay=0.05"),
    **dict.fromkeys(("--optimizer", "--opt"), "--set recipe.optimizer=sgd"),
    "--momentum": "--set recipe.momentum=0.9",
    **dict.fromkeys(("--warmup-epochs", "--warmup", "--warmup-ratio"), "--set recipe.warmup=0.1, a share of all steps"),
    **dict.fromkeys(("--smoothing", "--label-smoothing"), "--set recipe.label_smoothing=0.1"),
    **dict.fromkeys(("--ema", "--model-ema"), "--set recipe.ema=0.999"),
    **dict.fromkeys(("--hflip", "--fliplr"), "--set recipe.augment.flip=true"),
    **dict.fromkeys(("--clip-grad", "--grad-clip", "--max-grad-norm"), "--set recipe.clip=1"),
    **dict.fromkeys(("--sched", "--scheduler", "--lr-scheduler"), "--set recipe.schedule=cosine"),
    **dict.fromkeys(("--val-split", "--split", "--validation-split"), "--ratios 0.8,0.2,0"),
    **dict.fromkeys(("--name", "--project", "--exp-name"), "-o FOLDER"),
    **dict.fromkeys(("--model", "--arch", "--model-name"), "the model's name without an option: zoo train MODEL"),
    **dict.fromkeys(("--amp", "--fp16", "--half"), "--precision 16, or --precision bf16"),
    **dict.fromkeys(("--gpu", "--gpus", "--nproc"), "--device cuda --devices 1"),
    "--num-classes": "nothing: the classes come from the data",
    "--gradient-accumulation-steps": "--set recipe.accumulate=4",
}
"""Another trainer's option, and what to say instead."""


class TrainCommand(click.Command):
    """A command that takes the options of other trainers by their names as well."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's; UsageError that names zoo's own option for one that is said differently here."""
        try:
            return super().parse_args(ctx, [_translated(word) for word in args])
        except click.NoSuchOption as error:
            if error.option_name not in SUGGESTED:
                raise
            message = f"there is no {error.option_name} here; say {SUGGESTED[error.option_name]}"
            raise click.UsageError(message, ctx) from None


def _translated(word: str) -> str:
    """The word, or zoo's option for another trainer's: --imgsz=64 becomes --image-size=64."""
    flag, equals, value = word.partition("=")
    return f"{UNDERSTOOD.get(flag, flag)}{equals}{value}"
