"""timm's architectures and weights as zoo offers them: cards as the installed timm has them, a hub on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save
from skimage.data import astronaut
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform

import zoo
from tests.models.weights.local_hub import LocalHub, running_hub
from zoo.registry.catalog_listing import make_listing
from zoo_timm import generate
from zoo_timm.classes import SUBSETS, names
from zoo_timm.hub import describe
from zoo_timm.plugin import cards, zoo_weights

STORED = {card["name"]: card for card in cards()}
SAMPLES = (
    *("resnet10t", "vit_tiny_patch16_224", "convnext_atto", "efficientnet_lite0", "swin_tiny_patch4_window7_224"),
    *("mobilenetv4_conv_small", "test_resnet", "test_vit", "levit_128s", "xcit_nano_12_p16_224", "ghostnet_050"),
)


def test_the_cards_are_those_of_the_installed_timm() -> None:
    assert list(STORED) == generate.names(), "run `python -m zoo_timm.generate`"
    tags = generate.tags()
    stored = {name: [weights["tag"] for weights in card["weights"]] for name, card in STORED.items()}
    assert stored == {name: tags.get(name, []) for name in STORED}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_card_says_what_timm_says(name: str) -> None:
    assert json.loads(json.dumps(generate.card(name, generate.stored()))) == STORED[name]


def test_listing_imports_no_timm() -> None:
    code = "import sys, zoo; print(len(zoo.list_models(catalogue='timm')), {'timm', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == [str(len(STORED)), "set()"]


def test_every_name_that_is_listed_means_that_model() -> None:
    catalog = zoo.Catalog.discover()
    wrong = [
        row.bare_name for row in make_listing(catalog).models if catalog.model(row.bare_name).full_name != row.full_name
    ]
    assert wrong == []
    assert catalog.model("resnet18").full_name == "torchvision/resnet18"
    assert catalog.model("resnet18").note == ""
    assert catalog.model("resnet10t").bare_name == "resnet10t"


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext"])
def test_a_model_is_timms_own(name: str) -> None:
    model = zoo.create_model(name, num_classes=3, seed=1)
    assert isinstance(model, type(timm.create_model(name)))
    size = STORED[name]["input"]["size"]
    assert model.eval()(torch.zeros(2, 3, *size)).shape == (2, 3)
    published = zoo.create_model(name, num_classes=1000)
    assert sum(parameter.numel() for parameter in published.parameters()) == STORED[name]["parameters"]


def test_a_name_that_the_installed_timm_lacks_is_an_error() -> None:
    from zoo_timm import model

    with pytest.raises(zoo.PluginError, match="has no architecture 'resnet0'"):
        model.resnet0  # noqa: B018  looked up


def test_the_classes_have_a_name_each() -> None:
    for count, subset in SUBSETS.items():
        assert len(set(names(subset))) == count
    assert names("imagenet_1k")[:2] == ("tench", "goldfish")


# --- weights on a hub ---


NON_COMMERCIAL = "timm/convnextv2_atto.fcmae_ft_in1k"


def _hub() -> LocalHub:
    state = zoo.create_model("test_resnet", num_classes=1000, seed=7).state_dict()
    config = {
        "architecture": "test_resnet",
        "num_classes": 1000,
        "pretrained_cfg": {
            "input_size": [3, 96, 96],
            "crop_pct": 0.95,
            "interpolation": "bicubic",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "license": "mit",
        },
    }
    files = {"model.safetensors": save(state), "config.json": json.dumps(config).encode()}
    restricted = {**files, "config.json": json.dumps(config | {"pretrained_cfg": {}}).encode()}
    return LocalHub(
        {
            "timm/test_resnet.r160_in1k": files,
            "me/mine": files,
            "me/other": {**files, "config.json": json.dumps({**config, "architecture": "test_vit"}).encode()},
            "me/restricted": {**restricted, "README.md": b"---\nlicense: cc-by-nc-4.0\n---\n"},
            NON_COMMERCIAL: files,
        }
    )


def _zoo(words: list[str], home: Path, hub: LocalHub) -> tuple[int, Any]:
    code = "import sys; from zoo.cli import main; sys.exit(main())"
    environment = {**os.environ, "HF_HOME": str(home / "hub"), "HF_ENDPOINT": hub.address}
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--json"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=home,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.ci
def test_weights_come_from_the_hub_and_answer(tmp_path: Path) -> None:
    Image.new("RGB", (200, 160), (200, 30, 30)).save(tmp_path / "red.png")
    with running_hub(_hub()) as hub:
        code, by_tag = _zoo(["predict", "test_resnet@r160_in1k", "red.png"], tmp_path, hub)
        assert code == 0, by_tag
        code, by_name = _zoo(["predict", "hf-hub:me/mine", "red.png"], tmp_path, hub)
        assert code == 0, by_name
        code, refused = _zoo(["predict", "test_vit@hf-hub:me/mine", "red.png"], tmp_path, hub)
    assert len(str(by_tag)) > 20
    assert (code, refused["error"]["message"]) == (
        2,
        "hf-hub:me/mine are weights of timm/test_resnet, not of timm/test_vit",
    )


@pytest.mark.ci
def test_what_forbids_commercial_use_is_fetched_once_it_is_accepted(tmp_path: Path) -> None:
    Image.new("RGB", (200, 160), (200, 30, 30)).save(tmp_path / "red.png")
    with running_hub(_hub()) as hub:
        code, by_tag = _zoo(["predict", "convnextv2_atto@fcmae_ft_in1k", "red.png"], tmp_path, hub)
        sentence = "the licence of convnextv2_atto@fcmae_ft_in1k, cc-by-nc-4.0, forbids commercial use"
        assert (code, by_tag["error"]["message"]) == (2, sentence)
        code, by_name = _zoo(["predict", "hf-hub:me/restricted", "red.png"], tmp_path, hub)
        sentence = "the licence of me/restricted, cc-by-nc-4.0, forbids commercial use"
        assert (code, by_name["error"]["message"]) == (2, sentence)
        assert "--accept-licence" in by_name["error"]["hint"]
        assert not any("model.safetensors" in request for request in hub.requests)
        # accepted, the licence stands in the way no more: these bytes are another architecture's
        code, accepted = _zoo(
            ["predict", "convnextv2_atto@fcmae_ft_in1k", "red.png", "--accept-licence"], tmp_path, hub
        )
    assert any("model.safetensors" in request for request in hub.requests)
    assert code == 2
    assert "licence" not in accepted["error"]["message"]


@pytest.mark.ci
def test_weights_that_do_not_fit_their_configuration_are_a_sentence(tmp_path: Path) -> None:
    Image.new("RGB", (200, 160), (200, 30, 30)).save(tmp_path / "red.png")
    with running_hub(_hub()) as hub:
        code, refused = _zoo(["predict", "hf-hub:me/other", "red.png"], tmp_path, hub)
        assert code == 2, refused
        assert "hf-hub:me/other@" in refused["error"]["message"]
        assert " does not fit this VisionTransformer: cls_token is missing" in refused["error"]["message"]
        code, unknown = _zoo(["predict", "test_resnet@r160_in12k", "red.png"], tmp_path, hub)
        assert (code, unknown["error"]["kind"]) == (2, "unknown-name")
        code, missing = _zoo(["train", "test_vit", "--pretrained", "--data", "digits", "--dry-run"], tmp_path, hub)
    sentence = "the hub has no repository timm/test_vit.r160_in1k, or it is private"
    assert (code, missing["error"]["message"]) == (2, sentence)


@pytest.mark.ci
def test_weights_with_other_bytes_than_the_hub_states_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (200, 160), (200, 30, 30)).save(tmp_path / "red.png")
    hub = _hub()
    hub.damaged = ("timm/test_resnet.r160_in1k",)
    with running_hub(hub):
        code, refused = _zoo(["predict", "test_resnet@r160_in1k", "red.png"], tmp_path, hub)
    assert code != 0
    assert "is not the published file of timm/test_resnet@timm/r160_in1k" in refused["error"]["message"]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (b"nonsense", "is not readable JSON"),
        (b"{}", "names no architecture of timm"),
        (b'{"architecture": "nonesuch"}', "names the architecture 'nonesuch', which the installed timm does not have"),
        (b'{"architecture": "test_resnet", "model_args": {"width": 2}}', "changes the architecture by"),
        (b'{"architecture": "test_resnet", "pretrained_cfg": {}}', "does not say how pictures are prepared"),
    ],
)
def test_a_config_that_says_too_little_is_refused(config: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(config)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(zoo.BadFile, match=sentence):
        describe(tmp_path, name="me/mine")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"crop_mode": "border"}, "with the crop mode 'border', which zoo's pipelines do not"),
        ({"interpolation": "lanczos"}, "resizes with the filter 'lanczos'"),
        ({"input_size": [3, 96, 64]}, "crops to a size that is no square"),
    ],
)
def test_pictures_that_are_prepared_otherwise_are_refused(
    changes: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    _folder(tmp_path, **changes)
    with pytest.raises(zoo.BadFile, match=sentence):
        describe(tmp_path, name="me/mine")


def _folder(path: Path, **changes: Any) -> None:
    prepared = {"input_size": [3, 64, 64], "crop_pct": 0.9, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}
    config = {"architecture": "test_resnet", "num_classes": 1000, "pretrained_cfg": {**prepared, **changes}}
    (path / "config.json").write_text(json.dumps(config))
    (path / "model.safetensors").write_bytes(b"")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"crop_pct": 1.0, "interpolation": "bilinear"},
        {"crop_mode": "squash"},
        {"crop_mode": "squash", "crop_pct": 1.0, "input_size": [3, 64, 96]},
    ],
)
def test_a_pipeline_prepares_pictures_as_timms_evaluation_does(changes: dict[str, Any], tmp_path: Path) -> None:
    _folder(tmp_path, **changes)
    source = describe(tmp_path, name="me/mine").input
    assert isinstance(source, zoo.ImageInput)
    config = json.loads((tmp_path / "config.json").read_text())["pretrained_cfg"]
    data_config = resolve_data_config({"interpolation": "bicubic", **config})  # type: ignore[no-untyped-call]
    transform = create_transform(**data_config)
    photograph = astronaut()  # type: ignore[no-untyped-call]
    for pixels in (photograph, photograph[:200], photograph[:, :77], photograph[5:6, :7]):
        expected = transform(Image.fromarray(pixels))[None]
        actual = zoo.ImagePrepare(source)(torch.from_numpy(np.ascontiguousarray(pixels)))
        level = 1 / 255 / torch.tensor(source.std).reshape(1, 3, 1, 1)
        assert float(((actual - expected).abs() / level).max()) <= 1.01


def test_weights_whose_pictures_are_squashed_say_so() -> None:
    specs = {f"{spec.model}@{spec.tag}": spec.input for spec in zoo_weights()}
    nfnet, resnet = specs["dm_nfnet_f0@dm_in1k"], specs["resnet10t@c3_in1k"]
    assert isinstance(nfnet, zoo.ImageInput)
    assert isinstance(resnet, zoo.ImageInput)
    assert (nfnet.size, nfnet.resize, nfnet.stretch) == ((192, 192), 213, True)
    assert not resnet.stretch


def test_a_folder_with_a_pickle_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architecture": "test_resnet"}')
    with pytest.raises(zoo.BadFile, match=r"me/mine has no model\.safetensors"):
        describe(tmp_path, name="me/mine")


def test_a_repository_without_a_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(zoo.BadFile, match=r"me/mine has no config\.json, so nobody knows its architecture"):
        describe(tmp_path, name="me/mine")
