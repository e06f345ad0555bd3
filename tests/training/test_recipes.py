"""What a recipe may ask for beside the plain training, with exact numbers on tiny worlds."""

from __future__ import annotations

import math
import signal
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import zoo
from tests.training.toy import Points, train_toy, weights
from zoo.api.recipe import Recipe
from zoo.registry.catalog import Catalog
from zoo.training.launch.build import class_weights
from zoo.training.launch.find_lr import RangeTest, range_rates
from zoo.training.launch.resume import resume
from zoo.training.loop.augmenting import mixed, policy
from zoo.training.loop.data_order import Plan
from zoo.training.recipe.optimizers import build_optimizer, layer_names
from zoo.training.trainers.classification import label_loss, with_teacher
from zoo.training.trainers.teacher import Teacher, load_teacher

GREY = zoo.ImageInput(size=(4, 4), channels=1, mean=(0.5,), std=(0.25,))


# --- layers ---


def net() -> nn.Module:
    body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    return nn.ModuleDict(
        {"stem": nn.Conv2d(1, 1, 1), "blocks": nn.ModuleList([body, nn.Conv2d(2, 2, 1)]), "fc": nn.Linear(2, 3)}
    )


def factors(recipe: Recipe, head: tuple[str, ...]) -> dict[str, float]:
    module = net()
    named = {id(parameter): name for name, parameter in module.named_parameters()}
    groups = build_optimizer(module, recipe, head=head).param_groups
    return {named[id(parameter)]: group["factor"] for group in groups for parameter in group["params"]}


def test_a_layer_is_named_up_to_its_first_number() -> None:
    names = [
        "conv1.weight",
        "layer1.0.conv1.weight",
        "layer1.1.bn2.bias",
        "features.3.weight",
        "blocks.0.attn.qkv.bias",
        "encoder.layers.encoder_layer_3.ln_1.weight",
    ]
    layers = ["conv1", "layer1.0", "layer1.1", "features.3", "blocks.0", "encoder.layers.encoder_layer_3"]
    assert list(layer_names(names).values()) == layers


def test_each_layer_learns_at_a_share_of_the_rate_of_the_next() -> None:
    found = factors(Recipe(layer_decay=0.5), ("fc",))
    assert {name: value for name, value in found.items() if name.endswith("weight")} == {
        "stem.weight": 0.125,
        "blocks.0.0.weight": 0.25,
        "blocks.0.1.weight": 0.25,
        "blocks.1.weight": 0.5,
        "fc.weight": 1.0,
    }
    assert factors(Recipe(layer_decay=0.5), ())["fc.bias"] == 1.0
    assert factors(Recipe(layer_decay=0.5, backbone_lr=0.1), ("fc",))["stem.bias"] == pytest.approx(0.0125)
    assert set(factors(Recipe(), ("fc",)).values()) == {1.0}


def test_blocks_that_begin_with_a_norm_are_layers_of_their_own() -> None:
    """As a transformer's do; the last norm, which has no weights beside it, goes with the block before it."""
    block = nn.Sequential(nn.LayerNorm(2), nn.Linear(2, 2))
    module = nn.ModuleDict({"blocks": nn.ModuleList([block, deepcopy(block)]), "norm": nn.LayerNorm(2)})
    named = {id(parameter): name for name, parameter in module.named_parameters()}
    groups = build_optimizer(module, Recipe(layer_decay=0.5)).param_groups
    factors = {named[id(parameter)]: group["factor"] for group in groups for parameter in group["params"]}
    assert {name: factor for name, factor in factors.items() if name.endswith("weight")} == {
        "blocks.0.0.weight": 0.5,
        "blocks.0.1.weight": 0.5,
        "blocks.1.0.weight": 1.0,
        "blocks.1.1.weight": 1.0,
        "norm.weight": 1.0,
    }


# --- mixing and policies ---


def test_mixup_mixes_pictures_and_labels_by_the_same_share() -> None:
    images, label = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 2, 2), torch.tensor([0, 1, 2, 2])
    torch.manual_seed(3)
    pictures, shares = mixed(images, label, Recipe(mixup=1.0), classes=3)
    share = float(shares[1, 1])
    assert 0 < share < 1
    assert pictures[:, 0, 0, 0].tolist() == pytest.approx([3 * (1 - share), share, 1 + share, 2 + share])
    assert shares.sum(1).tolist() == pytest.approx([1.0] * 4)
    torch.manual_seed(3)
    assert torch.equal(mixed(images, label, Recipe(mixup=1.0), classes=3)[0], pictures)
    same, hard = mixed(images, label, Recipe(), classes=3)
    assert same is images and hard is label


