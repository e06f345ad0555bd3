"""Rows chosen by score: compared by their names, and the choice by what could have been chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo.api.task import Case, Port, Signature
from zoo.bundle.judge.parity_rule import Status, judge_output
from zoo_export.measure.outputs import compare_case
from zoo_export.reference.oracle import BackendRuns, Oracle, ReferenceOutputs, oracle_of, reference_outputs
from zoo_export.reference.proposals import MAX_UNCERTAIN_PROPOSALS, Proposals, compare_selections, unnamed_rows
from zoo_export.reference.strategy import SelectionCounts
from zoo_export.subject.results import Failed

PARTS, ROOM = 200, 40
SIGNATURE = Signature(
    inputs=(Port(name="x", dtype="float32", shape=(1, PARTS)),),
    outputs=(
        Port(name="values", dtype="float32", shape=(1, ROOM, 2)),
        Port(name="parts", dtype="int64", shape=(1, ROOM)),
    ),
)


class Best(nn.Module):
    """The best so many of many parts, and of each a few numbers."""

    keys = "parts"

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([1.3, -0.7]))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        places = x.topk(ROOM).indices.sort().values
        return self._values(x, places), places

    def selection_scores(self, x: Tensor) -> tuple[Tensor, ...]:
        return (x * self.scale[0] / self.scale[0],)

    def possible(self, x: Tensor, *, off: Sequence[float]) -> tuple[Tensor, ...] | None:
        rising = x[0].sort(descending=True).values
        places = (x[0] >= rising[ROOM - 1] - 2 * off[0]).nonzero().squeeze(1)[None]
        if places.shape[1] > 2 * ROOM:
            return None
        certain = x[0, places[0]] > rising[ROOM] + 2 * off[0]
        return self._values(x, places), places, certain[None]

    def _values(self, x: Tensor, places: Tensor) -> Tensor:
        return torch.gather(x, 1, places)[..., None] * self.scale


def oracle(case: Case) -> Oracle:
    return oracle_of(Best().eval(), SIGNATURE, case.inputs)


def made(scores: np.ndarray[Any, Any]) -> tuple[Case, ReferenceOutputs]:
    case = Case(name="it", kind="uniform", inputs={"x": scores[None].astype(np.float32)})
    expected = reference_outputs(oracle(case).run(case.inputs))
    assert not isinstance(expected, Failed)
    return case, expected


def proposals_of(expected: ReferenceOutputs) -> Proposals:
    assert isinstance(expected.matching, Proposals)
    return expected.matching


def spread() -> np.ndarray[Any, Any]:
    return np.random.RandomState(0).permutation(PARTS) / PARTS


def tied() -> np.ndarray[Any, Any]:
    """The last one in and the first one out are equal but for a rounding."""
    scores = spread()
    order = np.argsort(-scores)
    scores[order[ROOM]] = np.nextafter(np.float32(scores[order[ROOM - 1]]), np.float32(0))
    return scores


def file_says(answer: ReferenceOutputs) -> dict[str, Any]:
    return {name: value.copy() for name, value in answer.single.items()}


def judged(case: Case, answer: ReferenceOutputs, given: Mapping[str, Any]) -> dict[str, Status]:
    outputs = compare_case(case, given, answer, SIGNATURE).outputs
    return {output.name: judge_output(output).status for output in outputs}


GOOD = {"values": Status.PASS, "parts": Status.PASS}


def test_the_order_of_the_rows_does_not_matter() -> None:
    case, answer = made(spread())
    given = file_says(answer)
    assert judged(case, answer, given) == GOOD
    turned = {name: value[:, ::-1] for name, value in given.items()}
    assert judged(case, answer, turned) == GOOD
    assert judged(case, answer, {**given, "values": given["values"][:, ::-1]})["values"] is Status.FAIL


def test_either_of_two_equals_may_be_chosen() -> None:
    case, answer = made(tied())
    rows = proposals_of(answer)
    assert not rows.decided and len(rows.certain) == ROOM + 1
    given = file_says(answer)
    first, second = (int(key) for key in rows.outputs["parts"][0][~rows.certain])
    place = next(at for at, key in enumerate(given["parts"][0]) if key in (first, second))
    other = second if given["parts"][0, place] == first else first
    given["parts"][0, place] = other
    given["values"][0, place] = case.inputs["x"][0, other] * np.array([1.3, -0.7], np.float32)
    assert judged(case, answer, given) == GOOD
    given["values"][0, place] *= 1.001
    assert judged(case, answer, given)["values"] is Status.FAIL, "what was chosen otherwise is compared as well"


def test_nothing_certain_may_be_missing_nothing_impossible_there_and_nothing_twice() -> None:
    case, answer = made(tied())
    rows = proposals_of(answer)
    certain = rows.outputs["parts"][0][rows.certain]
    worst = int(np.argmin(case.inputs["x"][0]))
    place = int(np.flatnonzero(answer.single["parts"][0] == certain[0])[0])
    for other in (-1, worst, int(certain[1])):
        given = file_says(answer)
        given["parts"][0, place] = other
        assert judged(case, answer, given)["parts"] is Status.FAIL, other


def test_where_too_much_is_equal_nothing_is_decided() -> None:
    scores = spread()
    order = np.argsort(-scores)
    scores[order[ROOM - 3 : ROOM + 3]] = scores[order[ROOM]]
    case, answer = made(scores)
    assert judged(case, answer, file_says(answer))["parts"] is Status.INCONCLUSIVE
    flat = Case(name="flat", kind="zeros", inputs={"x": np.ones((1, PARTS), np.float32)})
    runs = oracle(flat).run(flat.inputs)
    assert runs == Failed("too many proposals have scores within the noise of each other")


def test_the_noise_is_that_of_the_rows_whatever_their_places() -> None:
    case, answer = made(spread())
    runs = oracle(case).run(case.inputs)
    assert isinstance(runs, BackendRuns)
    turned = {backend: {name: value[:, ::-1] for name, value in run.items()} for backend, run in runs.single.items()}
    again = reference_outputs(replace(runs, single=turned))
    assert not isinstance(again, Failed)
    assert again.noise == answer.noise


def test_parts_are_counted() -> None:
    keys = np.array([[0, 1, 2, 3, -1]])
    rows = Proposals("keys", {"keys": np.array([[0, 1, 2, 3, 4]])}, np.array([True, True, True, False, False]))
    same = compare_selections(np.array([[3, 2, 1, 0, -1]]), keys, rows)
    assert same == SelectionCounts(parts=5, wrong=0, different=0, tied=2)
    assert compare_selections(np.array([[0, 1, 2, 4, -1]]), keys, rows) == SelectionCounts(
        parts=5, wrong=0, different=2, tied=2
    )
    assert compare_selections(np.array([[0, 1, 9, 3, -1]]), keys, rows) == SelectionCounts(
        parts=6, wrong=2, different=2, tied=2
    )
    assert compare_selections(np.array([[0, 1, 2, 2, -1]]), keys, rows) == SelectionCounts(
        parts=6, wrong=1, different=2, tied=2
    )


def test_what_could_have_been_chosen_is_looked_at_row_by_row() -> None:
    """Row 2 takes row 1 away, and row 3 takes row 2 away: with all rows and with the fewest, row 1 stays."""
    rows = Proposals("keys", {"keys": np.array([[1, 2, 3]])}, np.array([True, False, False]))
    ways = [set(way["keys"][0].tolist()) for way in rows.alternatives()]
    assert ways == [{1, 2, 3}, {1}, {1, 3}, {1, 2}, {1, 2}, {1, 3}]
    assert list(replace(rows, certain=np.ones(3, bool)).alternatives()) == []
    many = Proposals("keys", {"keys": np.arange(500)[None]}, np.zeros(500, bool))
    assert len(list(many.alternatives())) == 2 + 2 * MAX_UNCERTAIN_PROPOSALS


def test_what_is_right_for_the_parts_that_the_file_chose() -> None:
    outputs = {"values": np.array([[0.1, 0.2, 0.3]]), "keys": np.array([[1, 2, 3]])}
    rows = Proposals("keys", outputs, np.array([True, False, False]))
    (found,) = rows.right_for({"keys": np.array([[3, 1, -1, -1]])})
    assert (found["keys"].tolist(), found["values"].tolist()) == ([[1, 3]], [[0.1, 0.3]])
    for keys in ([2, 3], [1, 4], [1, 1]):  # a certain one is missing, an impossible one is there, one is there twice
        assert rows.right_for({"keys": np.array([keys])}) == ()
    assert rows.right_for(Failed("it does not run")) == ()


def test_a_row_without_a_name_says_nothing() -> None:
    given = {"keys": np.array([[4, -1, -1]]), "boxes": np.zeros((1, 3, 4)), "scores": np.array([[[0.9], [0], [0]]])}
    assert unnamed_rows("keys", given) == 0
    given["boxes"][0, 2, 1] = 1000.0
    given["boxes"][0, 0, 1] = 7.0
    assert unnamed_rows("keys", given) == 1
    assert unnamed_rows("keys", {**given, "scores": np.array([[[0.9], [np.nan], [0]]])}) == 2
    case, answer = made(spread())
    said = file_says(answer)
    said["parts"][0, 5] = -1
    outputs = {one.name: judge_output(one).status for one in compare_case(case, said, answer, SIGNATURE).outputs}
    assert outputs["parts"] == Status.FAIL
