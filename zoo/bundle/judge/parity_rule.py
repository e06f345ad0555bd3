"""The parity rule: against fp64, ONNX may be at most k times as far off as PyTorch's own fp32 is.

    s, S   = rms and max of the reference        u = 2^-23
    r_rms  = rms(e_onnx) / max(rms(e_torch), n_rms, u s / 4)
    r_max  = max(e_onnx) / max(max(e_torch), n_max, u S / 4)

Both at most 8 pass, above 4 they warn.  A case where PyTorch's own fp32 is off by more than 1e-3 of the scale cannot
tell right from wrong and is inconclusive.

n is the output's noise over all gating cases, of the middle backend: root mean square, at most 4 times the median.
Ten logits, let alone two, are too few numbers to measure noise by: one case in a hundred is exact by luck, and without
n up to half of the proofs of sound two-class models failed on it (benchmarks/few_outputs.py).  Pictures with one
background share one rounding error, and one of three backends is often lucky with it, which is why n takes the middle
one.  The other constants are measured as well: docs/proof.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median

from zoo.bundle.judge.evidence import GoldenTolerance, Magnitude, OutputError, Precision, Waiver

K = 8.0
WARN_ABOVE = 4.0
ILL_CONDITIONED: Mapping[Precision, float] = {"float32": 1e-3, "float16": 3e-2, "bfloat16": 1e-1}
"""Of the scale, by the precision that the model itself computes with: PyTorch's noise in float16 is 2^13 times that in
float32, and 2^16 times in bfloat16."""
FLOOR = 2.0**-23 / 4
FLOOR_BEYOND = 2.0**-20
"""The floor in cases beyond the usual values, in units of the scale: eight ulps, 32 times `FLOOR`.  They are there for
what is grossly wrong, and a saturated output is often exact in PyTorch by chance."""
WELL_CONDITIONED = 1e-5
"""Cases of other values decide where PyTorch's own fp32 is off by at most this share of the scale."""
MAX_OVER_MEDIAN = 4.0
"""How many times the median the usual noise may be."""
MAX_DIFFERING_SHARE = 1e-3
"""Share of a picture's elements that may be one grey level off."""
MIN_DECIDED_SHARE = 0.75
"""Share of whole numbers that PyTorch itself must be sure of."""
MIN_ALLOWED_LEVELS = 2
"""So many may be, however small the picture: of 784 elements one near a half is already more than the share."""

MAX_TIED_SHARE = 0.05
"""Where a larger share of an answer's places are ties, it cannot be told right from wrong."""


class Status(StrEnum):
    """What a cell, a gate or a verdict says."""

    PASS = "PASS"
    WARN = "WARN"
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"


_ORDER = (Status.PASS, Status.WARN, Status.INCONCLUSIVE, Status.FAIL)