def test_cutmix_puts_a_rectangle_of_another_picture_in_and_counts_its_area() -> None:
    images = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    torch.manual_seed(1)
    pictures, shares = mixed(images, torch.tensor([0, 1]), Recipe(cutmix=1.0), classes=2)
    assert float(pictures[0].mean()) == pytest.approx(float(shares[0, 1]))
    assert set(pictures.flatten().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("name", ["randaugment", "trivialaugment", "autoaugment", "augmix"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_policy_changes_a_picture_the_same_way_from_the_same_seed(name: str, channels: int) -> None:
    picture = torch.randint(0, 256, (channels, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rounds = []
    for seed in (0, 1, 2, 3, 0, 1, 2, 3):
        torch.manual_seed(seed)
        rounds.append(policy(name)(picture))
    assert all(torch.equal(first, second) for first, second in zip(rounds[:4], rounds[4:], strict=True))
    assert any(not torch.equal(changed, picture) for changed in rounds)
    assert {(changed.dtype, changed.shape) for changed in rounds} == {(torch.uint8, picture.shape)}


# --- classes ---


def card(*labels: int) -> Any:
    source = SimpleNamespace(request=SimpleNamespace(source="photos"))
    return SimpleNamespace(splits={"train": [SimpleNamespace(label=label) for label in labels]}, source=source)


def plan(count: int, **options: Any) -> Plan:
    return Plan(dataset=cast("Any", Points(count, 0)), batch_size=4, accumulate=1, seed=0, **options)


def test_rare_classes_weigh_more_and_the_mean_weight_of_an_item_is_one() -> None:
    labels = [0] * 6 + [1] * 2
    found = class_weights(card(*labels), plan(8), classes=3)
    assert found.tolist() == pytest.approx([8 / 12, 8 / 4, 0.0])
    assert sum(float(found[label]) for label in labels) == pytest.approx(8.0)
    with pytest.raises(zoo.UsageError, match="the items of photos have no classes"):
        class_weights(SimpleNamespace(splits={"train": range(3)}, source=card().source), plan(3), classes=2)  # type: ignore[arg-type]


def test_balanced_sampling_draws_every_class_equally_often() -> None:
    labels = [0] * 900 + [1] * 100
    weight = class_weights(card(*labels), plan(1000), classes=2)
    drawn = plan(1000, weights=tuple(weight[torch.tensor(labels)].tolist()))
    first = [index for batch in drawn.epoch(0) for index in batch]
    assert len(first) == 1000 and abs(sum(labels[index] for index in first) - 500) < 50
    assert drawn.epoch(0) == drawn.epoch(0) and drawn.epoch(0) != drawn.epoch(1)
    assert drawn.epoch(3, skip=10) == drawn.epoch(3)[10:]


def context(**options: Any) -> Any:
    known = {"recipe": Recipe(), "class_weights": None, "teacher": None, "divisor": lambda count, **_: count}
    return SimpleNamespace(**{**known, **options})


def test_class_weights_weigh_the_loss() -> None:
    logits, label = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1])
    right, wrong = math.log1p(math.exp(-1)), math.log1p(math.exp(1))
    weighed = label_loss(context(class_weights=torch.tensor([0.5, 2.0])), logits, label)
    assert float(weighed) == pytest.approx((0.5 * right + 2 * wrong) / 2.5)


# --- a teacher ---


def test_a_teacher_adds_the_distance_of_two_softened_answers() -> None:
    logits = torch.tensor([[1.0, 0.0]])
    teacher = lambda *_: torch.tensor([[0.0, 2.0]])  # noqa: E731
    recipe = Recipe(distill_weight=0.25, distill_temperature=2.0)
    loss = with_teacher(context(recipe=recipe, teacher=teacher), torch.tensor(0.5), logits, logits)
    taught, answered = F.softmax(torch.tensor([0.0, 1.0]), 0), F.softmax(torch.tensor([0.5, 0.0]), 0)
    distance = float((taught * (taught / answered).log()).sum())
    assert float(loss) == pytest.approx(0.75 * 0.5 + 0.25 * 4 * distance)
    assert with_teacher(context(), loss, logits) is loss


def test_a_teacher_sees_the_pictures_as_it_was_trained_on_them() -> None:
    colour = zoo.ImageInput(size=(2, 2), channels=3, mean=(0.1, 0.2, 0.3), std=(0.5, 0.5, 0.5))
    seen = []

    class Keeps(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(images)
            return torch.tensor([[1.0, 2.0, 3.0]])

    trained = SimpleNamespace(model=Keeps(), problem=zoo.Problem(task="t", input=colour, classes=("a", "b", "c")))
    problem = zoo.Problem(task="t", input=GREY, classes=("c", "a"))
    logits = Teacher(cast("Any", trained), problem, torch.device("cpu"))(torch.full((1, 1, 4, 4), -1.0))
    assert logits.tolist() == [[3.0, 1.0]]
    assert seen[0].shape == (1, 3, 2, 2)
    assert seen[0][0, :, 0, 0].tolist() == pytest.approx([(0.25 - mean) / 0.5 for mean in (0.1, 0.2, 0.3)])


# --- what cannot be done is refused ---


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mixup": 0.2}, "--mixup"),
        ({"sampling": "balanced"}, "--sampling"),
        ({"teacher": "rich@x"}, "--teacher"),
        ({"settings": ("recipe.augment_policy=randaugment",)}, "--augment-policy"),
    ],
)
def test_a_trainer_that_would_ignore_an_option_refuses_it(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    settings = options.pop("settings", ())
    with pytest.raises(zoo.UsageError) as error:
        train_toy(tmp_path / "run", *settings, **options)
    assert error.value.message == f"the trainer simplenamespace/toy cannot do {words}"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        ("cnn@nothing", "--teacher cnn@nothing: no weights of cnn named 'nothing'"),
        ("cnn", "--teacher cnn: cnn alone is a bare architecture, without trained parameters"),
        ("gru@names", "the teacher gru@names is for zoo/text-classification, and cnn/cnn for"),
    ],
)
def test_a_teacher_that_cannot_teach_is_refused_before_the_data_are_read(
    tmp_path: Path, teacher: str, message: str
) -> None:
    with pytest.raises(zoo.ZooError) as error:
        zoo.train("cnn", teacher=teacher, output=tmp_path / "run", data="nowhere at all")
    assert error.value.message.startswith(message)


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("cnn@digits", "name what it was exported from: --teacher cnn@digits"),
        (
            "runs/a b",
            "name what it was exported from: --teacher 'runs/a b'; that run is no longer there: name another",
        ),
        ("", "name a run, or weights such as resnet18@imagenet1k_v1: --teacher RUN"),
    ],
)
def test_an_exported_teacher_is_refused_with_what_it_was_exported_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, hint: str
) -> None:
    opened = SimpleNamespace(manifest=SimpleNamespace(lineage=SimpleNamespace(target=source)))
    monkeypatch.setattr("zoo.bundle.runtime.bundle.Bundle.open", lambda _: opened)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}")
    with pytest.raises(zoo.UsageError, match="is exported already") as error:
        zoo.train("cnn", teacher=bundle, output=tmp_path / "run", data="nowhere at all")
    assert error.value.hint == hint


