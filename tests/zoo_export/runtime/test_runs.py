"""Which cases go to the runtime together, and what counts as the answer to each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pytest

from zoo.api.task import Case, Port, Signature
from zoo.bundle.judge.evidence import RANGE, VALUES
from zoo.bundle.sandbox.runtime import Runtime
from zoo.bundle.sandbox.session import Session
from zoo_export.runtime import runs
from zoo_export.runtime.runs import MORE_BATCH_SIZES, run_cases

PICTURE = (3, 224, 224)
SESSION = Session(id=1, title="doubling", inputs=(), outputs=(), metadata={})


class Doubling:
    """A runtime that doubles, but for batches of the sizes in `wrong`; it remembers the size of each."""

    def __init__(self, *, wrong: frozenset[int] = frozenset()) -> None:
        self.wrong = wrong
        self.sizes: list[int] = []

    def run(self, _session: Session, inputs: Mapping[str, Any]) -> dict[str, Any]:
        values = inputs["input"]
        self.sizes.append(len(values))
        return {"logits": values * (3 if len(values) in self.wrong else 2)}


def signature(*shape: int) -> Signature:
    return Signature(
        inputs=(Port(name="input", dtype="float32", shape=("batch", *shape)),),
        outputs=(Port(name="logits", dtype="float32", shape=("batch", *shape)),),
    )


def cases(number: int, *shape: int, kinds: Mapping[int, str] | None = None) -> list[Case]:
    kind = dict(kinds or {})
    return [
        Case(
            name=f"case {index}",
            kind=kind.get(index, "uniform"),
            inputs={"input": np.full((1, *shape), index + 1, np.float32)},
        )
        for index in range(number)
    ]


def test_one_large_batch_carries_every_case_of_its_shape() -> None:
    runtime = Doubling()
    given = cases(9, 2, kinds={7: RANGE, 8: VALUES})
    result = run_cases(cast("Runtime", runtime), SESSION, given, signature(2), more_sizes=(65, 4), repeats=False)
    assert runtime.sizes == [1, 65, 4, 2, 3]
    assert [float(cast("Any", outputs)["logits"][0, 0]) for outputs in result.outputs] == [
        2.0 * (index + 1) for index in range(9)
    ]
    assert {index for index, _ in result.by_batch[65]} == set(range(9))


def test_a_case_of_another_shape_goes_alone() -> None:
    runtime = Doubling()
    given = [*cases(3, 2), *cases(1, 2, kinds={0: RANGE})]
    given[3] = Case(name="longer", kind=RANGE, inputs={"input": np.ones((1, 5), np.float32)})
    run_cases(cast("Runtime", runtime), SESSION, given, signature(2), more_sizes=(65,), repeats=False)
    assert runtime.sizes == [1, 65, 7, 2, 3, 1]


def test_what_a_wrong_batch_gives_is_no_answer_to_its_cases() -> None:
    runtime = Doubling(wrong=frozenset({65}))
    given = cases(4, 2, kinds={3: RANGE})
    result = run_cases(cast("Runtime", runtime), SESSION, given, signature(2), more_sizes=(65,), repeats=False)
    assert [float(cast("Any", outputs)["logits"][0, 0]) for outputs in result.outputs] == [2.0, 4.0, 6.0, 8.0]
    assert float(cast("Any", result.by_batch[65][0][1])["logits"][0, 0]) == 3.0


def test_an_output_that_the_model_has_not_is_seen_in_the_cases_that_run_alone() -> None:
    class Talkative(Doubling):
        def run(self, session: Session, inputs: Mapping[str, Any]) -> dict[str, Any]:
            return {**super().run(session, inputs), "more": inputs["input"]}

    given = cases(4, 2, kinds={3: RANGE})
    result = run_cases(cast("Runtime", Talkative()), SESSION, given, signature(2), more_sizes=(65,), repeats=False)
    assert all(set(cast("Any", outputs)) == {"logits", "more"} for outputs in result.outputs)


def test_of_pictures_of_224_pixels_a_proof_runs_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Doubling()
    small = (3, 7, 7)
    scale = np.prod(PICTURE) / (2 * np.prod(small))  # the logits here are as large as the pictures
    monkeypatch.setattr(runs, "MAX_BATCH_ELEMENTS", runs.MAX_BATCH_ELEMENTS / scale)
    monkeypatch.setattr(runs, "MAX_BATCHES_ELEMENTS", runs.MAX_BATCHES_ELEMENTS / scale)
    given = cases(14, *small)
    run_cases(cast("Runtime", runtime), SESSION, given, signature(*small), more_sizes=MORE_BATCH_SIZES)
    assert runtime.sizes == [1, 65, 4, 8, 16, 2, 3, 1, 1]
    assert sum(runtime.sizes) == 101
