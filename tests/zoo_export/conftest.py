"""One tiny classifier, exported and proved once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from tests.builtin import builtin_task
from zoo.api.problem import ImageInput, Problem
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject.state_dict import state_sha256
from zoo_export.subject.subject import Subject

CLASSES = ("ant", "bee", "cat", "dog")


class Tiny(nn.Module):
    """Two layers with a batch norm and an unused counter: float32 [n, 3, 12, 12] -> [n, 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.bn = nn.BatchNorm2d(6)
        self.head = nn.Linear(6, 4)

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = torch.relu(self.bn(self.conv(image)))
        logits: Tensor = self.head(features.mean((2, 3)))
        return logits


def tiny(seed: int = 0) -> Tiny:
    """The model with random, live parameters, in eval mode."""
    torch.manual_seed(seed)
    module = Tiny()
    with torch.no_grad():
        module.bn.get_buffer("running_mean").normal_(0, 0.2)
        module.bn.get_buffer("running_var").uniform_(0.5, 1.5)
        module.bn.bias.normal_(0, 0.2)
    return module.eval()


def subject_of(module: nn.Module, *, size: int = 12, classes: tuple[str, ...] = CLASSES) -> Subject:
    """The module as something to export."""
    return Subject(
        model="test/tiny",
        module=module,
        task=builtin_task("image-classification"),
        problem=Problem(task="image-classification", input=ImageInput(size=(size, size), channels=3), classes=classes),
        plugin=PluginRecord(name="test", distribution="zoo-test", version="1.0"),
        lineage=LineageRecord(weights="drawn for a test", weights_sha256=state_sha256(module), target=""),
        trained=False,
    )


@pytest.fixture(scope="session")
def proof() -> Proof:
    """The tiny classifier, proved."""
    return prove(subject_of(tiny()), opset=18)


@pytest.fixture(scope="session")
def runtime() -> Iterator[Runtime]:
    """One sandboxed runtime for all."""
    with Runtime() as one:
        yield one
