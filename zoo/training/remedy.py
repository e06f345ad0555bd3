"""The command that helps a training that went wrong; torch-free."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zoo.models.weights.source import default_weights
from zoo.registry.catalog import Catalog
from zoo.runs.train_config import TrainConfig, choose_recipe
from zoo.runs.train_options import TrainOptions, command_words

if TYPE_CHECKING:
    from zoo.training.run_training import Ended

LONGER: Final = 3
"""Times the epochs, where a training was too short."""
OTHER: Final = 5
"""A learning rate so many times larger or smaller than the recipe's is the first suspect."""


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
    usual, rate = choose_recipe(entry.spec, config.data, config.weights), config.recipe.lr
    if rate > OTHER * usual.lr or rate < usual.lr / OTHER:
        return shlex.join([*again, "--lr", f"{usual.lr:g}"])
    weights = default_weights(catalog, entry)
    own_data = catalog.task(entry.spec.task).spec.default_data
    if weights and not config.weights and weights.spec.data != own_data and entry.spec.head:
        return f"{anew} --pretrained"
    if finding.remedy == "rate":  # the recipe's own rate moves other data, so these are the next suspect
        return show
    return shlex.join([*again, "--epochs", str(LONGER * config.recipe.epochs)])


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
            on_bad_sample="skip" if config.on_bad_sample == "skip" else None,
        )
    )
