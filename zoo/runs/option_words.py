"""Options of a training that are written as words: times, intervals, shares."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass

from zoo.api.errors import UsageError


def read_seconds(text: str) -> float:
    """Seconds spelt as "55s", "10min", "2h" or a bare number."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|m|h)?", text.strip())
    seconds = float(match[1]) * {None: 1, "s": 1, "min": 60, "m": 60, "h": 3600}[match[2]] if match else 0.0
    if seconds <= 0 or not math.isfinite(seconds):
        raise UsageError(f"--max-time {text!r} is not a time", hint="as in 55s, 10min or 2h")
    return seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveInterval:
    """When a checkpoint within an epoch is due: after so many steps, or after so many seconds."""

    steps: int | None = None
    seconds: float | None = None


def read_interval(text: str) -> SaveInterval:
    """An interval spelt as "500steps", or as a time; UsageError where it is neither."""
    if match := re.fullmatch(r"(\d+)\s*steps?", text.strip()):
        if int(match[1]) > 0:
            return SaveInterval(steps=int(match[1]))
    elif not re.search(r"step", text):
        with suppress(UsageError):
            return SaveInterval(seconds=read_seconds(text))
    raise _no_interval(text)


def check_interval(text: str) -> None:
    """UsageError for what is no interval, and for a bare number, which may mean steps or seconds.

    Runs of an earlier version hold bare numbers of seconds, so that `read_interval` takes them.
    """
    read_interval(text)
    if text.strip()[-1].isdigit():
        raise _no_interval(text)


def _no_interval(text: str) -> UsageError:
    return UsageError(f"--save-every {text!r} is neither a time nor a number of steps", hint="as in 5min or 500steps")


def read_ratios(text: str) -> tuple[float, float, float]:
    """Three shares, spelt as "0.8,0.1,0.1"; whether they make a whole is for the data to say."""
    try:
        train, validation, test = map(float, text.split(","))
    except ValueError:
        raise UsageError(f"--ratios {text!r} is not three numbers", hint="as in 0.8,0.1,0.1") from None
    return train, validation, test
