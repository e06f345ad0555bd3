"""Weights to publish: rounded as asked, measured as stored, and declared so that they load again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import zoo
from tests.digits_run import probabilities
from zoo.api.errors import UsageError
from zoo.api.specs import WeightsSpec
from zoo.data.embedded import digits
from zoo.models.weights.card import packing_of, recipe_of
from zoo.models.weights.declaration import declaration, needed_imports
from zoo.models.weights.load import load_state, read_state
from zoo.models.weights.rounding import stored

if TYPE_CHECKING:
    from zoo.models.load import Trained

Command = Callable[..., Any]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def packed(digits_run: tuple[Path, nn.Module], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The file that `zoo weights pack --dtype float16` makes of the run of `cnn`, and what it said."""
    import io
    import json
    from contextlib import redirect_stdout

    from zoo.cli import main

    file, said = tmp_path_factory.mktemp("packed") / "cnn-digits.safetensors", io.StringIO()
    with redirect_stdout(said):
        assert main(["weights", "pack", str(digits_run[0]), "-o", str(file), "--dtype", "float16", "--json"]) == 0
    return file, json.loads(said.getvalue())


def spec_of(declared: str) -> WeightsSpec:
    """What a plugin that pastes the declaration offers."""
    return eval(declared, {name: getattr(zoo, name) for name in zoo.__all__})  # type: ignore[no-any-return]


def test_matrices_are_halved_and_the_rest_is_kept(packed: tuple[Path, Any], digits_run: tuple[Path, nn.Module]) -> None:
    tensors = load_file(packed[0])
    own = digits_run[1].state_dict()
    assert tensors.keys() == own.keys()
    for name, tensor in own.items():
        wanted = tensor.half() if tensor.ndim >= 2 else tensor
        assert tensors[name].dtype == wanted.dtype
        assert torch.equal(tensors[name], wanted)


def test_the_metrics_are_those_of_the_stored_numbers(
    packed: tuple[Path, Any], digits_run: tuple[Path, nn.Module]
) -> None:
    file, said = packed
    rounded = zoo.create_model("cnn", num_classes=10).eval()
    load_state(rounded, read_state(file), origin="w")
    data = digits.load()
    right = int((probabilities(rounded, data.test_images).argmax(dim=1).numpy() == data.test_labels).sum())
    assert (said["split"], said["items"]) == ("test", 2000)
    assert said["spec"]["metrics"]["top1"] == round(right / 2000, 4)
    assert not np.array_equal(
        probabilities(rounded, data.test_images[:9]), probabilities(digits_run[1], data.test_images[:9])
    )


def test_the_declaration_can_be_pasted(packed: tuple[Path, Any]) -> None:
    file, said = packed
    spec = spec_of(said["declaration"])
    assert spec.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (spec.model, spec.tag, spec.data, spec.classes) == ("cnn", "digits", "digits", tuple("0123456789"))
    assert (spec.size, spec.resource) == (file.stat().st_size, "zoo_cnn:weights/cnn-digits.safetensors")
    assert spec.licence.startswith("Apache-2.0; trained on MNIST digits, which are CC BY-SA 3.0")
    assert isinstance(spec.input, zoo.ImageInput)
    assert spec.input.size == (28, 28)


def test_the_card_says_what_it_is(packed: tuple[Path, Any]) -> None:
    file, said = packed
    card = file.with_suffix(".md").read_text()
    assert card.startswith("# cnn/cnn@digits\n")
    assert f"| sha256 | `{said['spec']['sha256']}` |" in card
    assert "| measured on | digits, test split, 2,000 items |" in card
    assert "| numbers | float16 for tensors of two or more dimensions" in card
    assert said["declaration"] in card
    assert '"model": "cnn/cnn"' in card
    assert str(Path.home()) not in card


def test_a_plugin_ships_what_was_packed(
    packed: tuple[Path, Any], install_plugin: Callable[..., Path], zoo_command: Command
) -> None:
    file, said = packed
    pasted = said["declaration"].replace('model="cnn"', 'model="cnn/cnn"').replace("zoo_cnn:weights/", "shipped_pack:")
    module = install_plugin(
        "shipper",
        "from zoo import ImageInput, WeightsSpec, hookimpl\n\n@hookimpl\ndef zoo_weights():\n"
        f"    yield {pasted.replace(chr(10), chr(10) + '    ')}\n",
    )
    package = module.parent / "shipped_pack"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / file.name).write_bytes(file.read_bytes())
    said_again = zoo_command("eval", "cnn/cnn@shipper/digits", "--json")
    assert said_again.code == 0, said_again.err
    assert round(said_again.json["metrics"]["top1"], 4) == said["spec"]["metrics"]["top1"]


def test_published_weights_are_packed_again_exactly(zoo_command: Command, tmp_path: Path) -> None:
    file = tmp_path / "again.safetensors"
    said = zoo_command("weights", "pack", "conv_autoencoder@digits", "-o", str(file))
    assert said.code == 0, said.err
    old = zoo.Catalog.discover().weight("conv_autoencoder@digits").spec
    shipped = load_file(Path(__file__).parents[3] / "plugins" / old.resource.replace(":", "/"))
    model = zoo.create_model("conv_autoencoder@digits")
    assert all(torch.equal(tensor, shipped[name].to(tensor.dtype)) for name, tensor in load_file(file).items())
    assert load_file(file).keys() == model.state_dict().keys()
    spec = spec_of(re.search(r"^WeightsSpec\(.*?^\)", said.out, re.DOTALL | re.MULTILINE)[0])  # type: ignore[index]
    assert (spec.tag, spec.recipe, spec.metrics) == ("digits", old.recipe, dict(old.metrics))


