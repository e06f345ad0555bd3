from __future__ import annotations

import math
from dataclasses import replace

import pytest

from zoo.bundle.judge.evidence import Magnitude, OutputError, Waiver
from zoo.bundle.judge.parity_rule import FLOOR, Status, judge_output, usual_noise, worst

LOGITS = OutputError(
    name="logits",
    compare="rule",
    dtype="float32",
    reference_dtype="float32",
    shape=(1, 10),
    reference_shape=(1, 10),
    finite=True,
    reference_finite=True,
    scale=Magnitude(rms=1.0, max=2.0),
    onnx=Magnitude(rms=1e-6, max=2e-6),
    torch=Magnitude(rms=1e-6, max=2e-6),
)
CLASSES = replace(LOGITS, compare="equal", dtype="int64", reference_dtype="int64", elements=100, differing=0)
PICTURE = replace(CLASSES, compare="levels", dtype="uint8", reference_dtype="uint8", elements=10_000, far=0)


@pytest.mark.parametrize(
    ("times", "status"), [(1, Status.PASS), (3.99, Status.PASS), (4.1, Status.WARN), (7.99, Status.WARN), (8.1, "FAIL")]
)
def test_eight_times_the_noise_is_the_limit_and_four_warns(times: float, status: Status) -> None:
    cell = judge_output(replace(LOGITS, onnx=Magnitude(rms=times * 1e-6, max=times * 1e-6)))
    assert cell.status == status
    assert cell.r_rms == pytest.approx(times)
    assert cell.r_max == pytest.approx(times / 2)


def test_one_element_far_off_fails_by_its_maximum() -> None:
    cell = judge_output(replace(LOGITS, onnx=Magnitude(rms=1e-6, max=2e-5)))
    assert cell.status == Status.FAIL
    assert cell.ratio == pytest.approx(10)


def test_an_exact_reference_still_allows_a_quarter_of_an_ulp_times_eight() -> None:
    exact = replace(LOGITS, torch=Magnitude(rms=0.0, max=0.0))
    assert judge_output(replace(exact, onnx=Magnitude(rms=7 * FLOOR, max=14 * FLOOR))).status == Status.WARN
    assert judge_output(replace(exact, onnx=Magnitude(rms=9 * FLOOR, max=14 * FLOOR))).status == Status.FAIL


def test_the_rule_does_not_depend_on_the_scale() -> None:
    tiny = replace(
        LOGITS,
        scale=Magnitude(rms=1e-9, max=2e-9),
        torch=Magnitude(rms=1e-15, max=2e-15),
        onnx=Magnitude(rms=1e-14, max=2e-14),
    )
    assert judge_output(tiny).status == Status.FAIL


def test_a_noisy_reference_decides_nothing() -> None:
    noisy = replace(LOGITS, torch=Magnitude(rms=2e-3, max=4e-3), onnx=Magnitude(rms=1e-6, max=1e-6))
    assert judge_output(noisy).status == Status.INCONCLUSIVE


def test_zeros_compared_with_zeros_decide_nothing() -> None:
    zeros = Magnitude(rms=0.0, max=0.0)
    dead = replace(LOGITS, scale=zeros, torch=zeros, onnx=zeros)
    assert judge_output(dead).status == Status.INCONCLUSIVE
    cell = judge_output(replace(dead, onnx=Magnitude(rms=1e-9, max=1e-9)))
    assert (cell.status, cell.ratio) == (Status.FAIL, math.inf)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1e-9, None])
@pytest.mark.parametrize("part", ["rms", "max"])
def test_an_error_that_is_no_number_fails(part: str, bad: float | None) -> None:
    error = replace(Magnitude(rms=1e-6, max=2e-6), **{part: bad})
    assert judge_output(replace(LOGITS, onnx=error)).status == Status.FAIL


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, None])
@pytest.mark.parametrize("which", ["scale", "torch"])
def test_a_reference_that_is_no_number_never_passes(which: str, bad: float | None) -> None:
    changed = replace(LOGITS, **{which: Magnitude(rms=bad, max=bad)})  # type: ignore[arg-type]
    assert judge_output(changed).status == Status.INCONCLUSIVE
    assert judge_output(replace(LOGITS, **{which: None})).status == Status.INCONCLUSIVE  # type: ignore[arg-type]


def test_noise_with_an_rms_above_its_maximum_is_no_measurement() -> None:
    assert judge_output(replace(LOGITS, torch=Magnitude(rms=1e-3, max=1e-6))).status == Status.INCONCLUSIVE


def test_another_shape_or_dtype_and_a_nan_in_the_answer_fail() -> None:
    for wrong in (
        replace(LOGITS, shape=(1, 9)),
        replace(LOGITS, dtype="float16"),
        replace(LOGITS, finite=False),
    ):
        cell = judge_output(wrong)
        assert cell.status == Status.FAIL
        assert cell.broken


def test_a_waiver_turns_a_failure_into_a_warning_only_below_its_bound() -> None:
    off = replace(LOGITS, onnx=Magnitude(rms=1e-5, max=2e-5))
    assert judge_output(off, Waiver(output="logits", reason="noisy DFT", bound=5e-5)).status == Status.WARN
    for bound in (5e-6, math.inf, math.nan, -1.0, 1.0):
        assert judge_output(off, Waiver(output="logits", reason="?", bound=bound)).status == Status.FAIL


