"""Image generation: latents from seeds and files, whole levels out, a distance that knows near from far."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from PIL import Image

from tests.builtin import builtin_task, read_one
from zoo import BadFile, Case, Catalog, DataRequest, PluginError, Purpose
from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput, LatentInput, Problem
from zoo.api.recipe import Recipe
from zoo.models.inputs.resolve import input_files
from zoo.models.inputs.source import GivenFile
from zoo.runs.serialization import from_json, to_json
from zoo.runs.train_config import sized_input
from zoo.tasks.image_generation import device
from zoo.tasks.image_generation.controls import exchange_numbers
from zoo.tasks.image_generation.features import random_features
from zoo.tasks.image_generation.metrics import GenerationMetrics, RandomFeatures

PICTURE = ImageInput(size=(8, 6), channels=1, mean=(0.5,), std=(0.5,), any_channels=True)
PROBLEM = Problem(task="image-generation", input=LatentInput(size=3, picture=PICTURE))
TASK = builtin_task("image-generation")


def test_the_problem_survives_being_written_down_and_knows_its_picture() -> None:
    assert from_json(Problem, to_json(PROBLEM), where="here") == PROBLEM
    assert PROBLEM.keywords(("latent_size", "channels", "image_size")) == {
        "latent_size": 3,
        "channels": 1,
        "image_size": (8, 6),
    }
    bare = Problem(task="image-generation", input=LatentInput(size=3))
    with pytest.raises(UsageError, match="takes no images"):
        bare.fact("channels")


def test_a_recipe_changes_the_size_of_what_is_made() -> None:
    sized = sized_input(PROBLEM.input, Recipe(input_size=(16, 12)))
    assert isinstance(sized, LatentInput) and sized.picture is not None
    assert sized.picture.size == (16, 12) and sized.size == 3


def test_the_channels_are_those_of_the_data() -> None:
    card = TASK.data.check(TASK.data.detect(DataRequest(source="digits")), progress=lambda _done, _total: None)
    colour = LatentInput(size=3, picture=ImageInput(size=(8, 8), any_channels=True))
    assert TASK.problem(card, colour).image.channels == 1
    with pytest.raises(PluginError, match="LatentInput with a picture"):
        TASK.problem(card, PICTURE)


def test_a_seed_means_the_same_latents_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    drawn = read_one(TASK, Path("7"), PROBLEM)["latent"]
    assert drawn.shape == (64, 3) and drawn.dtype == np.float32
    assert abs(drawn.mean()) < 0.2 and abs(drawn.std() - 1) < 0.2
    assert np.array_equal(drawn, device.draw(7, 64, 3))
    assert not np.array_equal(drawn, read_one(TASK, Path("8"), PROBLEM)["latent"])
    assert input_files([Path("7")], PROBLEM.input).given == (GivenFile(path=Path("7")),)


def test_latents_come_from_files_of_the_right_shape_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "good.npy", np.ones((2, 3)))
    assert read_one(TASK, tmp_path / "good.npy", PROBLEM)["latent"].dtype == np.float32
    np.save(tmp_path / "wide.npy", np.ones((2, 4)))
    with pytest.raises(BadFile, match=r"latents are float32 \[n, 3\]"):
        read_one(TASK, tmp_path / "wide.npy", PROBLEM)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object))
    with pytest.raises(BadFile):
        read_one(TASK, tmp_path / "objects.npy", PROBLEM)
    with pytest.raises(BadFile, match="neither a seed"):
        read_one(TASK, tmp_path / "cat.png", PROBLEM)


def test_the_ends_make_whole_levels_with_the_channels_last() -> None:
    raw = torch.tensor([-1.0, -0.5, 0.0, 2.0]).view(4, 1, 1, 1).expand(4, 1, 8, 6)
    levels = TASK.graphs.postprocess(PROBLEM)(raw)
    assert levels.shape == (4, 8, 6, 1) and levels.dtype == torch.uint8
    assert levels[:, 0, 0, 0].tolist() == [0, 64, 128, 255]
    (latent,) = TASK.graphs.preprocess(PROBLEM)(torch.ones(2, 3))
    assert torch.equal(latent, torch.ones(2, 3))


@pytest.mark.parametrize("purpose", list(Purpose))
def test_cases_are_the_same_every_time_and_have_the_shape_of_the_port(purpose: Purpose) -> None:
    first, second = (list(TASK.answers.cases(None, PROBLEM, purpose, limit=6)) for _ in range(2))
    assert len(first) >= 3
    for one, other in zip(first, second, strict=True):
        assert one.inputs["latent"].shape[1] == 3 and one.inputs["latent"].dtype == np.float32
        assert np.array_equal(one.inputs["latent"], other.inputs["latent"])


def test_pictures_agree_within_a_level_and_not_beyond() -> None:
    cases = list(TASK.answers.cases(None, PROBLEM, Purpose.EVALUATION, limit=3))
    right = [{"images": np.full((1, 40, 50, 1), 100, np.uint8)} for _ in cases]
    near = [{"images": answer["images"] + np.uint8(1)} for answer in right]
    assert TASK.answers.agreement(right, near, cases=cases, noise={}).holds
    mutated = [{"images": answer["images"].copy()} for answer in right]
    mutated[1]["images"][0, 0, :3] = 102  # 3 of 2,000 pixels
    found = TASK.answers.agreement(right, mutated, cases=cases, noise={})
    assert not found.holds and found.agreeing == 2 and "0.15%" in found.disagreements[0]
    assert not TASK.answers.agreement(
        right, [{"images": a["images"][:, :1]} for a in right], cases=cases, noise={}
    ).holds


def test_latents_are_turned_round_by_the_own_control() -> None:
    ports = [onnx.helper.make_tensor_value_info(name, 1, ["n", 3]) for name in ("latent", "images")]
    node = onnx.helper.make_node("Identity", ["latent"], ["images"])
    graph = onnx.helper.make_graph([node], "g", ports[:1], ports[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    mutant = exchange_numbers(model, 0)
    onnx.checker.check_model(mutant, full_check=True)
    turned: Any = ReferenceEvaluator(mutant).run(None, {"latent": np.array([[1, 2, 3]], np.float32)})
    assert turned[0].tolist() == [[3, 2, 1]]


def test_the_distance_is_nought_for_the_same_pictures_and_grows_with_the_difference() -> None:
    torch.manual_seed(0)
    real = torch.rand(64, 1, 8, 6) * 2 - 1

    def distance(made: torch.Tensor) -> float:
        metrics = GenerationMetrics(PICTURE)
        metrics.update({"image": made}, {"input": real})
        return metrics.compute()["frechet_random"]

    assert distance(real) == pytest.approx(0, abs=1e-4)
    assert 0.01 < distance(real * 0.7) < distance(real * 0.3)


def test_random_features_are_the_same_everywhere() -> None:
    net = RandomFeatures(1)
    assert net.kernels[0][0, 0, 0].tolist() == pytest.approx(
        (np.random.default_rng(0).standard_normal(3) * np.sqrt(2 / 9)).tolist()
    )
    assert net(torch.zeros(2, 1, 5, 9)).shape == (2, RandomFeatures.num_features)


def test_samples_become_a_sheet_in_rows_of_eight(tmp_path: Path) -> None:
    metrics = GenerationMetrics(PICTURE)
    metrics.update({"image": torch.ones(10, 1, 8, 6)}, {"input": torch.zeros(10, 1, 8, 6)})
    (path,) = metrics.pictures(tmp_path)
    sheet = np.asarray(Image.open(path))
    assert sheet.shape == (16, 48)
    assert sheet[:8].min() == 255 and sheet[8:, 12:].max() == 0


def test_a_decoder_is_a_part_of_a_vae_alone() -> None:
    spec = Catalog.discover().model("vae_decoder").spec
    assert list(spec.part_of) == ["vae"]


def test_the_distance_of_answers_is_that_of_training() -> None:
    random = np.random.default_rng(0)
    real = random.integers(0, 256, (40, 8, 6, 1)).astype(np.uint8)
    made = (real * 0.6).astype(np.uint8)[::-1]
    cases = [Case(name=str(index), kind="realistic", inputs={}, real=picture) for index, picture in enumerate(real)]
    answers = [{"images": picture[None]} for picture in made]
    metrics = GenerationMetrics(PICTURE)
    levels = [torch.from_numpy(images.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1 for images in (made, real)]
    metrics.update({"image": levels[0]}, {"input": levels[1]})
    expected = metrics.compute()["frechet_random"]
    assert expected > 0.01
    found = TASK.answers.metrics(answers, cases, PROBLEM)
    assert found == {"frechet_random": pytest.approx(expected, rel=1e-3)}
    assert TASK.answers.metrics(answers[:1], cases[:1], PROBLEM) == {}
    assert TASK.answers.metrics(answers, [replace(case, real=None) for case in cases], PROBLEM) == {}
    features = random_features(real)
    network = RandomFeatures(1)(levels[1]).numpy()
    np.testing.assert_allclose(features, network, rtol=2e-3, atol=1e-5)


def test_latents_for_evaluation_have_a_real_picture_each() -> None:
    card = TASK.data.check(TASK.data.detect(DataRequest(source="digits")), progress=lambda _done, _total: None)
    few = replace(card, splits={"test": card.splits["test"][:3]})
    cases = list(TASK.answers.cases(few, PROBLEM, Purpose.EVALUATION, limit=10))
    assert [case.real.shape for case in cases] == [(8, 6, 1)] * 3
    assert {case.truth for case in cases} == {None}
    assert all(case.real is None for case in TASK.answers.cases(few, PROBLEM, Purpose.GOLDEN, limit=10))
