"""Files as torchvision publishes them enter zoo's networks, which then answer as torchvision's own do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from zoo.api.problem import ImageInput, Problem
from zoo.data.image.preprocess import ImagePrepare
from zoo.models.build import build, silent
from zoo.models.load import load_trained
from zoo.models.target import WeightsTarget
from zoo.models.weights.source import published_source
from zoo.models.weights.start import start_from
from zoo.registry.catalog import Catalog

Publish = Callable[[str, dict[str, Tensor]], Catalog]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Puts a state_dict on a mirror as the published file of a model; the catalogue that expects its hash."""
    monkeypatch.setenv("ZOO_MIRROR", str(tmp_path))
    catalog = Catalog.discover()

    def put(model: str, state: dict[str, Tensor]) -> Catalog:
        entry = catalog.weight(f"{model}@imagenet1k_v1")
        file = tmp_path / entry.spec.url.removeprefix("https://")
        file.parent.mkdir(parents=True)
        torch.save(state, file)
        changed = replace(entry.spec, sha256=hashlib.sha256(file.read_bytes()).hexdigest()[:8])
        plugin = replace(
            entry.plugin, weights=tuple(changed if spec == entry.spec else spec for spec in entry.plugin.weights)
        )
        plugins = tuple(plugin if one == entry.plugin else one for one in catalog.plugins)
        return replace(catalog, plugins=plugins)

    return put


def published(name: str, *, size: int, **keywords: Any) -> nn.Module:
    """torchvision's own network, with random parameters and the statistics of a batch, so that answers vary."""
    torch.manual_seed(3)
    model = cast(nn.Module, models.get_model(name, weights=None, **keywords))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(torch.randn(2, 3, size, size))
    return model.eval()


def target(catalog: Catalog, model: str) -> WeightsTarget:
    entry = catalog.model(model)
    return WeightsTarget(model=entry, source=published_source(catalog, catalog.weight(f"{model}@imagenet1k_v1"), entry))


@pytest.mark.parametrize("name", ["resnet18", "mnasnet0_5", "squeezenet1_1"])
def test_a_published_file_gives_torchvisions_own_logits(name: str, publish: Publish) -> None:
    original = published(name, size=64)
    actual = load_trained(target(publish(name, original.state_dict()), name), Catalog.discover()).model
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(actual(images), original(images))


def test_the_old_names_of_a_densenet_are_understood(publish: Publish) -> None:
    original = published("densenet121", size=32)
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.", name): tensor
        for name, tensor in original.state_dict().items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    actual = load_trained(target(publish("densenet121", old), "densenet121"), Catalog.discover()).model
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(actual(images), original(images))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("googlenet", 224), ("inception_v3", 299)])
def test_inception_is_fed_what_it_was_trained_with(name: str, size: int, publish: Publish) -> None:
    # torchvision normalises for ImageNet, then undoes it inside the network; zoo says mean and std 0.5 at once
    original = published(name, size=size, aux_logits=True, transform_input=True, init_weights=False)
    trained = load_trained(target(publish(name, original.state_dict()), name), Catalog.discover())
    image = torch.randint(0, 256, (size + 60, size + 90, 3), dtype=torch.uint8)
    wanted = trained.problem.image
    as_theirs = replace(wanted, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    ready, ready_for_original = ImagePrepare(wanted)(image), ImagePrepare(as_theirs)(image)
    right = original(ready_for_original)
    assert (trained.model(ready) - right).abs().max() < 1e-3 * (original(ready) - right).abs().max()


@pytest.mark.slow
def test_a_new_head_and_a_small_size_leave_the_trained_body(publish: Publish) -> None:
    original = published("inception_v3", size=299, aux_logits=True, init_weights=False).state_dict()
    catalog = publish("inception_v3", original)
    entry = catalog.model("inception")
    small = ImageInput(size=(96, 96), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    problem = Problem(task="image-classification", input=small, classes=("cat", "dog"))
    actual = build(catalog, entry, problem, seed=1)
    untouched = build(catalog, entry, problem, seed=1).state_dict()
    source = published_source(catalog, catalog.weight("inception@imagenet1k_v1"), entry)
    started = start_from(source, actual, catalog=catalog, entry=entry, problem=problem, progress=silent)
    assert started.new_head
    for name, tensor in actual.state_dict().items():
        assert torch.equal(tensor, untouched[name] if name.startswith("fc.") else original[name]), name
