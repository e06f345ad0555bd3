"""The command that helps a training that went wrong; torch-free."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from zoo.models.weights.source import default_weights
from zoo.registry.catalog import Catalog
from zoo.runs.train_config import choose_recipe

if TYPE_CHECKING:
    from zoo.training.run_training import Ended

LONGER: Final = 3
"""Times the epochs, where a training was too short."""
OTHER: Final = 5
"""A learning rate so many times larger or smaller than the recipe's is the first suspect."""
SLOWER: Final = 3
"""The divisor of a learning rate at which the loss did not move."""


def remedy(ended: Ended, catalog: Catalog) -> str:
    """The next command after the gravest finding.

    Other validation data, a look at the samples with their labels, the recipe's own learning rate where the user chose
    another one, published weights, more epochs or a lower rate.
    """
    config, entry, finding = ended.run.config, ended.entry, ended.findings[0]
    again = ["zoo", "train", "--config", str(ended.run.path)]
    anew = ["zoo", "train", entry.bare_name, "--data", config.data]
    if finding.remedy == "data":
        return f"{shlex.join(anew)} --val FOLDER"
    if finding.remedy == "labels":
        return shlex.join(["zoo", "data", "show", config.data, "--model", entry.bare_name, "-o", "samples.html"])
    usual, rate = choose_recipe(entry.spec, config.data, config.weights), config.recipe.lr
    if rate > OTHER * usual.lr or rate < usual.lr / OTHER:
        return shlex.join([*again, "--lr", f"{usual.lr:g}"])
    weights = default_weights(catalog, entry)
    own_data = catalog.task(entry.spec.task).spec.default_data
    if weights and not config.weights and weights.spec.data != own_data and entry.spec.head:
        return shlex.join([*anew, "--pretrained"])
    if finding.remedy == "rate":
        return shlex.join([*again, "--lr", f"{rate / SLOWER:.1g}"])
    return shlex.join([*again, "--epochs", str(LONGER * config.recipe.epochs)])