def test_where_the_licence_does_not_follow_it_is_asked_for(
    digits_run: tuple[Path, nn.Module], tmp_path: Path, zoo_command: Command
) -> None:
    import json
    import shutil

    place = tmp_path / "run"
    shutil.copytree(digits_run[0], place)
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps(config | {"data": "/home/someone/photos"}))
    said = zoo_command("weights", "pack", str(place), "-o", str(tmp_path / "w.safetensors"))
    assert said.code == 2
    assert "nobody declared under which licence weights trained on photos are" in said.err
    assert sorted(path.name for path in tmp_path.glob("w*")) == []


def test_every_task_says_under_which_licence_its_own_data_are() -> None:
    specs = [entry.spec for entry in zoo.Catalog.discover().tasks()]
    assert [spec.name for spec in specs if bool(spec.default_data) != bool(spec.data_licence)] == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("w.pth", "weights are .safetensors files"), ("taken.safetensors", "taken.safetensors exists already")],
)
def test_bad_places_are_refused_at_once(name: str, sentence: str, tmp_path: Path, zoo_command: Command) -> None:
    (tmp_path / "taken.safetensors").touch()
    said = zoo_command("weights", "pack", "cnn@digits", "-o", str(tmp_path / name))
    assert (said.code, sentence in said.err) == (2, True)


def test_a_number_too_large_for_half_precision_is_refused() -> None:
    with pytest.raises(UsageError, match="head holds 70000, and float16 ends at 65504"):
        stored({"head": torch.full((2, 2), 7e4)}, "float16")
    kept = stored({"bias": torch.full((2,), 7e4), "count": torch.ones(2, 2, dtype=torch.int64)}, "float16")
    assert (kept["bias"].dtype, kept["count"].dtype) == (torch.float32, torch.int64)


@pytest.mark.parametrize(
    "input",
    [
        zoo.ImageInput(size=(8, 8), mean=(0.5,) * 3, std=(0.25,) * 3),
        zoo.TokenInput(max_length=64),
        zoo.LatentInput(size=4, picture=zoo.ImageInput(size=(2, 2), channels=1, mean=(0.5,), std=(0.5,))),
        None,
    ],
)
def test_a_declaration_means_the_spec_it_was_made_of(input: zoo.Input | None) -> None:
    spec = WeightsSpec(
        model="a/b",
        tag="c",
        licence='some "quoted" text',
        sha256="0" * 64,
        url="https://example.org/w.safetensors",
        input=input,
        classes=("one",),
        vocabulary=("\n", "\\", "'", '"'),
        facts={"anchors": [1, 2], "deep": {"a": None}},
    )
    names: dict[str, Any] = {}
    exec(needed_imports(spec), names)
    assert eval(declaration(spec), names) == spec


def test_an_input_of_a_plugin_is_imported_from_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "data" / "pairs"))
    from zoo_pairs.inputs import PairInput

    spec = WeightsSpec(
        model="pair_net",
        tag="dots",
        licence="MIT",
        sha256="0" * 64,
        resource="zoo_pairs:weights/x.safetensors",
        input=PairInput(left=(12, 12), right=(8, 16)),
    )
    assert needed_imports(spec) == "from zoo import WeightsSpec\nfrom zoo_pairs.inputs import PairInput"
    assert needed_imports(spec, "hookimpl").startswith("from zoo import WeightsSpec, hookimpl\n")
    names: dict[str, Any] = {}
    exec(needed_imports(spec), names)
    assert eval(declaration(spec), names) == spec


def made_by(*argv: str, status: str = "finished", max_time: float | None = None) -> str:
    """The recipe of weights of step 250 of a run that this command made."""
    run = SimpleNamespace(record=SimpleNamespace(argv=argv), status=status, config=SimpleNamespace(max_time=max_time))
    trained = SimpleNamespace(run=run, lineage=SimpleNamespace(step=250), entry=SimpleNamespace(bare_name="cnn"))
    return recipe_of(cast("Trained", trained))


def test_a_recipe_is_the_command_that_makes_the_weights() -> None:
    whole = made_by("/usr/bin/zoo", "train", "cnn", "--data", "/home/me/photos", "-o", "/tmp/x", "--epochs", "3")
    assert whole == "zoo train cnn --data photos --epochs 3"
    assert made_by("/env/lib/zoo/__main__.py", "train", "cnn", "--output=/tmp/x") == "zoo train cnn"
    assert made_by("/usr/bin/zoo", "train", "cnn", "--stop-after", "99") == "zoo train cnn --stop-after 99"
    assert packing_of("a b.safetensors", "float16") == (
        " -o run && zoo weights pack run -o 'a b.safetensors' --dtype float16"
    )
    assert packing_of("a.safetensors", "float32") == ""


@pytest.mark.parametrize(
    "made",
    [
        made_by("zoo", "train", "cnn", "--lr", "1", status="interrupted"),
        made_by("zoo", "train", "cnn", "--max-time", "2h", "--lr", "1", max_time=7200.0),
        made_by("zoo", "train", "cnn", "--max-time=2h", "--lr", "1", status="interrupted", max_time=7200.0),
        made_by("zoo", "train", "cnn", "--lr", "1", "--stop-after", "900", status="interrupted"),
    ],
)
def test_a_stopped_training_is_repeated_up_to_the_step_of_its_weights(made: str) -> None:
    assert made == "zoo train cnn --lr 1 --stop-after 250"
