"""Which sizes a proof tries along each axis."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.api.problem import ImageInput, Problem, TokenInput
from zoo.api.task import Case, Port, Signature
from zoo_export.subject.ranges import declared_maxima, is_range, range_cases, sizes

TOKENS = Port(name="tokens", dtype="int64", shape=("batch", "length"))
LENGTHS = Port(name="lengths", dtype="int64", shape=("batch",))
SCORES = Port(name="scores", dtype="float32", shape=("batch", 2))
TEXT = Signature(inputs=(TOKENS, LENGTHS), outputs=(SCORES,))
VOCABULARY = tuple(f"t{index}" for index in range(50))
PICTURE = Signature(
    inputs=(Port(name="image", dtype="uint8", shape=("height", "width", 3)),),
    outputs=(Port(name="probabilities", dtype="float32", shape=(10,)),),
)


def text(length: int, count: int) -> Case:
    tokens = np.ones((1, length), np.int64)
    return Case(name=f"{count} of {length}", kind="padded", inputs={"tokens": tokens, "lengths": np.array([count])})


def of_texts(maximum: int, *, parameters: int = 1) -> list[Case]:
    problem = Problem(task="text", input=TokenInput(max_length=maximum), vocabulary=VOCABULARY)
    return list(range_cases([text(33, 5), text(33, 33)], TEXT, problem, parameters=parameters))


@pytest.mark.parametrize("maximum", [1, 2, 64, 100, 4_096])
def test_the_sizes_have_both_sides_of_every_power_of_two_and_the_ends(maximum: int) -> None:
    tried = sizes(maximum)
    assert tried == tuple(sorted(set(tried)))
    assert (tried[0], tried[-1]) == (1, maximum)
    for power in (4, 8, 64, 512, 2_048):
        if power < maximum:
            assert {power, power + 1} <= set(tried)
        if power > 4 and 2 * power <= maximum:
            assert any(power + 1 < size < 2 * power - 1 for size in tried)


def test_where_not_all_sizes_can_be_tried_the_ends_are() -> None:
    assert sizes(4_096, budget=5_000)[-1] == 4_096
    assert sum(sizes(4_096, budget=5_000)) <= 5_000
    assert sizes(1_000_000, budget=100)[-1] < 100


def test_texts_are_tried_in_full_padded_and_with_every_token() -> None:
    cases = of_texts(128)
    assert all(is_range(case) and case.gates for case in cases)
    full = [case for case in cases if case.name.startswith("at length") and " of " not in case.name]
    assert all(case.inputs["lengths"][0] == case.inputs["tokens"].shape[1] for case in full)
    padded = {case.name: case for case in cases if " of " in case.name and case.name.startswith("at length")}
    assert sorted(padded) == ["at length 1 of 128", "at length 127 of 128", "at length 64 of 128"]
    tokens = padded["at length 64 of 128"].inputs["tokens"][0]
    assert (tokens[:64] > 0).all()
    assert (tokens[64:] == 0).all()
    (every,) = [case for case in cases if case.name.startswith("every value")]
    assert every.inputs["tokens"][0].tolist() == list(range(50))


def test_one_token_is_padded_to_a_thousand() -> None:
    cases = {case.name: case.inputs for case in of_texts(4_096)}
    tokens = cases["at length 1 of 1025"]["tokens"]
    assert tokens.shape == (1, 1_025)
    assert np.count_nonzero(tokens) == 1
    assert cases["at length 1 of 1025"]["lengths"].tolist() == [1]


def test_a_large_model_is_tried_at_fewer_sizes() -> None:
    few, many = of_texts(512, parameters=1_000_000_000), of_texts(512)
    assert 3 < len(few) < len(many)


def test_the_declared_maximum_is_that_of_the_tokens() -> None:
    problem = Problem(task="text", input=TokenInput(max_length=300))
    assert declared_maxima(problem, TEXT) == {"length": 300}
    assert declared_maxima(Problem(task="p", input=ImageInput(size=(8, 8))), PICTURE) == {}


@pytest.mark.ci
def test_pictures_are_tried_thin_large_and_in_one_colour() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    case = Case(name="scene", kind="realistic", inputs={"image": pixels})
    problem = Problem(task="p", input=ImageInput(size=(8, 8)))
    cases = {c.name: c.inputs["image"] for c in range_cases([case], PICTURE, problem, parameters=1)}
    shapes = {name: image.shape[:2] for name, image in cases.items()}
    assert shapes["12 megapixels"] == (3_000, 4_000)
    assert {shape[0] for shape in shapes.values()} >= {1, 2, 1_100}
    assert {shape[1] for shape in shapes.values()} >= {1, 2, 1_100}
    one_colour = {name: np.unique(image.reshape(-1, 3), axis=0).tolist() for name, image in cases.items()}
    assert one_colour["one colour"] == [[200, 30, 90]]
    assert (one_colour["all black"], one_colour["all white"]) == ([[0, 0, 0]], [[255, 255, 255]])
