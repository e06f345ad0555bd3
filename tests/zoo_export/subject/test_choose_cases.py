"""Which inputs a proof is made with, and whose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from tests.builtin import builtin_task
from tests.zoo_export.conftest import subject_of, tiny
from zoo.api.data import DataRequest, DataSource
from zoo.api.errors import OutputExists
from zoo.api.problem import ImageInput, LatentInput, Problem
from zoo.bundle.judge.evidence import VALUES
from zoo_export.bundle.write import current_bundle
from zoo_export.subject.choose_cases import Inputs, collect
from zoo_export.subject.values import CHANGES


@pytest.fixture(scope="module")
def collected() -> dict[bool, Inputs]:
    """The cases of a classifier that learnt from digits, with the data among them and without."""
    task = builtin_task("image-classification")
    source = DataSource(request=DataRequest(source="digits"), format="digits")
    subject = replace(subject_of(tiny()), card=task.data.check(source, progress=lambda *_: None))
    with torch.no_grad():
        return {
            of_users: collect(subject, subject.torch_pipeline(), evaluate=3, golden_of_users=of_users)
            for of_users in (True, False)
        }


def test_no_case_that_travels_is_of_data_that_must_not(collected: dict[bool, Inputs]) -> None:
    with_data, without = collected[True], collected[False]
    for cases in (with_data.raw, with_data.golden, with_data.model):
        assert any(case.origin.startswith("embedded digits") for case in cases)
    for cases in (without.raw, without.golden, without.model):
        assert not any(case.origin.startswith("embedded digits") for case in cases)


def test_evaluation_items_that_must_not_travel_are_compared_without_their_names(collected: dict[bool, Inputs]) -> None:
    named, nameless = collected[True].items, collected[False].items
    assert [case.name for case in nameless] == ["item 1", "item 2", "item 3"]
    assert {case.origin for case in nameless} == {""}
    for one, other in zip(named, nameless, strict=True):
        assert (one.inputs["image"] == other.inputs["image"]).all()
        assert one.item == other.item


def test_a_bundle_with_golden_cases_of_the_user_is_not_up_to_date_for_one_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = subject_of(tiny())

    def asked(origin: str, *, of_users: bool) -> bool:
        bundle: Any = SimpleNamespace(
            path=tmp_path, manifest=SimpleNamespace(golden=(SimpleNamespace(origin=origin),), variants=(), runtimes=())
        )
        monkeypatch.setattr("zoo_export.bundle.write._up_to_date", lambda *_, **__: bundle)
        return current_bundle(tmp_path, subject, opset=18, overwrite=False, golden_of_users=of_users) is bundle

    assert asked("photos/cat/3.jpg", of_users=True)
    assert asked("synthetic", of_users=False)
    with pytest.raises(OutputExists, match="holds golden cases of your data"):
        asked("photos/cat/3.jpg", of_users=False)


def test_floats_that_a_pipeline_itself_reads_go_beyond_the_usual_values() -> None:
    """A generator's latent: a clip in pipeline.onnx is met by pipeline.onnx."""
    task = builtin_task("image-generation")
    image = ImageInput(size=(8, 8), channels=3)
    problem = Problem(task="image-generation", input=LatentInput(size=4, picture=image))
    module = nn.Sequential(nn.Linear(4, 192), nn.Unflatten(1, (3, 8, 8)), nn.Tanh()).eval()
    subject = replace(subject_of(module), task=task, problem=problem)
    with torch.no_grad():
        inputs = collect(subject, subject.torch_pipeline(), evaluate=0)
    beyond = [case for case in inputs.raw if case.kind == VALUES]
    assert [case.name for case in beyond] == list(CHANGES)
    assert max(float(abs(case.inputs["latent"]).max()) for case in beyond) > 1e5
    assert [case.name for case in inputs.model[: len(inputs.raw)]] == [case.name for case in inputs.raw]
