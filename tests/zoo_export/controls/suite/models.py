"""What the mutants are made from: five small models trained for a few seconds, and the smallest of every other task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.builtin import builtin_task
from zoo.api.parts import Task
from zoo.api.problem import ImageInput, Problem
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo.data.embedded.digits import load
from zoo.models.target import resolve_target
from zoo_autoencoder.model import conv_autoencoder
from zoo_cnn.model import cnn
from zoo_export.subject.load import find_subject
from zoo_export.subject.state_dict import state_sha256
from zoo_export.subject.subject import Subject

SIDE = 28
IMAGES, STEPS, BATCH = 2000, 60, 64
CLASSES = tuple("0123456789")


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, inside: int, outside: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.shortcut = nn.Conv2d(inside, outside, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))


def small_resnet() -> nn.Module:
    """A stem and two residual blocks."""
    stem = [nn.Conv2d(3, 12, 3, 1, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    blocks = [Residual(12, 16, stride=1), Residual(16, 32, stride=2)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


def depthwise(inside: int, outside: int, *, stride: int) -> nn.Sequential:
    """A depthwise and a pointwise convolution, with hard-swish."""
    return nn.Sequential(
        nn.Conv2d(inside, inside, 3, stride, 1, groups=inside, bias=False),
        nn.BatchNorm2d(inside),
        nn.Hardswish(),
        nn.Conv2d(inside, outside, 1, bias=False),
        nn.BatchNorm2d(outside),
        nn.Hardswish(),
    )


def small_mobilenet() -> nn.Module:
    """Three depthwise separable stages."""
    stages = [depthwise(12, 24, stride=2), depthwise(24, 32, stride=1), depthwise(32, 48, stride=2)]
    stem = [nn.Conv2d(3, 12, 3, 1, 1, bias=False), nn.BatchNorm2d(12), nn.Hardswish()]
    return nn.Sequential(*stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, 10))


class SmallTransformer(nn.Module):
    """Patches of 7x7 as tokens, two encoder layers, the mean of the tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 32, 7, 7)
        self.position = nn.Parameter(torch.randn(1, 16, 32) * 0.02)
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(32)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.position
        return cast("Tensor", self.head(self.norm(self.encoder(tokens)).mean(1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of model."""

    build: Callable[[], nn.Module]
    task: Task
    rate: float = 3e-3


KINDS = {
    "cnn": Kind(
        build=lambda: cnn(channels=3, image_size=(SIDE, SIDE), num_classes=10),
        task=builtin_task("image-classification"),
        rate=1e-3,
    ),
    "resnet": Kind(build=small_resnet, task=builtin_task("image-classification")),
    "mobilenet": Kind(build=small_mobilenet, task=builtin_task("image-classification")),
    "transformer": Kind(build=SmallTransformer, task=builtin_task("image-classification")),
    "autoencoder": Kind(
        build=lambda: conv_autoencoder(channels=3, image_size=(SIDE, SIDE)), task=builtin_task("image-reconstruction")
    ),
}


def problem_of(kind: Kind) -> Problem:
    """Digits as colour pictures."""
    classes = CLASSES if kind.task.name == "image-classification" else ()
    return Problem(task=kind.task.name, input=ImageInput(size=(SIDE, SIDE), channels=3), classes=classes)


PUBLISHED = {
    "detector": "ssd_tiny",
    "yolo": "yolo_nano@digit_scenes",
    "segmenter": "fcn_tiny@digit_scenes",
    "faces": "facenet_tiny@digits",
    "vae": "vae@digits",
    "gan": "dcgan@digits",
    "gru": "gru@names",
    "language": "gru_lm@names",
    "sentences": "sentence_bert_tiny",
    "sounds": "wavenet_tiny@tones",
}
"""Weights that come along, or a model with random ones, for every task that `KINDS` has no model of."""
ENCODERS = {"sentences": "bert_tiny@names"}
"""Where an encoder takes its parameters from: with random ones its attention moves answers less than rounding does."""
NAMES = (*KINDS, *PUBLISHED)


@cache
def trained(name: str) -> Subject:
    """One of `NAMES`, trained; the same bits every time on one machine."""
    if name in PUBLISHED:
        subject = _published(PUBLISHED[name])
        return _with_encoder(subject, _published(ENCODERS[name])) if name in ENCODERS else subject
    kind = KINDS[name]
    problem = problem_of(kind)
    torch.manual_seed(0)
    module = _fit(kind.build(), problem, rate=kind.rate)
    digest = state_sha256(module)
    return Subject(
        model=f"tests/{name}",
        module=module,
        task=kind.task,
        problem=problem,
        plugin=PluginRecord(name="tests", distribution="edgezoo", version="0"),
        lineage=LineageRecord(weights=f"{STEPS} steps on digits", weights_sha256=digest, target=""),
        trained=True,
    )


def _published(text: str) -> Subject:
    """Published weights, or random ones for the bare name of a model."""
    untrained = "@" not in text
    request = resolve_target(text, untrained=untrained)
    return find_subject(request.target, request.catalog, untrained=untrained, data=False)


def _with_encoder(subject: Subject, source: Subject) -> Subject:
    """The same model with the parameters that it shares with another, which has a head besides."""
    own, others = subject.module.state_dict(), source.module.state_dict()
    subject.module.load_state_dict({name: others[name] for name in own})
    digest = state_sha256(subject.module)
    lineage = LineageRecord(weights=f"the encoder of {source.model}", weights_sha256=digest, target="")
    return replace(subject, lineage=lineage, trained=True)


def _fit(module: nn.Module, problem: Problem, *, rate: float) -> nn.Module:
    digits, image = load(), problem.image
    mean, std = (torch.tensor(numbers).view(1, 3, 1, 1) for numbers in (image.mean, image.std))
    pictures = torch.from_numpy(digits.train_images[:IMAGES].copy()).unsqueeze(1).expand(-1, 3, -1, -1)
    labels = torch.from_numpy(digits.train_labels[:IMAGES].copy())
    optimizer = torch.optim.AdamW(module.parameters(), lr=rate)
    order = torch.randperm(IMAGES).repeat(1 + STEPS * BATCH // IMAGES)
    for step in range(STEPS):
        places = order[step * BATCH : (step + 1) * BATCH]
        batch = (pictures[places] / 255 - mean) / std
        answers = module(batch)
        if problem.classes:
            loss = functional.cross_entropy(answers, labels[places])
        else:
            loss = functional.mse_loss(answers, batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return module.eval()
