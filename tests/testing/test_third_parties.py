"""Packages that nobody asked zoo about go the whole way, from listing to the edge: an input, a table, an old task."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.api.errors import ZooDeprecationWarning, warn_deprecated
from zoo.testing import check_plugin

pytestmark = pytest.mark.ci  # each command is a whole training, export or proof

ROOT = Path(__file__).parents[2]
PLACES = {
    "pairs": ROOT / "tests" / "data" / "pairs",
    "keypoints": ROOT / "tests" / "data" / "api_1_keypoints",
    "table_regression": ROOT / "examples" / "zoo_table_regression" / "src",
}
Command = Callable[..., Any]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """A function that installs one of these plugins."""
    installed = []

    def put(name: str) -> None:
        module = f"zoo_{name}"
        record = tmp_path / "site" / f"{module}-1.0.dist-info"
        record.mkdir(parents=True)
        distribution = module.replace("_", "-")
        (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (record / "entry_points.txt").write_text(f"[zoo.plugins]\n{name} = {module}.plugin\n")
        (record.parent / module).symlink_to(PLACES[name] / module, target_is_directory=True)
        monkeypatch.syspath_prepend(str(record.parent))
        installed.append(module)

    yield put
    for name in [name for name in sys.modules if name.partition(".")[0] in installed]:
        sys.modules.pop(name)


def runs(bundle: Path, *arguments: object) -> str:
    """What run.py prints on a device where zoo is not looked for."""
    command = [sys.executable, "run.py", *map(str, arguments)]
    return subprocess.run(command, cwd=bundle, capture_output=True, text=True, check=True).stdout


def test_an_input_that_only_its_package_knows(
    install: Callable[[str], None], tmp_path: Path, zoo_command: Command
) -> None:
    install("pairs")
    run, bundle, file = tmp_path / "run", tmp_path / "bundle", tmp_path / "pair.npz"
    assert "12x12 and 8x16" in zoo_command("list", "pair_net").out
    assert zoo_command("info", "pair_net", "--json").json["input"]["kind"] == "zoo_pairs.inputs:PairInput"
    trained = zoo_command("train", "pair_net", "-o", str(run), "--json")
    assert trained.code == 0, trained.err
    error = trained.json["metrics"]["error"]
    assert zoo_command("eval", str(run), "--json").json["metrics"]["error"] == pytest.approx(error, abs=0.05)
    np.savez(file, left=np.zeros((12, 12), np.uint8), right=np.full((8, 16), 9, np.uint8))
    (answer,) = zoo_command("predict", str(run), str(file), "--json").json["answers"]
    exported = zoo_command("export", str(run), "--onnx", "-o", str(bundle), "--json")
    assert exported.code == 0, exported.err
    (same,) = zoo_command("predict", str(bundle), str(file), "--json").json["answers"]
    assert same["distance"] == pytest.approx(answer["distance"], abs=1e-5)
    assert zoo_command("eval", str(bundle), "--json").code == 0
    assert zoo_command("verify", str(bundle), "--against", str(run)).code == 0
    assert f"distance {answer['distance']:.3f}" in runs(bundle, file)
    assert "self-test passed" in runs(bundle, "--self-test")


@pytest.mark.parametrize("name", ["pairs", "table_regression"])
def test_it_passes_the_kit(name: str, install: Callable[[str], None]) -> None:
    install(name)
    score = check_plugin(name, groups=("declaration", "model", "export"))
    assert [result for result in score.results if result.status == "failed"] == []
    assert score.holds


def test_a_file_answers_in_every_row(install: Callable[[str], None], tmp_path: Path, zoo_command: Command) -> None:
    install("table_regression")
    run, bundle, file = tmp_path / "run", tmp_path / "bundle", tmp_path / "rows.csv"
    trained = zoo_command("train", "table_mlp", "-o", str(run), "--epochs", "5", "--json")
    assert trained.code == 0, trained.err
    assert trained.json["metrics"]["r2"] > 0.8
    from zoo_table_regression.task import FriedmanData

    rows = FriedmanData().rows("test")[:3]
    names, _ = FriedmanData().names()
    lines = [",".join(("id", *names)), *(",".join(("x", *map(str, row.features))) for row in rows)]
    file.write_text("\n".join(lines))
    assert zoo_command("export", str(run), "--onnx", "-o", str(bundle)).code == 0
    for target in (run, bundle):
        answers = zoo_command("predict", str(target), str(file), "--json").json["answers"]
        assert [answer["item"] for answer in answers] == ["row 1", "row 2", "row 3"]
    text = zoo_command("predict", str(bundle), str(file)).out
    for line in runs(bundle, file).splitlines():
        assert line.partition("rows.csv, ")[2] in text
    assert set(zoo_command("eval", str(bundle), "--json").json["metrics"]) == {"r2", "mae"}
    file.write_text("id,x1\n1,2\n")
    refused = zoo_command("predict", str(bundle), str(file))
    assert refused.code == 2
    assert "has no column x2" in refused.err


def test_a_table_of_ones_own_is_read_by_name(
    install: Callable[[str], None], tmp_path: Path, zoo_command: Command
) -> None:
    install("table_regression")
    table = tmp_path / "cars.csv"
    rows = [f"{at},{at % 7},{3 * at + 1},{'test' if at % 5 == 0 else 'train'}" for at in range(200)]
    table.write_text("\n".join(["weight,doors,target_price,split", *rows]))
    trained = zoo_command("train", "table_mlp", "--data", str(table), "-o", str(tmp_path / "run"), "--json")
    assert trained.code == 0, trained.err
    assert trained.json["metrics"]["r2"] > 0.9
    table.write_text(table.read_text().replace("12,5,", "12,five,"))
    refused = zoo_command("train", "table_mlp", "--data", str(table), "-o", str(tmp_path / "none"))
    assert refused.code == 2
    assert "doors is 'five', which is no number" in refused.err


def test_the_keypoints_of_api_1_go_on_with_one_warning(
    install: Callable[[str], None], tmp_path: Path, zoo_command: Command
) -> None:
    install("keypoints")
    warn_deprecated.cache_clear()
    run, bundle = tmp_path / "run", tmp_path / "bundle"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trained = zoo_command("train", "finder", "-o", str(run), "--epochs", "1", "--limit-train", "100", "--json")
        assert trained.code == 0, trained.err
        evaluated = zoo_command("eval", "finder@tickets", "--json").json["metrics"]
        assert evaluated == {"pck": pytest.approx(0.98), "error": pytest.approx(0.8591, abs=1e-4)}
        exported = zoo_command("export", "finder@tickets", "--onnx", "-o", str(bundle), "--json")
        assert exported.code == 0, exported.err
    told = [str(one.message) for one in caught if issubclass(one.category, ZooDeprecationWarning)]
    told = [sentence for sentence in told if "a task of API 1" in sentence]
    assert len(told) == 1
    assert "'keypoints'" in told[0]
    assert "docs/moving-to-api-2.md" in told[0]
    assert "self-test passed" in runs(bundle, "--self-test")


def test_any_trainer_of_the_task_trains_any_model(
    install: Callable[[str], None], tmp_path: Path, zoo_command: Command
) -> None:
    install("keypoints")
    run = tmp_path / "run"
    options = ("--epochs", "1", "--limit-train", "256", "--set", "recipe.options.trust=0.5", "--json")
    trained = zoo_command("train", "convnet", "--trainer", "keypoints/distillation", "-o", str(run), *options)
    assert trained.code == 0, trained.err
    assert '"trainer": "keypoints/distillation"' in (run / "config.json").read_text()
    assert zoo_command("eval", str(run), "--json").code == 0
    refused = zoo_command("train", "convnet", "--trainer", "points")
    assert refused.code == 2
    assert "is for keypoints, not for image-classification" in refused.err
    assert "keypoints/distillation" in zoo_command("info", "image-classification").out
