"""What a runtime gave for a set of cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from zoo_export.subject.module_io import Array

Given = Mapping[str, Array] | str
"""What the runtime gave: outputs by name, or the sentence in which it refused."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything the runtime said."""

    given: tuple[Given, ...]
    """Per case, in order."""
    by_batch: Mapping[int, tuple[tuple[int, Given], ...]] = field(default_factory=dict)
    """Per batch size: (place of the case, its answer) of every run of that size."""
    equal: bool | None = None
    """The same input twice gave the same bits; None when it could not run twice."""
    error: str = ""
    """Why the graph does not load."""


def chosen(trial: Trial, places: Sequence[int]) -> Trial:
    """What it said to these cases alone."""
    at = {place: row for row, place in enumerate(places)}
    by_batch = {
        size: tuple((at[place], given) for place, given in rows if place in at) for size, rows in trial.by_batch.items()
    }
    return Trial(
        given=tuple(trial.given[place] for place in places), by_batch=by_batch, equal=trial.equal, error=trial.error
    )
