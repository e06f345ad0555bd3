"""Trained models by target: the right checkpoint, strictly loaded, with where it comes from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.tiny import ANIMALS, mirror, published_state, source, tiny_run
from zoo.api.errors import BadFile, UsageError
from zoo.models.load import Trained, load_trained
from zoo.models.target import BundleTarget, at_checkpoint, find_target
from zoo.registry.catalog import Catalog
from zoo.runs.lock import holding

Install = Callable[..., Path]

TWOS = torch.full((3, 4), 2.0)


@pytest.fixture
def sha256(install_plugin: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The plugin `tiny` beside zoo's own tasks, with weights v1 of this hash."""
    found = mirror(tmp_path / "mirror", "v1", published_state())
    install_plugin("tiny", source({"v1": (found, True), "nameless": (found, False)}))
    monkeypatch.setenv("ZOO_MIRROR", (tmp_path / "mirror").as_uri())
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "tiny,zoo")
    return found


@pytest.fixture
def catalog(sha256: str) -> Catalog:
    return Catalog.discover()


def weight(trained: Trained) -> torch.Tensor:
    tensor: torch.Tensor = trained.model.state_dict()["1.weight"]
    return tensor


def test_a_run_gives_its_best_checkpoint_in_evaluation_mode(catalog: Catalog, tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run")
    trained = load_trained(find_target(str(run.path), catalog), catalog)
    assert torch.equal(weight(trained), torch.ones(3, 4))
    assert not trained.model.training
    assert (trained.problem, trained.task.name) == (run.problem, "image-classification")
    assert trained.notes == ()
    file = run.checkpoints / "step-10" / "model.safetensors"
    assert trained.lineage.record() == {
        "model": "tiny/tiny",
        "plugin": "tiny",
        "distribution": "zoo-test",
        "plugin_version": "1.0",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "run": str(run.path),
        "checkpoint": "step-10",
        "step": 10,
        "epoch": 1,
        "data": "digits",
        "data_fingerprint": "f" * 64,
        "seed": 0,
        "metrics": {"top1": 0.1},
    }


def test_the_last_checkpoint_on_request(catalog: Catalog, tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run")
    assert torch.equal(weight(load_trained(at_checkpoint(find_target(str(run.path), catalog), "last"), catalog)), TWOS)


def test_a_checkpoint_by_its_directory_is_that_one_or_none(catalog: Catalog, tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run")
    assert torch.equal(
        weight(load_trained(at_checkpoint(find_target(str(run.path), catalog), "step-20"), catalog)), TWOS
    )
    with pytest.raises(BadFile, match="has no valid checkpoint"):
        load_trained(at_checkpoint(find_target(str(run.path), catalog), "step-30"), catalog)


def test_only_a_run_has_checkpoints_to_choose_from(catalog: Catalog) -> None:
    weights = find_target("tiny@v1", catalog)
    assert at_checkpoint(weights, "best") is weights
    with pytest.raises(UsageError, match="chooses among the checkpoints of a run"):
        at_checkpoint(weights, "last")


def test_a_damaged_best_checkpoint_is_passed_over_and_named(catalog: Catalog, tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run")
    file = run.checkpoints / "step-10" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    trained = load_trained(find_target(str(run.path), catalog), catalog)
    assert torch.equal(weight(trained), TWOS)
    assert [note.partition(":")[0] for note in trained.notes] == ["passed over step-10"]


def test_a_checkpoint_that_does_not_fit_its_model_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run")
    data = json.loads((run.path / "data.json").read_text())
    data["problem"]["classes"] = ["a", "b"]
    (run.path / "data.json").write_text(json.dumps(data))
    with pytest.raises(BadFile, match=re.escape("1.weight is [3, 4] where [2, 4] belongs")):
        load_trained(find_target(str(run.path), catalog), catalog)


def test_a_run_whose_plugin_is_gone_says_what_to_install(catalog: Catalog, tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run", model="gone/net")
    with pytest.raises(UsageError, match="is of gone/net, which is not on offer here") as error:
        load_trained(find_target(str(run.path), catalog), catalog)
    assert error.value.hint == "install the plugin tiny 1.0"


def test_another_version_of_the_plugin_is_named(catalog: Catalog, tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run")
    config = json.loads((run.path / "config.json").read_text())
    (run.path / "config.json").write_text(json.dumps(config | {"plugin_version": "0.9"}))
    (note,) = load_trained(find_target(str(run.path), catalog), catalog).notes
    assert note.endswith("was trained with version 0.9 of the plugin tiny; installed is 1.0")


@pytest.mark.parametrize(
    ("recorded", "held", "says"),
    [
        ("running", True, "is still being trained"),
        ("running", False, "was interrupted"),  # its process was killed
        ("interrupted", False, "was interrupted"),
        ("failed", False, "failed"),
    ],
)
def test_a_run_that_has_not_finished_says_what_is_taken_of_it(
    recorded: Any, held: bool, says: str, catalog: Catalog, tmp_path: Path
) -> None:
    run = tiny_run(tmp_path / "run")
    run.update(replace(run.record, status=recorded))
    (run.path / "training.lock").touch()
    with holding(run.path) if held else nullcontext():
        notes = load_trained(find_target(str(run.path), catalog), catalog).notes
    assert notes == (f"{run.path} {says}: its checkpoint of epoch 1 of {run.config.recipe.epochs} is taken",)


def test_published_weights_bring_their_problem_and_lineage(catalog: Catalog, sha256: str) -> None:
    trained = load_trained(find_target("tiny@v1", catalog), catalog)
    assert torch.equal(weight(trained), published_state()["module.1.weight"])
    assert trained.problem.classes == ANIMALS
    assert trained.lineage.record() == {
        "model": "tiny/tiny",
        "plugin": "tiny",
        "distribution": "zoo-test",
        "plugin_version": "1.0",
        "sha256": sha256,
        "weights": "tiny/tiny@tiny/v1",
        "url": "https://publisher.example/files/v1.pth",
        "licence": "CC0-1.0",
        "data": "animals",
        "metrics": {"top1": 0.5},
    }
    assert (trained.run, trained.card()) == (None, None)


@pytest.mark.parametrize("weights", ["v1", "tiny@v1"])
def test_the_licence_of_published_weights_follows_what_was_made_from_them(
    weights: str, catalog: Catalog, tmp_path: Path
) -> None:
    first = tiny_run(tmp_path / "first", weights=weights)
    second = tiny_run(tmp_path / "second", weights=str(first.path))
    assert load_trained(find_target(str(second.path), catalog), catalog).lineage.licence == "CC0-1.0"


def test_a_bare_architecture_is_loaded_only_when_told(catalog: Catalog) -> None:
    target = find_target("tiny", catalog, untrained=True)
    with pytest.raises(UsageError, match="tiny alone is a bare architecture, without trained parameters"):
        load_trained(target, catalog)
    trained = load_trained(target, catalog, untrained=True, seed=3)
    assert trained.lineage.record()["seed"] == 3
    assert trained.notes == ("tiny/tiny is untrained: its parameters are random, seed 3",)
    assert torch.equal(weight(trained), weight(load_trained(target, catalog, untrained=True, seed=3)))


def test_weights_without_class_names_cannot_answer(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="tiny/tiny@tiny/nameless names no classes, so it cannot answer by itself"):
        load_trained(find_target("tiny@nameless", catalog), catalog)


def test_a_bundle_holds_no_torch_model(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is already exported, and holds no torch model"):
        load_trained(BundleTarget(path=tmp_path), catalog)


def test_a_checkpoint_with_a_tensor_too_many_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run")
    folder = run.checkpoints / "step-10"
    tensors = {"1.weight": torch.ones(3, 4), "1.bias": torch.ones(3), "2.bias": torch.ones(3)}
    save_file(tensors, folder / "model.safetensors")
    content = (folder / "model.safetensors").read_bytes()
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    manifest["files"]["model.safetensors"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))
    with pytest.raises(BadFile, match=re.escape("2.bias is not in the model")):
        load_trained(find_target(str(run.path), catalog), catalog)