def test_a_teacher_must_know_every_class_and_stay_the_same(tmp_path: Path) -> None:
    grey = zoo.Problem(task="image-classification", input=GREY, classes=("7", "cat", "dog"))
    catalog, cpu = Catalog.discover(), torch.device("cpu")
    with pytest.raises(zoo.UsageError) as error:
        load_teacher("cnn@digits", catalog, grey, device=cpu)
    assert error.value.message == "the teacher cnn@digits does not know 2 of the 3 classes: cat, dog"
    digits = replace(grey, classes=("7", "1"))
    teacher, digest = load_teacher("cnn@digits", catalog, digits, device=cpu)
    assert teacher(torch.zeros(2, 1, 4, 4)).shape == (2, 2) and len(digest) == 64
    with pytest.raises(zoo.UsageError, match="has other parameters than when this training began"):
        load_teacher("cnn@digits", catalog, digits, device=cpu, sha256="0" * 64)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("mixup=-1", "mixup is -1; it must be at least 0"),
        ("layer_decay=0", "layer_decay is 0; it must be above 0 and at most 1"),
        ("distill_weight=2", "distill_weight is 2; it must lie between 0 and 1"),
        ("distill_temperature=0", "distill_temperature is 0; it must be greater than 0"),
    ],
)
def test_numbers_out_of_range_are_sentences(tmp_path: Path, setting: str, message: str) -> None:
    with pytest.raises(zoo.UsageError) as error:
        train_toy(tmp_path / "run", setting)
    assert error.value.message == message


# --- the whole way ---


class _Interrupt(zoo.Callback):
    def on_epoch_end(self, result: zoo.EpochResult) -> None:
        if result.epoch == 1:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.slow
def test_everything_at_once_is_saved_and_resumed_exactly(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "epochs": 2,
        "limit_train": 96,
        "batch_size": 32,
        "threads": 1,
        "workers": 0,
        "seed": 1,
        "layer_decay": 0.8,
        "mixup": 0.2,
        "cutmix": 1.0,
        "augment_policy": "randaugment",
        "sampling": "balanced",
        "class_weights": "balanced",
        "teacher": "cnn@digits",
    }
    zoo.train("cnn", output=tmp_path / "whole", **options)
    run = zoo.train("cnn", output=tmp_path / "halves", callbacks=[_Interrupt()], **options)
    assert run.record.status == "interrupted"
    assert (run.config.teacher, len(run.config.teacher_sha256), run.config.recipe.mixup) == ("cnn@digits", 64, 0.2)
    ended = resume(tmp_path / "halves", catalog=Catalog.discover(), say=print)
    assert ended.run.config == replace(run.config, output=ended.run.config.output)
    assert weights(tmp_path / "halves") == weights(tmp_path / "whole")


# --- the learning-rate finder ---


def test_the_rate_is_where_the_loss_falls_fastest() -> None:
    rates = tuple(range_rates(12))
    assert [rates[0], rates[-1]] == pytest.approx([1e-6, 10.0])
    losses = (2.0, 2.0, 1.9, 1.8, 1.5, 1.0, 0.8, 0.7, 0.7, 0.9, 1.5, 3.0)
    test = RangeTest(rates=rates, losses=losses)
    assert test.suggested == float(f"{rates[4]:.2g}")
    assert RangeTest(rates=rates, losses=tuple(sorted(losses))).suggested is None
    assert RangeTest(rates=rates[:5], losses=losses[:5]).suggested is None
