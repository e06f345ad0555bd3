"""Embeddings agree when directions and decisions do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.api.task import Agreement, Case
from zoo.data.embedding.agreement import agreement
from zoo.data.embedding.compare import described, in_words, matches


def at_angles(*degrees: float) -> list[dict[str, npt.NDArray[np.float32]]]:
    turns = np.radians(degrees)
    return [{"embedding": np.array([np.cos(turn), np.sin(turn)], np.float32)} for turn in turns]


def compared(one: Sequence[Any], other: Sequence[Any], truths: Sequence[int | None], noise: float = 1e-7) -> Agreement:
    cases = [Case(name=f"case {n}", kind="realistic", inputs={}, truth=truth) for n, truth in enumerate(truths)]
    return agreement(one, other, cases=cases, noise={"embedding": noise})


def test_the_same_embeddings_agree() -> None:
    found = compared(at_angles(0, 10, 90), at_angles(0, 10, 90), (0, 0, 1))
    assert (found.agreeing, found.undecided, found.holds) == (3, 0, True)


def test_an_embedding_that_turned_is_named() -> None:
    found = compared(at_angles(0, 10, 90), at_angles(0, 10, 90.2), (0, 0, 1))
    assert found.agreeing == 2
    assert found.disagreements == ("case 2: the embedding has turned, its cosine with the reference's is 0.999994",)


def test_an_embedding_may_turn_by_the_reference_s_own_error_up_to_a_limit() -> None:
    before, after = at_angles(0, 10, 90), at_angles(0, 10, 90.2)  # a distance of 0.0035
    assert compared(before, after, (0, 0, 1), noise=0.0035 / 8 / 2**0.5).agreeing == 3
    assert compared(before, after, (0, 0, 1), noise=0.0034 / 8 / 2**0.5).agreeing == 2
    assert compared(before, at_angles(0, 10, 90.5), (0, 0, 1), noise=1.0).agreeing == 2


def test_a_decision_that_flips_beyond_its_margin_disagrees() -> None:
    # the threshold lies between the pair of one identity, 60 degrees apart, and the nearest other pair, 60.01
    found = compared(at_angles(0, 60, -60.01), at_angles(0, 60.02, -60.01), (0, 0, 1))
    assert found.agreeing == 1
    assert found.disagreements[0] == (
        "case 0 and case 1: a similarity of 0.500000 became 0.499698, across the threshold 0.499924"
    )


def test_a_flip_inside_the_margin_is_undecided() -> None:
    found = compared(at_angles(0, 60, -60.01), at_angles(0, 60.02, -60.01), (0, 0, 1), noise=1e-3)
    assert found.holds
    assert found.undecided == 2


def test_without_truths_a_similarity_between_the_middle_ones_decides() -> None:
    # similarities of 20, 70 and 90 degrees: the threshold lies between those of 70 and 90, and rounding flips nothing
    found = compared(at_angles(0, 20, 90), at_angles(0, 20.00001, 90), (None, None, None))
    assert (found.agreeing, found.undecided) == (3, 0)


def test_numbers_that_are_none_disagree() -> None:
    broken = [{"embedding": np.full(2, np.nan, np.float32)}, *at_angles(10, 90)]
    assert not compared(at_angles(0, 10, 90), broken, (0, 0, 1)).holds


def test_two_inputs_are_one_pair_and_more_have_neighbours() -> None:
    rows = [one["embedding"] for one in at_angles(0, 10, 90)]
    [(one, other, score, same)] = matches(rows[:2], 0.5, 5)
    assert (one, other, same) == (0, 1, True)
    assert abs(score - np.cos(np.radians(10))) < 1e-6
    assert [match[:2] for match in matches(rows, None, 1)] == [(0, 1), (1, 0), (2, 1)]
    assert {match[3] for match in matches(rows, None, 2)} == {None}


def test_matches_are_described_with_what_they_rest_on() -> None:
    facts = {"threshold": 0.5, "far": 0.01}
    text = described(["a.png", "b.png"], [(0, 1, 0.75, True)], facts)
    assert text.splitlines() == [
        " 0.7500  same      a.png  b.png",
        "same from 0.5000 on (at most 1.0% false accepts in validation)",
    ]
    assert described(["a.png", "b.png"], [(0, 1, 0.75, None)], {}) == " 0.7500  a.png  b.png"
    assert in_words(np.array([0.6, 0.8])) == "2 numbers of length 1.0000: 0.6000 0.8000 …"
