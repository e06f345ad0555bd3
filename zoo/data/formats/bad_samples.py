"""What becomes of bad samples: an error that lists them all, or, where the user asked for it, a few left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zoo.api.data import DataNote, counted
from zoo.api.errors import BadSample, DataError

MOST_BAD: Final = 0.01
"""The largest share of bad samples that `on_bad_sample="skip"` leaves out; one sample may be left out of any number."""


def failed(where: object, problems: Sequence[BadSample], *, hint: str) -> DataError:
    """The error that lists every problem of a source."""
    count = counted(len(problems), "problem")
    return DataError(f"{count} in {where}", problems=problems, hint=hint)


def share_left_out(
    where: object, problems: Sequence[BadSample], *, bad: int, total: int, skip: bool, looked: str = ""
) -> float:
    """bad / total, where so many may be left out and `skip` asks for it; DataError with every problem where not.

    `looked` says, where it was not at all of them, at how many samples was looked.
    """
    share = bad / total
    few = bad <= max(1, MOST_BAD * total) and bad < total
    if not skip:
        entry = f", or leave them out with --on-bad-sample skip ({share:.2%})" if few else ""
        raise failed(where, problems, hint=f"nothing was trained{looked}; put these right{entry}")
    if not few:
        raise failed(where, problems, hint=f"{share:.1%} are bad; at most {MOST_BAD:.0%}, or one, may be skipped")
    return share


def note_bad(message: str, problems: Sequence[BadSample], *, what: str, items: int) -> DataNote:
    """What is said of bad samples that were left out as asked."""
    examples = [f"{problem.where}: {problem.reason}" for problem in problems[:5]]
    return DataNote(message, kind="left-out", what=what, items=items, examples=examples)
