"""Facts as short text for tables: counts, inputs, metrics, sizes, ages."""

from __future__ import annotations

from collections.abc import Mapping


def count(number: int | None) -> str:
    """11,689,512 as 11.7M; empty for None."""
    if number is None:
        return ""
    for unit, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= unit:
            return f"{number / unit:.3g}{name}"
    return str(number)


def metrics(values: Mapping[str, float]) -> str:
    """accuracy 0.9821, loss 0.0612."""
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


def licence(name: str) -> str:
    """An SPDX name as it is; of a sentence the first clause."""
    return name.partition(";")[0]


def size(number: int | None) -> str:
    """Bytes as 44.7 MB; empty for None."""
    if number is None:
        return ""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number} B"


def age(seconds: float) -> str:
    """How long ago, in the largest unit that fits: 3 h."""
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name}"
    return f"{max(0, int(seconds))} s"


def shortened(text: str, *, length: int = 100) -> str:
    """A text in one line, its end left out where it is longer: "not proved (FAIL): … (1,024 characters)"."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[:length]} … ({len(text):,} characters)"
