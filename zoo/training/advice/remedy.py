"""The command that helps a training that went wrong, or a model that loses too much in 8 bits; torch-free."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zoo.api.callback import ALL_EPOCHS, ALL_STEPS, TIME_IS_UP
from zoo.api.specs import ModelSpec
from zoo.models.weights.source import default_weights
from zoo.registry.catalog import Catalog
from zoo.runs.train_config import TrainConfig, choose_recipe
from zoo.runs.train_options import TrainOptions, command_words

if TYPE_CHECKING:
    from zoo.runs.run import Run
    from zoo.training.launch.run_training import Ended

FEW_STEPS: Final = 50
"""In fewer steps than these a loss may well stay where it was."""
LONGER: Final = 3
"""Times the epochs, where a training was too short."""
SLOWER: Final = 3
"""The divisor of the recipe's own rate, where a training with it diverged."""
OTHER: Final = 5
"""A learning rate so many times larger or smaller than the recipe's is the first suspect."""

FINE_TUNING, FEW_EPOCHS = 10, 3
"""What the learning rate is divided by, and for how long a model learns that only has to get used to 8 bits."""


def remedy(ended: Ended, catalog: Catalog) -> str:
    """The next command after the gravest finding.

    Other validation data, a look at the samples with their labels, the recipe's own learning rate where the user chose
    another one, published weights, more epochs or a lower rate.
    """
    config, entry, finding = ended.run.config, ended.entry, ended.findings[0]
    again = ["zoo", "train", "--config", str(ended.run.path)]
    data = _data_words(config)
    anew = " ".join(["zoo train", entry.bare_name, "--data", shlex.quote(config.data), *data])
    show = " ".join(["zoo data show", shlex.quote(config.data), "--model", entry.bare_name, *data, "-o samples.html"])
    if finding.remedy == "data":
        return f"{anew} --val FOLDER"
    if finding.remedy == "labels":
        return show
    if usual := usual_rate(config, entry.spec):
        return shlex.join([*again, "--lr", f"{usual:g}"])
    weights = default_weights(catalog, entry)
    own_data = catalog.task(entry.spec.task).spec.default_data
    if weights and not config.weights and weights.spec.data != own_data and entry.spec.head:
        return f"{anew} --pretrained"
    if finding.remedy == "rate" and ended.outcome.steps >= FEW_STEPS:
        return show  # the recipe's own rate moves other data, so these are the next suspect
    return shlex.join([*again, *_longer(config, ended.outcome.reason)])


def learn_for_8_bits(run: Run) -> str:
    """The command that fine-tunes a run for an int8 variant; empty where the run was made so already."""
    recipe, path = run.config.recipe, str(run.path)
    if recipe.fake_quantize or recipe.compile:
        return ""
    rate = f"{recipe.lr / FINE_TUNING:g}"
    words = ["--weights", path, "--epochs", str(FEW_EPOCHS), "--lr", rate, "--set", "recipe.fake_quantize=true"]
    return shlex.join(["zoo", "train", "--config", path, *words])


def _longer(config: TrainConfig, reason: str) -> tuple[str, str]:
    """The option that moves what has ended the training."""
    if reason == TIME_IS_UP and config.max_time:
        return "--max-time", f"{LONGER * config.max_time:g}s"
    if reason == ALL_STEPS and config.stop_after:
        return "--stop-after", str(LONGER * config.stop_after)
    if reason == ALL_STEPS and config.max_steps:
        return "--max-steps", str(LONGER * config.max_steps)
    if reason != ALL_EPOCHS and config.recipe.patience:
        return "--patience", str(LONGER * config.recipe.patience)
    return "--epochs", str(LONGER * config.recipe.epochs)


def usual_rate(config: TrainConfig, spec: ModelSpec) -> float | None:
    """The recipe's own learning rate, where that of the config is far from it; else None."""
    usual, rate = choose_recipe(spec, config.data, config.weights).lr, config.recipe.lr
    return usual if rate > OTHER * usual or rate < usual / OTHER else None


def after_divergence(config: TrainConfig, spec: ModelSpec) -> str:
    """What to try after a loss that became infinite, or no number, as a clause."""
    rate = config.recipe.lr
    usual = usual_rate(config, spec)
    lower = f"--lr {usual:g}, the recipe's own" if usual and usual < rate else f"--lr {rate / SLOWER:.1g}"
    others = [] if config.recipe.clip is not None and config.recipe.clip <= 1 else ["--set recipe.clip=1"]
    others += ["--precision 32"] if config.recipe.precision != "32" else []
    return ", or ".join([f"try a lower rate, as in {lower}", *others])


def _data_words(config: TrainConfig) -> list[str]:
    """The options beside --data that say how the data are read, quoted for a shell."""
    return command_words(
        TrainOptions(
            data_root=Path(config.data_root) if config.data_root else None,
            train=config.train or None,
            validation=config.validation or None,
            test=config.test or None,
            ratios=",".join(f"{share:g}" for share in config.ratios) if config.ratios else None,
            format=config.format or None,
            text_column=config.text_column or None,
            label_column=config.label_column or None,
            encoding=config.encoding or None,
            on_bad_sample="skip" if config.on_bad_sample == "skip" else None,
        )
    )
