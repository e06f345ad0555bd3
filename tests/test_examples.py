"""The package in examples/ as zoo sees it: public pieces serve a task that zoo does not know."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from zoo import Catalog, DataRequest, ImageInput, Problem, Purpose
from zoo.api.specs import PARTS
from zoo.bundle.runtime.task_source import task_source
from zoo.registry.references import resolve

SOURCE = Path(__file__).parent.parent / "examples" / "zoo_keypoints" / "src"


@pytest.fixture
def keypoints(monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    """A catalogue with the example's plugin beside nothing else."""
    monkeypatch.syspath_prepend(str(SOURCE))
    from zoo_keypoints import plugin

    plugin.name = "keypoints"  # type: ignore[attr-defined]
    yield Catalog.discover([plugin])
    for name in [name for name in sys.modules if name.partition(".")[0] == "zoo_keypoints"]:
        del sys.modules[name]


def test_everything_that_it_declares_is_there(keypoints: Catalog) -> None:
    (plugin,) = keypoints.plugins
    assert plugin.error == ""
    references = [
        *(spec.builder for spec in plugin.models),
        *(spec.trainer for spec in plugin.trainers),
        *(getattr(spec, part) or "" for spec in plugin.tasks for part in PARTS),
    ]
    assert len(references) == 9
    assert all(callable(resolve(reference)) for reference in references)
    for spec in plugin.weights:
        package, _, inside = spec.resource.partition(":")
        assert (SOURCE / package / inside).stat().st_size == spec.size


def test_a_strangers_runner_takes_public_functions_along(keypoints: Catalog, tmp_path: Path) -> None:
    problem = Problem(task="keypoints", input=ImageInput(size=(48, 48)))
    text = task_source(keypoints.make_task("keypoints").device(problem))
    assert "import zoo" not in text
    assert "from zoo" not in text
    module = ModuleType("task")
    code = compile(text, "task.py", "exec")
    sys.modules["task"] = module  # dataclasses and annotations look there
    exec(code, module.__dict__)
    del sys.modules["task"]
    shown = module.show({"points": np.array([[1.0, 2.25]])}, {"classes": ["nose"]})
    assert shown == "nose: 1.0, 2.2"
    with pytest.raises(ValueError, match="is not a picture"):
        (tmp_path / "x.png").write_text("nothing of the kind")
        module.read(tmp_path / "x.png", {})


@pytest.mark.slow
@pytest.mark.parametrize("purpose", list(Purpose))
def test_cases_are_made_of_the_tasks_own_pictures(purpose: Purpose, keypoints: Catalog) -> None:
    task = keypoints.make_task("keypoints")
    card = task.data.check(task.data.detect(DataRequest(source="tickets")), progress=lambda _done, _total: None)
    problem = task.problem(card, ImageInput(size=(48, 48), channels=1, mean=(0.45,), std=(0.25,)))
    with_data, without = (list(task.answers.cases(one, problem, purpose, limit=12)) for one in (card, None))
    assert [case.name for case in with_data] == [case.name for case in without]
    known = [case for case in with_data if case.truth is not None]
    assert known != []
    assert all(np.asarray(case.truth).shape == (4, 2) for case in known)