def test_integers_must_be_equal_and_pictures_nearly() -> None:
    assert judge_output(CLASSES).status == Status.PASS
    assert judge_output(replace(CLASSES, differing=1)).status == Status.FAIL
    assert judge_output(replace(PICTURE, differing=10)).status == Status.PASS
    assert judge_output(replace(PICTURE, differing=11)).status == Status.FAIL
    assert judge_output(replace(PICTURE, far=1)).status == Status.FAIL
    assert judge_output(replace(PICTURE, elements=100, differing=2)).status == Status.PASS
    assert judge_output(replace(PICTURE, elements=100, differing=3)).status == Status.FAIL


def test_counts_that_are_missing_empty_or_impossible_never_pass() -> None:
    assert judge_output(replace(CLASSES, differing=None)).status == Status.INCONCLUSIVE
    assert judge_output(replace(PICTURE, far=None)).status == Status.INCONCLUSIVE
    assert judge_output(replace(CLASSES, elements=0)).status == Status.INCONCLUSIVE
    assert judge_output(replace(CLASSES, differing=-1)).status == Status.FAIL
    assert judge_output(replace(PICTURE, far=-1)).status == Status.FAIL


def test_whole_numbers_of_which_pytorch_is_not_sure_prove_nothing() -> None:
    unsure = replace(CLASSES, shape=(10, 10), reference_shape=(10, 10), elements=74)
    assert judge_output(unsure).status == Status.INCONCLUSIVE
    assert judge_output(replace(unsure, elements=75)).status == Status.PASS
    assert judge_output(replace(unsure, elements=75, differing=1)).status == Status.FAIL


def test_nothing_at_all_is_inconclusive() -> None:
    assert worst() == Status.INCONCLUSIVE
    assert worst(Status.WARN, Status.PASS) == Status.WARN
    assert worst(Status.INCONCLUSIVE, Status.FAIL, Status.PASS) == Status.FAIL


def test_noise_that_is_low_by_luck_is_held_to_what_is_usual() -> None:
    lucky = replace(LOGITS, torch=Magnitude(rms=1e-8, max=2e-8), onnx=Magnitude(rms=1e-6, max=2e-6))
    assert judge_output(lucky).status == Status.FAIL
    cell = judge_output(lucky, usual=usual_noise([LOGITS, LOGITS, lucky]))
    assert cell.status == Status.PASS
    assert cell.r_rms == pytest.approx(1.2247, rel=1e-4)  # 1 / sqrt(2/3)


def test_a_case_that_is_noisier_than_usual_keeps_its_own_noise() -> None:
    noisy = replace(LOGITS, torch=Magnitude(rms=1e-5, max=2e-5), onnx=Magnitude(rms=5e-5, max=1e-4))
    cell = judge_output(noisy, usual=usual_noise([LOGITS]))
    assert cell.status == Status.WARN
    assert cell.r_rms == pytest.approx(5)


def test_one_wild_case_does_not_make_the_rule_lenient() -> None:
    wild = replace(LOGITS, torch=Magnitude(rms=9e-4, max=9e-4))
    hopeless = replace(LOGITS, torch=Magnitude(rms=1e-2, max=2e-2))
    nothing = replace(LOGITS, torch=Magnitude(rms=math.nan, max=math.nan))
    usual = usual_noise([LOGITS, LOGITS, LOGITS, wild, hopeless, nothing])
    assert usual == Magnitude(rms=4e-6, max=8e-6)
    assert usual_noise([hopeless, nothing]) is None
    assert usual_noise([]) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, None])
def test_usual_noise_that_is_no_number_is_ignored(bad: float | None) -> None:
    off = replace(LOGITS, onnx=Magnitude(rms=1e-5, max=2e-5))
    assert judge_output(off, usual=Magnitude(rms=bad, max=bad)).status == Status.FAIL


def test_usual_noise_is_that_of_the_middle_backend() -> None:
    lucky = replace(LOGITS, torch=Magnitude(rms=1e-7, max=2e-7), torch_typical=Magnitude(rms=1e-6, max=2e-6))
    assert usual_noise([lucky]) == Magnitude(rms=1e-6, max=2e-6)
    unknown = replace(lucky, torch_typical=Magnitude(rms=None, max=None))
    assert usual_noise([unknown]) == Magnitude(rms=1e-7, max=2e-7)


CLASS_MAP = replace(CLASSES, compare="choice", dtype="uint8", reference_dtype="uint8", elements=10_000)


@pytest.mark.parametrize(
    ("differing", "raw", "tied", "status"),
    [
        (0, 0, 0, Status.PASS),
        (0, 7, 20, Status.PASS),
        (1, 1, 0, Status.FAIL),
        (0, 0, 499, Status.PASS),
        (0, 0, 500, Status.INCONCLUSIVE),
        (1, 1, 5_000, Status.FAIL),
    ],
)
def test_choices_may_differ_at_ties_alone(differing: int, raw: int, tied: int, status: Status) -> None:
    cell = judge_output(replace(CLASS_MAP, differing=differing, far=raw, undecided=tied))
    assert cell.status == status
    assert f"{raw} with the {tied} ties" in cell.why


@pytest.mark.parametrize(("differing", "raw", "tied"), [(3, 2, 0), (0, 0, 10_001), (0, 20_000, 0), (-1, 0, 0)])
def test_choices_that_do_not_add_up_fail(differing: int, raw: int, tied: int) -> None:
    assert judge_output(replace(CLASS_MAP, differing=differing, far=raw, undecided=tied)).broken


def test_choices_that_nobody_counted_decide_nothing() -> None:
    assert judge_output(replace(CLASS_MAP, differing=0, far=0)).status == Status.INCONCLUSIVE