def worst(*statuses: Status) -> Status:
    """The worst of them; nothing at all is INCONCLUSIVE."""
    return max(statuses, key=_ORDER.index, default=Status.INCONCLUSIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The rule applied to one output of one case."""

    status: Status
    why: str
    r_rms: float | None = None
    r_max: float | None = None
    broken: bool = False
    """Wrong shape, wrong dtype or not finite: a failure whatever the numbers are."""

    @property
    def ratio(self) -> float | None:
        """The larger of the two ratios."""
        return None if self.r_rms is None or self.r_max is None else max(self.r_rms, self.r_max)


def judge_output(
    output: OutputError,
    waiver: Waiver | None = None,
    *,
    usual: Magnitude | None = None,
    beyond: bool = False,
    precision: Precision = "float32",
) -> Cell:
    """The verdict on one output of one case; `usual` is the output's noise over all gating cases.

    `beyond` says that the case is beyond the usual values: the floor is higher there, and PyTorch must be well
    conditioned.  `precision` is what the model itself computes with.
    """
    incomparable = _incomparable(output)
    if incomparable is not None:
        return incomparable
    if output.compare == "rule":
        return _by_rule(output, waiver, None if beyond else usual, beyond=beyond, precision=precision)
    if output.compare == "choice":
        return _by_choice(output)
    if output.compare == "agreement":
        return Cell(status=Status.PASS, why="judged by the task's agreement")
    levels = output.compare == "levels"
    allowed = max(MAX_DIFFERING_SHARE * (output.elements or 0), MIN_ALLOWED_LEVELS) if levels else 0.0
    return _by_count(output, allowed=allowed, far=output.far if levels else 0)


def _incomparable(output: OutputError) -> Cell | None:
    free = output.compare == "agreement"  # a detector may find another number of boxes
    if output.shape != output.reference_shape and not (free and len(output.shape) == len(output.reference_shape)):
        return _broken(f"shape {list(output.shape)} instead of {list(output.reference_shape)}")
    if output.dtype != output.reference_dtype:
        return _broken(f"{output.dtype} instead of {output.reference_dtype}")
    if output.reference_finite is not True:
        return Cell(status=Status.INCONCLUSIVE, why="the reference itself is not finite")
    if output.finite is not True:
        return _broken("the answer is not finite where the reference is")
    return None


def _by_rule(
    output: OutputError, waiver: Waiver | None, usual: Magnitude | None, *, beyond: bool, precision: Precision
) -> Cell:
    scale, noise, error = output.scale, output.torch, output.onnx
    if not (_valid(scale) and _valid(noise)):
        return Cell(status=Status.INCONCLUSIVE, why="the reference was not measured")
    if not _valid(error):
        return _broken("the error was not measured, or is no number")
    assert scale and noise and error and scale.rms is not None and scale.max is not None  # _valid has looked
    assert noise.rms is not None and noise.max is not None and error.rms is not None and error.max is not None
    floor = usual if _valid(usual) else None
    least = FLOOR_BEYOND if beyond else FLOOR
    r_rms = _ratio(error.rms, max(noise.rms, (floor and floor.rms) or 0.0, least * scale.rms))
    r_max = _ratio(error.max, max(noise.max, (floor and floor.max) or 0.0, least * scale.max))
    if scale.max == 0 and noise.max == 0:
        exact = error.max == 0
        why = "the reference is zero everywhere" + ("" if exact else ", the answer is not")
        return Cell(status=Status.INCONCLUSIVE if exact else Status.FAIL, why=why, r_rms=r_rms, r_max=r_max)
    limit = ILL_CONDITIONED[precision]
    if beyond:
        limit *= WELL_CONDITIONED / ILL_CONDITIONED["float32"]
    if noise.rms > limit * scale.rms:
        why = f"ill-conditioned: PyTorch itself is off by more than {limit:.2g} of the scale"
        return Cell(status=Status.INCONCLUSIVE, why=why, r_rms=r_rms, r_max=r_max)
    ratio = max(r_rms, r_max)
    if ratio <= K:
        status = Status.PASS if ratio <= WARN_ABOVE else Status.WARN
        return Cell(status=status, why=f"{ratio:.3g} times PyTorch's own noise", r_rms=r_rms, r_max=r_max)
    return _over(ratio, waiver, relative=_ratio(error.rms, scale.rms), r_rms=r_rms, r_max=r_max)


def usual_noise(outputs: Iterable[OutputError], *, precision: Precision = "float32") -> Magnitude | None:
    """The noise of one output over several cases; those that decide nothing do not count."""
    noises = [
        output.torch_typical if _valid(output.torch_typical) and output.torch_typical else output.torch
        for output in outputs
        if output.noise_measured and _valid(output.torch) and _valid(output.scale) and output.torch and output.scale
        if (output.torch.rms or 0.0) <= ILL_CONDITIONED[precision] * (output.scale.rms or 0.0)
    ]
    if not noises:
        return None
    return Magnitude(
        rms=_pooled([noise.rms or 0.0 for noise in noises]), max=_pooled([noise.max or 0.0 for noise in noises])
    )


def golden_tolerance(parts: GoldenTolerance, usual: Magnitude | None) -> Magnitude:
    """How near a device must come to one golden answer: K times as near as PyTorch itself is.

    `usual` is PyTorch's usual noise, because another device may be less lucky than this one was with a case.  Ties of
    the preprocess, which the device may round the other way, may move it twice as far as they move double precision.
    """
    noises = [parts.noise] if usual is None else [parts.noise, usual]
    rms = K * max(*(noise.rms or 0.0 for noise in noises), FLOOR * (parts.scale.rms or 0.0))
    largest = K * max(*(noise.max or 0.0 for noise in noises), FLOOR * (parts.scale.max or 0.0))
    return Magnitude(rms=rms + 2 * (parts.moved.rms or 0.0), max=largest + 2 * (parts.moved.max or 0.0))


def _pooled(noises: list[float]) -> float:
    """Root mean square, so that luck averages out, held to the median, so that one wild case does not count."""
    return min(math.sqrt(fmean(noise * noise for noise in noises)), MAX_OVER_MEDIAN * median(noises))


def _over(ratio: float, waiver: Waiver | None, *, relative: float, r_rms: float, r_max: float) -> Cell:
    why = f"{ratio:.3g} times PyTorch's own noise, {K:g} is the limit"
    if waiver is None:
        return Cell(status=Status.FAIL, why=why, r_rms=r_rms, r_max=r_max)
    held = 0 < waiver.bound < 1 and relative <= waiver.bound
    why += f"; {'waived' if held else 'the waiver does not hold'}: {relative:.2g} of the scale, bound {waiver.bound:g}"
    return Cell(status=Status.WARN if held else Status.FAIL, why=why, r_rms=r_rms, r_max=r_max)


def _by_count(output: OutputError, *, allowed: float, far: int | None) -> Cell:
    if output.elements is None or output.differing is None or far is None:
        return Cell(status=Status.INCONCLUSIVE, why="the elements were not compared")
    if not (0 <= output.differing <= output.elements and 0 <= far <= output.elements):
        return _broken(f"the count does not add up: {output.differing} and {far} of {output.elements} elements")
    if output.elements == 0:
        return Cell(status=Status.INCONCLUSIVE, why="there was nothing to compare")
    if output.elements < MIN_DECIDED_SHARE * math.prod(output.shape):
        few = f"{output.elements} of {math.prod(output.shape)} elements"
        return Cell(status=Status.INCONCLUSIVE, why=f"PyTorch's single and double precision agree on {few} only")
    if far or output.differing > allowed:
        return Cell(
            status=Status.FAIL, why=f"{output.differing} of {output.elements} elements differ, {far} of them far"
        )
    return Cell(status=Status.PASS, why=f"{output.differing} of {output.elements} elements differ")


def _by_choice(output: OutputError) -> Cell:
    """No place may differ that is no tie; where too many are ties, nothing was compared."""
    counts = (output.elements, output.differing, output.far, output.undecided)
    if any(count is None for count in counts):
        return Cell(status=Status.INCONCLUSIVE, why="the places were not compared")
    elements, differing, raw, tied = (count or 0 for count in counts)
    if not (0 <= differing <= raw <= elements and 0 <= tied <= elements - differing):
        return _broken(f"the count does not add up: {differing}, {raw} and {tied} of {elements} places")
    words = f"{differing} of {elements} places differ away from ties, {raw} with the {tied} ties"
    if differing:
        return Cell(status=Status.FAIL, why=words)
    if tied >= MAX_TIED_SHARE * elements:
        return Cell(status=Status.INCONCLUSIVE, why=words)
    return Cell(status=Status.PASS, why=words)


def _broken(why: str) -> Cell:
    return Cell(status=Status.FAIL, why=why, broken=True)


def _valid(size: Magnitude | None) -> bool:
    """A magnitude that can exist: finite, not negative, and no rms above its max (up to rounding)."""
    if size is None or size.rms is None or size.max is None:
        return False
    return math.isfinite(size.rms) and math.isfinite(size.max) and 0 <= size.rms <= size.max * 1.001


def _ratio(error: float, noise: float) -> float:
    if noise > 0:
        return error / noise
    return 0.0 if error == 0 else math.inf
