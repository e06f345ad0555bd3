"""Models by name: the right facts to the builder, the same seed the same numbers, a new head for other classes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tests.tiny import ANIMALS, INPUT, mirror, published_state, source, tiny_run
from zoo import ImageInput, Problem, create_model
from zoo.api.errors import BadFile, PluginError, UsageError, ZooError
from zoo.models.build import build, default_problem
from zoo.registry.catalog import Catalog

Install = Callable[..., Path]


@pytest.fixture(autouse=True)
def tiny(install_plugin: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin `tiny` beside zoo's own tasks, and its weights on a mirror."""
    weights = {
        "v1": (mirror(tmp_path / "mirror", "v1", published_state()), True),
    }
    install_plugin("tiny", source(weights))
    monkeypatch.setenv("ZOO_MIRROR", (tmp_path / "mirror").as_uri())
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "tiny,zoo")


def weight(model: nn.Module) -> torch.Tensor:
    tensor: torch.Tensor = model.state_dict()["1.weight"]
    return tensor


PUBLISHED = published_state()["module.1.weight"]


def test_a_model_for_so_many_classes() -> None:
    assert weight(create_model("tiny", num_classes=5)).shape == (5, 4)


def test_a_model_for_a_problem() -> None:
    problem = Problem(task="image-classification", input=INPUT, classes=("a", "b"))
    assert weight(create_model("tiny", problem=problem)).shape == (2, 4)
    with pytest.raises(UsageError, match="the problem has 2 classes, and num_classes=3"):
        create_model("tiny", problem=problem, num_classes=3)


def test_without_either_the_classes_are_those_it_was_published_with() -> None:
    catalog = Catalog.discover()
    assert default_problem(catalog, catalog.model("tiny")).classes == ANIMALS
    assert weight(create_model("tiny")).shape == (3, 4)


def test_without_weights_the_classes_are_those_of_the_embedded_data() -> None:
    catalog = Catalog.discover()
    assert default_problem(catalog, catalog.model("failing")).classes == tuple("0123456789")


def test_the_same_seed_gives_the_same_parameters_and_leaves_torch_alone() -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first, second = create_model("tiny", num_classes=3, seed=1), create_model("tiny", num_classes=3, seed=1)
    assert torch.equal(weight(first), weight(second))
    assert not torch.equal(weight(first), weight(create_model("tiny", num_classes=3, seed=2)))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", ["tiny@v1", "tiny/tiny@tiny/v1"])
def test_published_weights_by_name(name: str) -> None:
    assert torch.equal(weight(create_model(name)), PUBLISHED)


def test_published_weights_for_as_many_classes_keep_their_head() -> None:
    assert torch.equal(weight(create_model("tiny", weights="v1", num_classes=3)), PUBLISHED)


def test_other_classes_get_a_new_head() -> None:
    fresh = create_model("tiny", num_classes=5, seed=1)
    assert torch.equal(weight(create_model("tiny@v1", num_classes=5, seed=1)), weight(fresh))
    # as many classes, but other ones: what the head learnt says nothing about them
    others = Problem(task="image-classification", input=INPUT, classes=("x", "y", "z"))
    assert not torch.equal(weight(create_model("tiny@v1", problem=others, seed=1)), PUBLISHED)


def test_a_run_is_weights_too(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run")
    assert torch.equal(weight(create_model("tiny", weights=str(run.path))), torch.ones(3, 4))


def test_a_file_keeps_its_head_where_it_fits(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"1.weight": torch.ones(3, 4), "1.bias": torch.ones(3)}, path)
    assert torch.equal(weight(create_model("tiny", weights=str(path), num_classes=3)), torch.ones(3, 4))
    assert not torch.equal(weight(create_model("tiny", weights=str(path), num_classes=2)), torch.ones(2, 4))


def test_a_file_of_another_network_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"1.weight": torch.ones(3, 4), "1.bias": torch.ones(3), "9.bias": torch.ones(3)}, path)
    with pytest.raises(BadFile, match=re.escape("does not fit this Sequential: 9.bias is not in the model")):
        create_model("tiny", weights=str(path), num_classes=3)


@pytest.mark.parametrize(
    ("make", "kind", "sentence"),
    [
        (
            lambda: create_model("failing", num_classes=2),
            PluginError,
            "the plugin 'tiny' (zoo-test 1.0) could not build tiny/failing with num_classes=2: "
            "ZeroDivisionError: no parts",
        ),
        (lambda: create_model("listing", num_classes=2), PluginError, "built tiny/listing as a list, not as a torch"),
        (
            lambda: create_model("tiny", num_classes=-1),
            UsageError,
            "num_classes is -1; it must be a whole number from 0",
        ),
        (lambda: create_model("tiny@v1", weights="v1"), UsageError, "names weights, and weights='v1' too"),
        (
            lambda: create_model("headless@v1", num_classes=2),
            UsageError,
            "was trained for 3 classes, this data has 2 classes, and tiny/headless does not say which of its layers",
        ),
    ],
)
def test_what_cannot_be_built_is_a_sentence(make: Callable[[], nn.Module], kind: type[ZooError], sentence: str) -> None:
    with pytest.raises(kind, match=re.escape(sentence)):
        make()


def test_a_builder_gets_the_facts_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZOO_LOAD_PLUGINS")
    catalog = Catalog.discover()
    problem = Problem(task="image-classification", input=ImageInput(size=(64, 64)), classes=tuple("0123456789"))
    with torch.device("meta"):
        model = build(catalog, catalog.model("vit_b_32"), problem)
    assert model.state_dict()["encoder.pos_embedding"].shape == (1, 5, 768)


def test_positions_learnt_at_one_size_are_not_taken_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZOO_LOAD_PLUGINS")
    problem = Problem(task="image-classification", input=ImageInput(size=(64, 64), fixed_size=True), classes=ANIMALS)
    with (
        torch.device("meta"),
        pytest.raises(UsageError, match="was trained at 224x224 pixels, and its parameters depend on the size"),
    ):
        create_model("vit_b_32@imagenet1k_v1", problem=problem)


def test_random_parameters_need_no_licence_of_published_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise UsageError("the licence of tiny@v1 forbids commercial use")

    monkeypatch.setattr("zoo.models.weights.source.check_accepted", refused)
    catalog = Catalog.discover()
    assert default_problem(catalog, catalog.model("tiny")).classes == ANIMALS
    with pytest.raises(UsageError, match="forbids commercial use"):
        create_model("tiny", pretrained=True)
