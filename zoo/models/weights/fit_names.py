"""The parameters of a file from elsewhere under the names that a model has: prefixes taken off or put on.  [torch]"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from zoo.api.errors import BadFile

MAX_PARTS = 4
"""Names are cut after at most so many parts: module.model.backbone.encoder."""
COMMON = 0.2
"""The share of the names in a file that begin with the prefix of a whole network; others may be those of a teacher."""
SHOWN = 3
COUNTER = ".num_batches_tracked"
"""A buffer of batch normalisation that old files do not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedState:
    """Parameters under a model's own names."""

    state: dict[str, Tensor]
    fresh: tuple[str, ...] = ()
    """Prefixes of what the model keeps as built: a head that is not in the file, or of another size."""
    sentence: str
    """What was matched and what was left out."""


def fit_names(origin: str, state: Mapping[str, Tensor], model: nn.Module, *, head: tuple[str, ...]) -> FittedState:
    """The tensors of a file that a model has, by its names; BadFile unless all but the head are there, and no others.

    Tensors outside of the prefix that is taken off belong to something else, as a loss, and are left out.
    """
    own = model.state_dict()
    taken_off, put_on = _best_prefixes(state, own)
    renamed = _renamed(state, taken_off, put_on)
    fitting = {name: tensor for name, tensor in renamed.items() if name in own and tensor.shape == own[name].shape}
    present = {own[name].data_ptr() for name in fitting} - {0}
    missing = [
        name
        for name, tensor in own.items()
        if name not in fitting and not name.endswith(COUNTER) and tensor.data_ptr() not in present
    ]
    head = _whole_head(head, renamed)
    body = [name for name in missing if not (head and name.startswith(head))]
    reasons = _reasons(body, renamed, own) + [f"{name} is not in the model" for name in _strange(renamed, own, head)]
    if reasons:
        raise BadFile(
            f"{origin} does not fit this {type(model).__name__}: {_few(reasons)} ({_count(fitting, own)} match)",
            hint=f"it holds {_few(state)}: name the architecture that it was trained as",
        )
    for name in own:
        if name.endswith(COUNTER) and name not in fitting:
            fitting[name] = own[name]
    if missing:  # a head is new as a whole
        fitting = {name: tensor for name, tensor in fitting.items() if not name.startswith(head)}
    said = [f"{_count(fitting, own)} from {origin}"]
    said += [f"the prefix {taken_off} taken off"] if taken_off else []
    others = [name for name in state if _name(name, taken_off, put_on) not in fitting]
    said += [f"left out {_few(others)}"] if others else []
    return FittedState(
        state=_versioned(state, fitting, taken_off, put_on), fresh=head if missing else (), sentence=", ".join(said)
    )


def _whole_head(head: tuple[str, ...], renamed: Mapping[str, Tensor]) -> tuple[str, ...]:
    """The prefixes of the head; of a file that has nothing of the module in which it is, of that whole module."""
    modules = tuple(f"{prefix.split('.')[0]}." for prefix in head)
    return head if any(name.startswith(modules) for name in renamed) else tuple(dict.fromkeys(modules))


def _strange(renamed: Mapping[str, Tensor], own: Mapping[str, Tensor], head: tuple[str, ...]) -> list[str]:
    """The names of a deeper or another network: those that the model has nowhere, and that are not of a head."""
    return [name for name in renamed if name not in own and not name.startswith(head) and not name.endswith(COUNTER)]


def _best_prefixes(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> tuple[str, str]:
    """What to take off the names of the file and to put before them, so that most tensors match."""
    shapes = {name: tensor.shape for name, tensor in own.items()}

    def matched(pair: tuple[str, str]) -> tuple[int, int]:
        count = sum(shapes.get(_name(name, *pair)) == tensor.shape for name, tensor in state.items())
        return count, -len(pair[0]) - len(pair[1])

    candidates = [(off, on) for off in _prefixes(state) for on in _prefixes(own, parts=1)]
    return max(candidates, key=matched)


def _prefixes(names: Iterable[str], parts: int = MAX_PARTS) -> list[str]:
    """Nothing, and the beginnings of many names that end at a dot and are at most so many parts long."""
    counts: Counter[str] = Counter()
    listed = list(names)
    for name in listed:
        pieces = name.split(".")[:-1]
        counts.update(".".join(pieces[: length + 1]) + "." for length in range(min(parts, len(pieces))))
    return ["", *sorted((prefix for prefix in counts if counts[prefix] >= COMMON * len(listed)), key=len)]


def _name(name: str, taken_off: str, put_on: str) -> str:
    """The name after both; the name of no tensor where it does not begin as it must."""
    return put_on + name.removeprefix(taken_off) if name.startswith(taken_off) else ""


def _renamed(state: Mapping[str, Tensor], taken_off: str, put_on: str) -> dict[str, Tensor]:
    return {_name(name, taken_off, put_on): tensor for name, tensor in state.items() if name.startswith(taken_off)}


def _reasons(names: list[str], renamed: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[str]:
    return [
        f"{name} is {list(renamed[name].shape)} where {list(own[name].shape)} belongs"
        if name in renamed
        else f"{name} is missing"
        for name in names
    ]


def _versioned(
    state: Mapping[str, Tensor], fitting: dict[str, Tensor], taken_off: str, put_on: str
) -> dict[str, Tensor]:
    """With the format versions of the file's modules, where it has any, under the model's names."""
    versions = getattr(state, "_metadata", None)
    if not versions:
        return fitting
    kept: Any = OrderedDict(fitting)
    cut, added = taken_off.rstrip("."), put_on.rstrip(".")
    kept._metadata = {
        ".".join(filter(None, (added, name.removeprefix(cut).lstrip(".")))): version
        for name, version in versions.items()
        if name.startswith(cut)
    }
    return kept  # type: ignore[no-any-return]


def _count(fitting: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> str:
    return f"{len(fitting)} of {len(own)} tensors"


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
