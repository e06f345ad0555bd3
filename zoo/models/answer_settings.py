"""What a user chooses of an answer, checked: the task's settings, strictness, a bundle's variant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from zoo.api.errors import UsageError
from zoo.api.parts import Task
from zoo.models.target import BundleTarget, TargetRequest


def chosen_settings(task: Task, texts: Sequence[str]) -> dict[str, float]:
    """Settings of an answer from "name=value"; UsageError for a name that the task does not have, or no number."""
    known = task.tags.settings
    chosen = {}
    for text in texts:
        name, _, value = text.partition("=")
        check_setting(task, name)
        try:
            chosen[name] = float(value)
        except ValueError:
            raise UsageError(f"{text!r} is no number", hint=f"as in {name}={known[name]:g}") from None
    return chosen


def named_settings(
    task: Task, settings: Mapping[str, float], *, threshold: float | None = None, seed: int | None = None
) -> dict[str, float]:
    """Settings by name, with those that have an option of their own; UsageError for what is wrong with one."""
    chosen = dict(settings)
    if threshold is not None:
        chosen["threshold"] = threshold
    if seed is not None and task.tags.generative:
        chosen["seed"] = seed
    for name, value in chosen.items():
        check_setting(task, name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise UsageError(f"the setting {name} is {value!r}, which is no number")
    if not 0 <= chosen.get("threshold", 0) <= 1:
        raise UsageError(f"the threshold is {chosen['threshold']:g}; it must be from 0 to 1")
    return chosen


def check_strict(request: TargetRequest, *, strict: bool) -> None:
    """UsageError where only proved sizes are to be answered, by what is no bundle and has none."""
    if strict and not isinstance(request.target, BundleTarget):
        raise UsageError(
            "--strict refuses inputs larger than those that a bundle was proved with, and this is no bundle",
            hint="leave --strict away, or export the model first: zoo export --onnx",
        )


def check_setting(task: Task, name: str) -> None:
    """UsageError for a setting that answers of the task do not have."""
    known = task.tags.settings
    if name not in known:
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise UsageError(f"answers of the task {task.name} have no setting {name!r}", hint=has)


def check_variant(request: TargetRequest, variant: str | None, batch_size: int | None, *, explain: bool) -> None:
    """UsageError for a variant, or a size of batches, of what is no bundle."""
    is_bundle = isinstance(request.target, BundleTarget)
    if batch_size is not None and not is_bundle:
        raise UsageError("--batch-size is for bundles", hint="zoo export --onnx --batch makes one that takes batches")
    if batch_size is not None and explain:
        raise UsageError("--explain looks into the model itself, picture by picture", hint="leave --batch-size out")
    if variant is not None and not is_bundle:
        raise UsageError("--variant is for bundles", hint="zoo export --onnx --int8 makes one with a variant")
    if variant is not None and explain:
        raise UsageError("--explain looks into the model itself, and a variant is a graph", hint="leave --variant out")
