"""The published network, parameter for parameter; triplets, margins and steps, exactly."""

from __future__ import annotations

import hashlib
import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn import functional as F

import zoo_facenet
from zoo import Recipe, UsageError
from zoo.api.problem import ImageInput, Problem
from zoo_facenet.losses import AngularMargin, angular_logits, semi_hard_triplets, squared_distances, triplet_loss
from zoo_facenet.model import FaceNet, facenet, facenet_tiny
from zoo_facenet.plugin import zoo_models, zoo_weights
from zoo_facenet.trainer import MetricTrainer

PROBLEM = Problem(
    task="image-embedding", input=ImageInput(size=(28, 28), channels=1, embedding=16), facts={"identities": 3}
)
OPTIONS = {"loss": "triplet", "margin": 0.2, "scale": 30.0, "images_per_identity": 2}


@pytest.fixture(scope="module")
def large() -> FaceNet:
    torch.manual_seed(0)
    return facenet(channels=3, embedding=512)


def test_the_parameters_are_those_of_the_published_network(large: FaceNet) -> None:
    count = sum(parameter.numel() for parameter in large.parameters())
    assert count == 23_482_624
    assert round((count + 512 * 8631 + 8631) / 1e6, 1) == 27.9  # with the logits of VGGFace2


def published(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tim Esler's file alone: its package wants to download things, which this test does not."""
    package = importlib.util.find_spec("facenet_pytorch")
    if package is None or package.origin is None:
        pytest.skip("facenet-pytorch is not installed")
    for name in ("requests", "requests.adapters"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["requests.adapters"].HTTPAdapter = object  # type: ignore[attr-defined]
    path = Path(package.origin).parent / "models" / "inception_resnet_v1.py"
    spec = importlib.util.spec_from_file_location("facenet_pytorch.models.inception_resnet_v1", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError:  # it imports a neighbour, and with it the whole package
        module = importlib.import_module("facenet_pytorch.models.inception_resnet_v1")
    return module.InceptionResnetV1


def test_published_parameters_give_the_published_answers(large: FaceNet, monkeypatch: pytest.MonkeyPatch) -> None:
    original = published(monkeypatch)(pretrained=None).eval()
    state = {name: value for name, value in original.state_dict().items() if not name.startswith("logits.")}
    rebuilt = facenet(channels=3, embedding=512).eval()
    rebuilt.load_state_dict(state)
    images = torch.randn(1, 3, 112, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(F.normalize(rebuilt(images)), original(images), atol=1e-6)


def test_the_cards_state_the_parameters() -> None:
    for spec in zoo_models():
        keywords: Any = Problem(task=spec.task, input=spec.input).keywords(spec.needs)
        with torch.device("meta"):
            model = {"facenet": facenet, "facenet_tiny": facenet_tiny}[spec.name](**keywords)
        assert sum(parameter.numel() for parameter in model.parameters()) == spec.parameters


@pytest.mark.parametrize("size", [(28, 28), (31, 45)])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_any_size_are_embedded(channels: int, size: tuple[int, int]) -> None:
    model = facenet_tiny(channels=channels, embedding=16).eval()
    images = torch.randn(3, channels, *size)
    assert model(images).shape == (3, 16)
    assert torch.allclose(model(images)[1:2], model(images[1:2]), atol=1e-5)


def test_triplets_of_four_points_on_a_line() -> None:
    points = torch.tensor([[0.0], [1.0], [1.5], [4.0]])
    labels = torch.tensor([0, 0, 1, 1])
    distances = squared_distances(points)
    assert torch.equal(distances[0], torch.tensor([0.0, 1.0, 2.25, 16.0]))
    triplets = [one.tolist() for one in semi_hard_triplets(distances, labels)]
    # 2 (at 1.5) has its positive at 6.25: no negative lies further off, so it takes the furthest, 0 at 2.25
    assert triplets == [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1]]
    loss = triplet_loss(points, labels, margin=0.5)
    # 1 - 2.25 + 0.5 < 0;  1 - 9 + 0.5 < 0;  6.25 - 2.25 + 0.5 = 4.5;  6.25 - 9 + 0.5 < 0
    assert loss.item() == pytest.approx(4.5 / 4)


def test_the_nearest_negative_beyond_the_positive_is_taken() -> None:
    points = torch.tensor([[0.0], [2.0], [1.0], [2.5], [3.0]])
    labels = torch.tensor([0, 0, 1, 1, 1])
    anchor, positive, negative = semi_hard_triplets(squared_distances(points), labels)
    assert (anchor[0].item(), positive[0].item(), negative[0].item()) == (0, 1, 3)  # not 2, the hard one


def test_one_identity_alone_teaches_nothing() -> None:
    points = torch.randn(3, 2, requires_grad=True)
    loss = triplet_loss(points, torch.zeros(3, dtype=torch.long), margin=0.5)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0.0 and points.grad is not None and not points.grad.any()


def test_the_margin_is_added_to_the_own_angle() -> None:
    angles = torch.tensor([[0.5, 1.0], [2.0, 0.3]])
    logits = angular_logits(angles.cos(), torch.tensor([0, 1]), margin=0.4, scale=10.0)
    expected = [[10 * math.cos(0.9), 10 * math.cos(1.0)], [10 * math.cos(2.0), 10 * math.cos(0.7)]]
    assert torch.allclose(logits, torch.tensor(expected), atol=1e-5)


def test_beyond_half_a_turn_the_logit_goes_on_falling() -> None:
    angles = torch.linspace(0.0, math.pi, 50)
    logits = angular_logits(angles.cos()[:, None], torch.zeros(50, dtype=torch.long), margin=0.5, scale=1.0)[:, 0]
    assert (logits.diff() < 0).all()


def test_without_a_margin_logits_are_scaled_cosines() -> None:
    head = AngularMargin(3, 4)
    embeddings = F.normalize(torch.randn(5, 4))
    logits = head(embeddings, torch.arange(5) % 3, margin=0.0, scale=2.0)
    assert torch.allclose(logits, 2 * embeddings @ F.normalize(head.weight).T, atol=1e-6)


def test_the_shipped_weights_are_those_of_their_card_and_know_their_threshold() -> None:
    (weights,) = zoo_weights()
    file = Path(zoo_facenet.__file__).parent / weights.resource.partition(":")[2]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == weights.sha256
    assert file.stat().st_size == weights.size
    assert file.stat().st_size <= 300_000
    threshold = weights.facts["threshold"]
    assert isinstance(threshold, float) and 0 < threshold < 1
    assert weights.facts["far"] == 0.01
    assert weights.metrics["roc_auc"] >= 0.84


class Watched:
    """A context that remembers who was updated."""

    def __init__(self, modules: dict[str, torch.nn.Module], **options: object) -> None:
        self.modules, self.problem, self.options = modules, PROBLEM, {**OPTIONS, **options}
        self.updated: list[str] = []

    def whole(self, rows: torch.Tensor) -> torch.Tensor:
        return rows

    def backward(self, loss: torch.Tensor) -> None:
        loss.backward()  # type: ignore[no-untyped-call]

    def update(self, name: str) -> None:
        self.updated.append(name)
        assert any(parameter.grad is not None for parameter in self.modules[name].parameters())


@pytest.mark.parametrize(("loss", "updated"), [("triplet", ["model"]), ("arcface", ["model", "centres"])])
def test_each_loss_moves_what_it_learns(loss: str, updated: list[str]) -> None:
    torch.manual_seed(0)
    trainer = MetricTrainer()
    modules = trainer.modules(facenet_tiny(channels=1, embedding=16), PROBLEM)
    assert list(trainer.optimizers(modules, Recipe(), ())) == ["model", "centres"]
    context: Any = Watched(modules, loss=loss)
    batch = {"input": torch.randn(6, 1, 28, 28), "label": torch.tensor([0, 0, 1, 1, 2, 2])}
    assert trainer.step(context, batch).count == 6
    assert context.updated == updated
    embedding = trainer.predict(context, batch)["embedding"]
    assert torch.allclose(embedding.norm(dim=1), torch.ones(6), atol=1e-6)


def test_a_loss_that_is_none_is_refused() -> None:
    context: Any = SimpleNamespace(modules={"model": torch.nn.Flatten()}, options={**OPTIONS, "loss": "hinge"})
    with pytest.raises(UsageError, match="there is no loss 'hinge'"):
        MetricTrainer().step(context, {"input": torch.randn(2, 1, 2, 2), "label": torch.tensor([0, 1])})
