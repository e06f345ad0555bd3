"""The kit finds a trainer that forgets its state, and weights that are not what they are said to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.api.errors import ZooError
from zoo.api.specs import WeightsSpec
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing import weights
from zoo.testing.check_context import CheckContext
from zoo.testing.score import Failing
from zoo.testing.trainer import resume_exact

FORGETFUL = """
import zoo

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="net", task="image-classification", builder=f"{__name__}:build", trainer="forgetful",
                        input=zoo.ImageInput(size=(28, 28), channels=1, mean=(0.13,), std=(0.31,)), licence="MIT")

@zoo.hookimpl
def zoo_trainers():
    yield zoo.TrainerSpec(name="forgetful", task="image-classification", trainer=f"{__name__}:Forgetful")

def build(*, num_classes):
    from torch import nn
    return nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16, num_classes))

class Forgetful:
    seen = 0

    def modules(self, model, problem):
        return {"model": model}

    def optimizers(self, modules, recipe, head):
        return {"model": zoo.build_optimizer(modules["model"], recipe)}

    def step(self, context, batch):
        from torch.nn import functional as F
        self.seen += 1
        logits = context.modules["model"](batch["input"])
        loss = F.cross_entropy(logits, batch["label"]) / self.seen
        context.backward(loss)
        context.update("model")
        return zoo.StepOutput(loss=loss.detach(), count=len(logits))

    def predict(self, context, batch):
        return {"logits": context.modules["model"](batch["input"])}

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass
"""


@pytest.mark.slow
def test_a_trainer_that_forgets_its_state_is_found(install_plugin: Callable[..., Path]) -> None:
    install_plugin("lax", FORGETFUL)
    catalog = Catalog.discover()
    context = CheckContext(catalog, catalog.plugin("lax"))
    with pytest.raises(Failing, match="the resumed run ends with other weights") as failing:
        resume_exact(context, catalog.model("lax/net"))
    assert "state_dict()" in failing.value.next_step


@pytest.fixture
def published() -> tuple[CheckContext, RegistryEntry[WeightsSpec]]:
    """Sound weights, and a bench for what is said of them."""
    catalog = Catalog.discover()
    return CheckContext(catalog, catalog.plugin("cnn")), catalog.weight("convnet@digits")


def test_a_wrong_claim_is_measured_again(published: tuple[CheckContext, RegistryEntry[WeightsSpec]]) -> None:
    context, entry = published
    claimed = replace(entry, spec=replace(entry.spec, metrics={"top1": 1.0, "top9": 0.5}))
    with pytest.raises(Failing, match=r"top1 is 0\.9\d+, 1 is claimed; top9 is nan, 0\.5 is claimed"):
        weights.metric(context, claimed)


def test_other_bytes_another_model_and_no_licence_are_found(
    published: tuple[CheckContext, RegistryEntry[WeightsSpec]],
) -> None:
    context, entry = published
    with pytest.raises(ZooError, match="sha256"):
        weights.hash(context, replace(entry, spec=replace(entry.spec, sha256="0" * 64)))
    with pytest.raises(ZooError, match="cnn/cnn"):
        weights.loads(context, replace(entry, spec=replace(entry.spec, model="cnn/cnn")))
    with pytest.raises(Failing, match="no licence is named"):
        weights.licence(context, replace(entry, spec=replace(entry.spec, licence=" ")))
