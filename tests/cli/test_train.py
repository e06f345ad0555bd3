"""`zoo train`, from its errors to its documents."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.cli import main
from zoo.runs.run import Run

TINY = ["--limit-train", "128", "--epochs", "1", "--threads", "1"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["convnett"], "no model named 'convnett'"),
        ([], "no MODEL is named"),
        (["cnn", "--batch-size", "0"], "the batch size is 0; it must be at least 1"),
        (["cnn", "--lr", "-1"], "the learning rate is -1; it must be greater than 0"),
        (["cnn", "--lr", "0"], "the learning rate is 0; it must be greater than 0"),
        (["cnn", "--epochs", "0"], "the number of epochs is 0"),
        (["cnn", "--device", "tpu"], "there is no kind of device 'tpu'"),
        (["cnn", "--set", "recipe.epoch=3"], "did you mean 'epochs'?"),
        (["cnn", "--freeze", "backbone"], "would keep random weights for ever"),
        (["cnn", "--data", "no/such/folder"], "no/such/folder"),
        (["cnn", "--resume", "runs/x"], "--resume takes the run's own config, and MODEL cannot change it"),
        (["--resume", "runs/x"], "is not a run directory"),
        (["cnn", "--config", "none.json"], "is not a readable config"),
        (["cnn", "--weights", "nosuchtag"], "nosuchtag"),
        (["cnn", "-o", "."], "exists already"),
        (["autoencoder", "--set", "recipe.input_size=0,0"], "input_size is (0, 0)"),
    ],
)
def test_a_usage_error_is_a_sentence_and_exit_2(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["train", *words]) == 2
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_usage_errors_come_before_torch() -> None:
    script = (
        "import sys; from zoo.cli import main; code = main(['train', 'cnn', '--data', 'nowhere']);"
        "sys.exit(9 if 'torch' in sys.modules else code)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 2


def test_a_training_ends_with_a_document_and_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "convnet", *TINY, "-o", "run", "--json"]) == 0
    streams = capsys.readouterr()
    document = json.loads(streams.out)
    assert (document["schema"], document["run"], document["model"]) == (1, "run", "cnn/convnet")
    assert (document["task"], document["best_epoch"]) == ("image-classification", 1)
    assert {"top1", "test/top1"} <= set(document["metrics"])
    assert "next: zoo export run --onnx" in streams.err
    assert Run.open(Path("run")).record.test["top1"] == document["metrics"]["test/top1"]


def test_finetuning_starts_from_shipped_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "cnn@digits", *TINY, "--freeze", "backbone", "-o", "run"]) == 0
    out = capsys.readouterr().out
    assert "started from cnn/cnn@cnn/digits" in out
    assert Run.open(Path("run")).record.test["top1"] > 0.97


def test_a_dry_run_shows_the_config_and_leaves_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["train", "cnn", "--dry-run", "--lr", "0.25"]) == 0
    out = capsys.readouterr().out
    assert "recipe.lr" in out and "0.25" in out and "train: 9,000 from digits" in out
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_names_the_classes_and_ends_with_the_same_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "my pets" / name).mkdir(parents=True)
        for index in range(10):
            noise = np.random.default_rng(index).integers(0, 255, (12, 12, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / "my pets" / name / f"{index}.png")
    words = ["cnn", "--data", "my pets", "--seed", "0", "--set", "recipe.clip=1", "--max-time", "10min"]
    assert main(["train", *words, "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "classes: cat, dog" in lines
    assert lines[-1] == "next: zoo train cnn --data 'my pets' --seed 0 --set recipe.clip=1 --max-time 10min"
    assert main(["train", *words, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == ["cat", "dog"]


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused_before_the_data_are_checked(
    device: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if torch.cuda.is_available() if device == "cuda" else torch.backends.mps.is_available():
        pytest.skip("this machine has the device")
    assert main(["train", "cnn", "--device", device, "--dry-run"]) == 2
    streams = capsys.readouterr()
    assert device in streams.err
    assert streams.out == ""


def test_a_dry_run_says_that_weights_cannot_be_downloaded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    assert main(["train", "resnet18@imagenet1k_v1", "--dry-run"]) == 3
    assert "is not in the cache, and ZOO_OFFLINE is set" in capsys.readouterr().err


def test_a_run_with_a_blank_in_its_name_is_quoted_for_the_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "convnet", *TINY, "-o", "my run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "next: zoo export 'my run' --onnx"


def test_a_resumed_run_takes_no_other_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--resume", "x", "--seed", "0", "--overwrite", "--set", "recipe.clip=1"]) == 2
    assert "--seed, --overwrite, --set cannot change it" in capsys.readouterr().err


def test_an_autoencoder_trains_by_the_same_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "autoencoder", *TINY]) == 0
    out = capsys.readouterr().out
    assert "psnr" in out and "next: zoo export --onnx" in out


def folder_of(path: Path, classes: tuple[str, ...], *, items: int, side: int) -> str:
    """Class folders of noise around a grey level that tells the class."""
    for number, name in enumerate(classes):
        (path / name).mkdir(parents=True)
        for index in range(items):
            noise = np.random.default_rng(index).integers(0, 60, (side, side, 3), dtype=np.uint8)
            Image.fromarray(noise + np.uint8(90 * number)).save(path / name / f"{index}.png")
    return str(path)


def test_the_numbers_that_the_data_chose_are_said_and_written_down(capsys: pytest.CaptureFixture[str]) -> None:
    data = folder_of(Path("photos"), ("cat", "dog"), items=20, side=20)
    assert main(["train", "resnet", "--data", data, "--epochs", "1", "--threads", "1", "-o", "run"]) == 0
    out = capsys.readouterr().out
    assert "model resnet8: the pictures are 20x20; resnet is resnet8 for pictures up to 64 px, resnet18 above" in out
    assert "input_size 20x20: the pictures are 20x20, smaller than the model's usual 64x64" in out
    run = Run.open(Path("run"))
    assert (run.config.model, run.config.recipe.input_size) == ("resnet/resnet8", (20, 20))
    names = [choice.name for choice in run.config.choices]
    assert names == ["model", "input_size", "augment.flip", "batch_size", "lr", "batchnorm_momentum"]
    assert main(["train", "--config", "run", "--dry-run", "--json"]) == 0
    replayed = json.loads(capsys.readouterr().out)["config"]
    assert [choice["name"] for choice in replayed["choices"]] == names
    assert replayed["recipe"]["input_size"] == [20, 20]


def test_published_weights_are_offered_with_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    data = folder_of(Path("my photos"), ("cat", "dog"), items=10, side=200)
    assert main(["train", "mobilenet_v3_small", "--data", data, "--seed", "3", "--dry-run", "--threads", "1"]) == 0
    assert (
        "mobilenet_v3_small@imagenet1k_v1 is published and mostly learns faster: "
        "zoo train mobilenet_v3_small --data 'my photos' --pretrained --seed 3 --threads 1"
    ) in capsys.readouterr().out


def test_a_dry_run_does_a_step_and_tells_time_and_room(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "cnn", *TINY, "--dry-run", "--json"]) == 0
    estimate = json.loads(capsys.readouterr().out)["estimate"]
    assert (estimate["steps"], estimate["disk_bytes"]) == (2, 5 * 3 * 4 * 421_642)
    assert estimate["seconds"] == estimate["step_seconds"] * 2 > 0
    assert (estimate["evaluations"], estimate["evaluation_seconds"] > 0) == (1, True)
    assert estimate["total_seconds"] == estimate["seconds"] + estimate["evaluation_seconds"]
    limits = ["--stop-after", "1", "--max-time", "0.001s"]
    assert main(["train", "cnn", *TINY, *limits, "--dry-run", "--json"]) == 0
    limited = json.loads(capsys.readouterr().out)["estimate"]
    assert (limited["steps"], limited["total_seconds"]) == (1, 0.001)


def test_one_item_at_a_time_is_refused_where_batch_normalisation_cannot_learn_from_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["--batch-size", "1", "--max-steps", "2", "--limit-train", "8", "--threads", "1"]
    assert main(["train", "mobilenet_v2", *words]) == 2
    assert "has batch normalisation, which cannot learn from 1 item at a time here" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(["train", "resnet8", *words, "-o", "run"]) == 0


def test_a_training_that_went_wrong_ends_with_what_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "cnn", *TINY, "--epochs", "2", "--lr", "1e-9", "-o", "run"]) == 0
    *_, warning, last = capsys.readouterr().out.splitlines()
    assert warning.startswith("warning: the training loss did not move: 2.")
    assert last == "next: zoo train --config run --lr 0.004"
    assert any(note.startswith("the training loss did not move") for note in Run.open(Path("run")).record.notes)


def test_moved_data_are_found_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of(Path("photos"), ("cat", "dog"), items=20, side=20)
    words = ["--epochs", "1", "--threads", "1", "--workers", "0", "--image-size", "20"]
    assert main(["train", "resnet8", "--data", "photos", *words, "-o", "run"]) == 0
    run = tmp_path / "run"
    config = Run.open(run).config
    assert (config.data, config.data_path) == ("photos", str(tmp_path / "photos"))

    def resumed(*more: str) -> int:
        record = json.loads((run / "run.json").read_text())
        (run / "run.json").write_text(json.dumps({**record, "status": "interrupted"}))
        return main(["train", "--resume", str(run), *more])

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resumed() == 0
    (tmp_path / "photos").rename(tmp_path / "moved")
    assert resumed() == 2
    assert resumed("--data", "../moved") == 0
    assert Run.open(run).config.data_path == str(tmp_path / "moved")
    (tmp_path / "moved" / "cat" / "0.png").unlink()
    capsys.readouterr()
    assert resumed() == 2
    assert "../moved has changed since" in capsys.readouterr().err
