"""The cards of transformers' families: as the installed library builds them, listed without it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import torch

import zoo
from zoo.registry.catalog_listing import make_listing

pytest.importorskip("transformers")

from zoo_huggingface import generate
from zoo_huggingface.cards import cards, heads

MICRO = [name for name in cards() if name.endswith("_micro") and not cards()[name].get("not_available")]
PUBLISHED = ("resnet_18", "levit_128s", "mpnet_base")
SIZES = {
    "vit_base_patch16_224": 86_567_656,
    "resnet_18": 11_689_512,
    "convnext_tiny_224": 28_589_128,
    "swin_tiny_patch4_window7_224": 28_288_354,
    "mobilenet_v2_1_0_224": 3_504_872,
    "poolformer_s12": 11_915_176,
    "segformer_b0_finetuned_ade_512_512": 3_752_694,
}


@pytest.mark.parametrize(
    ("task", "family", "name"),
    [names for names in generate.names() if names[2] in (*MICRO[::8], *PUBLISHED)],
    ids=lambda name: name,
)
def test_a_card_says_what_the_installed_library_builds(task: str, family: str, name: str) -> None:
    assert json.loads(json.dumps(generate.card(task, family, name))) == cards()[name]


def test_every_architecture_has_a_card_and_no_other() -> None:
    assert [name for _, _, name in generate.names()] == list(cards()), "run `python -m zoo_huggingface.generate`"


def test_published_sizes_have_the_numbers_of_parameters_that_are_published() -> None:
    assert {name: cards()[name]["parameters"] for name in SIZES} == SIZES


def test_listing_imports_no_transformers() -> None:
    code = (
        "import sys, zoo; print(len(zoo.list_models(catalogue='huggingface')),"
        " {'transformers', 'torch', 'tokenizers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    available = sum(not card.get("not_available") for card in cards().values())
    assert done.stdout.split() == [str(available + 11), "set()"]


def test_every_name_that_is_listed_means_that_model() -> None:
    catalog = zoo.Catalog.discover()
    wrong = [
        row.bare_name for row in make_listing(catalog).models if catalog.model(row.bare_name).full_name != row.full_name
    ]
    assert wrong == []
    assert catalog.model("vit_base_patch16_224").full_name == "timm/vit_base_patch16_224"
    assert catalog.model("huggingface/vit_base_patch16_224").bare_name == "huggingface/vit_base_patch16_224"
    assert catalog.model("segformer_micro").full_name == "huggingface/segformer_micro"


@pytest.mark.parametrize("name", ["vit_micro", "convnext_micro", "mobilevit_micro", "segformer_micro"])
def test_a_network_for_pictures_answers_with_its_classes(name: str) -> None:
    model = zoo.create_model(f"huggingface/{name}", num_classes=3, seed=1).eval()
    size = cards()[name]["input"]["size"]
    answer = model(torch.rand(2, 3, *size))
    assert answer.shape[:2] == (2, 3)
    assert tuple(answer.shape[2:]) in ((), tuple(size))


def test_blue_comes_first_where_the_authors_trained_so() -> None:
    model: Any = zoo.create_model("mobilevit_micro", num_classes=3, seed=1).eval()
    pixels = torch.rand(1, 3, 64, 64)
    assert torch.equal(model(pixels), model.network(pixel_values=pixels.flip(1)).logits)


def test_detectors_give_boxes_in_pixels_and_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo_huggingface.detection import decoded

    model = zoo.create_model("detr_micro", num_classes=3, seed=1)
    pixels = torch.rand(2, 3, 96, 96)
    labels = [{"class_labels": torch.tensor([1]), "boxes": torch.tensor([[0.5, 0.5, 0.2, 0.4]])}] * 2
    loss = model(pixels, labels)
    loss.backward()
    assert loss.shape == ()
    logits = torch.tensor([[[0.0, 0.0, 0.0, 100.0]]])
    boxes, scores = decoded(logits, torch.tensor([[[0.5, 0.5, 0.2, 1.4]]]), size=(50, 100), classes=3)
    assert boxes[0, 0].tolist() == pytest.approx([40.0, 0.0, 60.0, 50.0])
    assert scores[0, 0].tolist() == pytest.approx([0.0, 0.0, 0.0])
    _, sure = decoded(logits, torch.tensor([[[0.5, 0.5, 0.2, 0.2]]]), size=(50, 100), classes=4)
    assert sure[0, 0].tolist() == pytest.approx([0.5, 0.5, 0.5, 1.0])


def test_heads_are_named_by_the_cards() -> None:
    assert "network.classifier." in heads()
    assert "head." not in heads()


def test_an_untrained_detector_is_made_to_answer() -> None:
    from zoo.models.adapter import adapted
    from zoo.models.build import build, default_problem

    catalog = zoo.Catalog.discover()
    entry = catalog.model("detr_micro")
    problem = default_problem(catalog, entry)
    adapter = adapted(build(catalog, entry, problem, seed=1).eval(), catalog, entry, problem)
    with torch.no_grad():
        assert "scaled" in adapter.initialise(torch.zeros(1, 3, 96, 96))  # type: ignore[operator]
        first, second = (
            adapter(torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(at))) for at in (1, 2)
        )
    assert float((first[0] - second[0]).abs().max()) > 1
    assert float(first[1].max()) > 0.05
