"""The models on offer as plain rows, and the choice among them: for `zoo list` and `zoo.list_models`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

SortKey = Literal["name", "params", "family", "task"]


class ListedWeights(NamedTuple):
    """One set of weights."""

    tag: str
    """As it is named after the model: imagenet1k_v1, or plugin/tag where the tag alone means another's."""
    full_name: str
    bare_name: str
    """The shortest name that means it: resnet18@imagenet1k_v1."""
    plugin: str
    licence: str
    size: int | None
    data: str
    metrics: Mapping[str, float]


class ListedModel(NamedTuple):
    """One model with its weights."""

    full_name: str
    bare_name: str
    """The shortest name that means it."""
    names: Sequence[str]
    """All names that a pattern may match."""
    aliases: Sequence[str]
    takes_over: Mapping[str, int]
    plugin: str
    family: str
    task: str
    """As the plugin writes it."""
    task_full_name: str
    parameters: int | None
    input: str
    licence: str
    extra: str
    """The extra that it needs and that is not installed."""
    not_available: str
    """Why it is only listed; empty for nearly all."""
    weights: Sequence[ListedWeights]


class Listing(NamedTuple):
    """Every model on offer, and what is wrong with plugins."""

    models: Sequence[ListedModel]
    """Sorted by full name."""
    notes: Sequence[str]


def select(
    models: Sequence[ListedModel],
    *,
    pattern: str = "*",
    task: str = "",
    plugin: str = "",
    family: str = "",
    licence: str = "",
    max_params: int | None = None,
    pretrained: bool = False,
) -> tuple[ListedModel, ...]:
    """The models that fit all that is asked; with `licence` only the weights under it remain.

    `task` is a task's full name.  A licence fits where it contains the text, in any case: that of the weights, or that
    of the code of a model without weights.  A model whose number of parameters nobody states fits no `max_params`.
    """
    rows = [
        row
        for row in models
        if any(matches(name, pattern) for name in row.names)
        and (not task or row.task_full_name == task)
        and (not plugin or row.plugin == plugin)
        and (not family or row.family == family)
        and (max_params is None or (row.parameters is not None and row.parameters <= max_params))
    ]
    if licence:
        rows = [kept for row in rows if (kept := _under(row, licence.lower())) is not None]
    return tuple(row for row in rows if row.weights or not pretrained)


def in_order(models: Sequence[ListedModel], key: SortKey) -> tuple[ListedModel, ...]:
    """The models sorted; those without a number of parameters last."""
    if key == "params":
        return tuple(sorted(models, key=lambda row: (row.parameters is None, row.parameters or 0)))
    fields = {"name": "bare_name", "family": "family", "task": "task"}
    return tuple(sorted(models, key=lambda row: (getattr(row, fields[key]), row.bare_name)))


def nearest(models: Sequence[ListedModel], name: str, *, limit: int = 8) -> tuple[ListedModel, ...]:
    """The models whose names are most like what was typed; none where nothing is like it."""
    from difflib import get_close_matches  # noqa: PLC0415  only for a typing mistake

    wanted = name.strip("*").lower().replace("-", "_")
    owners = {label.rpartition("/")[2]: row for row in models for label in (*row.aliases, row.bare_name)}
    close = get_close_matches(wanted.rpartition("/")[2], owners, n=limit)
    return tuple({owners[label].full_name: owners[label] for label in close}.values())


def _under(row: ListedModel, licence: str) -> ListedModel | None:
    """The model with its weights under a licence; None where it has none, or no weights and other code."""
    if not row.weights:
        return row if licence in row.licence.lower() else None
    weights = tuple(weights for weights in row.weights if licence in weights.licence.lower())
    return row._replace(weights=weights) if weights else None


def matches(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern: the whole of it where the pattern has `*`, `?` or `[`, else a part of it."""
    return fnmatchcase(name, pattern) if any(sign in pattern for sign in "*?[") else pattern in name
