"""Options as other tools call them: understood, or answered with how zoo says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

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
SIZES: Final = ("--imgsz", "--img-size", "--img", "--image-size", "--input-size", "--size")
BATCHES: Final = ("--batch", "--batch-size", "--bs")
OWN_SIZE: Final = "nothing: the model brings pictures to its own size"
ONE_BY_ONE: Final = "nothing: the size of a batch changes no answer"
NAMED: Final = ("--model", "--weights", "-w", "--ckpt", "--checkpoint-path")
"""Options that name what zoo takes as an argument."""
TARGET: Final = "it first, without an option: a run, a bundle, or weights as in cnn@digits"
ASKED: Final[Mapping[str, str]] = {
    **dict.fromkeys(SIZES, OWN_SIZE),
    **dict.fromkeys(BATCHES, ONE_BY_ONE),
    **dict.fromkeys(NAMED, TARGET),
    **dict.fromkeys(("--half", "--fp16"), "it when exporting: zoo export TARGET --onnx --fp16"),
}
PREDICTED: Final[Mapping[str, str]] = {
    **{name: words for name, words in ASKED.items() if name != "--batch-size"},
    **dict.fromkeys(("--batch", "--bs"), "--batch-size N, of a bundle that was exported with --batch"),
    **dict.fromkeys(("--source", "--input", "--inputs", "--data"), "the files after the target, without an option"),
    **dict.fromkeys(("--iou", "--nms"), "nothing: the limit of overlap is a part of the model's pipeline"),
    **dict.fromkeys(("--vid-stride", "--frame-stride"), "--every N"),
    **dict.fromkeys(("--project", "--name", "--save-dir", "--output-dir", "-o", "--output"), "--save FOLDER"),
    **dict.fromkeys(("--save-txt", "--save-conf", "--save-csv"), "--save FILE.csv"),
    **dict.fromkeys(("--topk", "--top-k"), "--top N"),
}
"""What to say instead of an option of other tools that answer."""
MEASURED: Final[Mapping[str, str]] = {
    **ASKED,
    **dict.fromkeys(("--val", "--valid-dir", "--dataset", "--data-dir"), "--data SOURCE"),
    **dict.fromkeys(("--task", "--set"), "--split test"),
    **dict.fromkeys(("--project", "--name", "--save-dir", "-o", "--output"), "--save FOLDER"),
    **dict.fromkeys(("--conf", "--iou"), "nothing: the metric counts every score"),
}
"""What to say instead of an option of other tools that measure."""


class PeerCommand(click.Command):
    """A command that takes the options of other tools by their names as well."""

    understood: ClassVar[Mapping[str, str]] = {}
    suggested: ClassVar[Mapping[str, str]] = {}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's; UsageError that names zoo's own option for one that is said differently here."""
        try:
            return super().parse_args(ctx, [self._translated(word) for word in args])
        except click.NoSuchOption as error:
            if error.option_name not in self.suggested:
                raise
            message = f"there is no {error.option_name} here; say {self.suggested[error.option_name]}"
            raise click.UsageError(message, ctx) from None

    def _translated(self, word: str) -> str:
        """The word, or zoo's option for another tool's: --imgsz=64 becomes --image-size=64."""
        flag, equals, value = word.partition("=")
        return f"{self.understood.get(flag, flag)}{equals}{value}"


class TrainCommand(PeerCommand):
    """`zoo train`."""

    understood, suggested = UNDERSTOOD, SUGGESTED


class PredictCommand(PeerCommand):
    """`zoo predict`."""

    suggested = PREDICTED


class EvalCommand(PeerCommand):
    """`zoo eval`."""

    suggested = MEASURED
