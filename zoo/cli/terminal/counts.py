"""Numbers of things as people type them."""

from __future__ import annotations

from typing import Final

from zoo.api.errors import UsageError

UNITS: Final = {"k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}


def read_count(value: str | None, *, option: str = "--max-params") -> int | None:
    """5M as 5,000,000; None stays None, UsageError for what is no number from 1 on."""
    if value is None:
        return None
    digits = value.strip().replace("_", "").replace(",", "").lower()
    unit = UNITS.get(digits[-1:], 1)
    try:
        number = float(digits[:-1] if digits[-1:] in UNITS else digits) * unit
    except ValueError:
        number = 0.0
    if not 1 <= number < float("inf"):
        raise UsageError(f"{option} is {value!r}; it must be a number from 1 on", hint="5M, 300k or 11700000")
    return int(number)
