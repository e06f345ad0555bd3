"""`zoo list --fits 'latency<10ms,size<8MB'`: the bundles that fit into a budget."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from zoo.api.errors import UsageError
from zoo.bundle.benchmark import FP32
from zoo.bundle.measured import Numbers, as_document, bundle_numbers
from zoo.cli.terminal import text
from zoo.cli.terminal.output import Output
from zoo.registry.listing import matches

EXAMPLE: Final = "zoo list --fits 'latency<10ms,size<8MB'"
UNITS: Final = {
    "latency": {"us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3},
    "size": {"b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9},
    "memory": {"b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9},
}
"""What can be limited, and the units of it: milliseconds and bytes are 1."""
_LIMIT = re.compile(r"\s*(\w+)\s*(<=?)\s*([0-9.]+)\s*([a-zµ]+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A quantity that must be less than a number, or at most it."""

    quantity: str
    most: float
    """In milliseconds, or in bytes."""
    inclusive: bool

    def holds(self, numbers: Numbers) -> bool | None:
        """None where nobody measured it."""
        value = {"latency": numbers.latency_ms, "size": numbers.bytes, "memory": numbers.peak_bytes}[self.quantity]
        if value is None:
            return None
        return value <= self.most if self.inclusive else value < self.most


def read_limits(words: str) -> tuple[Limit, ...]:
    """Limits as in 'latency<10ms,size<=8MB'; UsageError for anything else."""
    return tuple(_limit(part) for part in words.split(","))


def _limit(words: str) -> Limit:
    match = _LIMIT.fullmatch(words)
    if match is None:
        raise UsageError(f"--fits says {words.strip()!r}; a limit looks like latency<10ms", hint=EXAMPLE)
    quantity, sign, digits, unit = match[1].lower(), match[2], match[3], match[4].lower()
    if quantity not in UNITS:
        raise UsageError(f"--fits knows no {match[1]}; it knows {', '.join(UNITS)}", hint=EXAMPLE)
    if unit not in UNITS[quantity]:
        raise UsageError(f"{match[4]} is no unit of {quantity}; {', '.join(UNITS[quantity])} are", hint=EXAMPLE)
    try:
        number = float(digits)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise UsageError(f"--fits says {words.strip()!r}, and {digits} is no number above 0", hint=EXAMPLE)
    return Limit(quantity=quantity, most=number * UNITS[quantity][unit], inclusive=sign == "<=")


def list_fitting(out: Output, words: str, *, pattern: str, task: str) -> None:
    """The bundles, and variants of bundles, whose numbers are known and within all limits."""
    limits = read_limits(words)
    known = [
        row
        for row in bundle_numbers(Path())
        if matches(row.model, pattern) and (not task or task in (row.task, row.task.rpartition("/")[2]))
    ]
    fitting = [row for row in known if all(limit.holds(row) for limit in limits)]
    fitting.sort(key=lambda row: (row.latency_ms is None, row.latency_ms or 0.0, row.bytes))
    if out.as_json:
        out.document([as_document(row) for row in fitting])
    elif fitting:
        _print(out, fitting)
    else:
        out.note(f"no bundle is known to fit {words!r}")
    unmeasured = [row for row in known if any(limit.holds(row) is None for limit in limits)]
    if unmeasured:
        names = sorted({row.bundle for row in unmeasured})
        out.note(f"of {len(names)} more nobody measured it here: {', '.join(names[:5])}{' …' if names[5:] else ''}")
    elif not known:
        out.note("zoo knows the bundles that `zoo bench` measured, those of its runs, and those in exports/")
    out.next(_next(fitting, unmeasured))


def _print(out: Output, rows: Sequence[Numbers]) -> None:
    out.table(
        ("bundle", "model", "variant", "verdict", "latency", "size", "peak memory", "measured on"),
        [
            (
                row.bundle,
                row.model,
                row.variant,
                row.verdict,
                "" if row.latency_ms is None else f"{row.latency_ms:.3g} ms",
                text.size(row.bytes),
                text.size(row.peak_bytes),
                row.machine,
            )
            for row in rows
        ],
        right=("latency", "size", "peak memory"),
    )


def _next(fitting: Sequence[Numbers], unmeasured: Sequence[Numbers]) -> str:
    if unmeasured:
        return f"zoo bench {quote(unmeasured[0].bundle)} --variant all"
    if not fitting:
        return "zoo export cnn@digits --int8"
    variant = "" if fitting[0].variant == FP32 else f" --variant {fitting[0].variant}"
    return f"zoo predict {quote(fitting[0].bundle)} INPUT…{variant}"
