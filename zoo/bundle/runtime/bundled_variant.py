"""Answers of a variant of this bundle for one size or for batches; run.py reads and shows.  Needs numpy alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]
Run = Callable[[Any], Arrays]
Items = Iterable[tuple[str, Arrays]]
MAX_WAITING = 4
"""Batches of pictures, answered or not, that are held at most until enough of one size have come."""


def unlike(feeds: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """How an input has another size than the variant is for, in a sentence; empty where it has that size."""
    for port in record["signature"]["inputs"]:
        given, wanted = tuple(feeds[port["name"]].shape), tuple(port["shape"])
        if given != wanted:
            sizes = ["x".join(map(str, shape[:2])) for shape in (given, wanted)]
            words = "(height x width): resize it first, or leave the variant out"
            return f"its {port['name']} is {sizes[0]}, and the variant {record['name']} takes {sizes[1]} {words}"
    return ""


def one_by_one(
    run: Run, items: Items, record: Mapping[str, Any], refused: type[Exception]
) -> Iterator[tuple[str, Arrays]]:
    """Each item's name with its answer; `refused` is raised for one of another size."""
    for name, feeds in items:
        if wrong := unlike(feeds, record):
            raise refused(f"{name}: {wrong}")
        yield name, run(feeds)


def in_batches(
    run: Run, items: Items, names: tuple[Mapping[str, str], Mapping[str, str]], size: int
) -> Iterator[tuple[str, Arrays]]:
    """Each item's name with its answer, in order; up to `size` items of equal shapes go through `run` together.

    `names` are those of the batch pipeline by those of one picture, of the inputs and of the outputs.  Where an item
    cannot be read, those before it are answered first.
    """
    waiting, answered, following = dict[int, tuple[str, Arrays]](), dict[int, tuple[str, Arrays]](), 0
    rest, failure = enumerate(items), None
    while True:
        try:
            index, (name, feeds) = next(rest)
        except StopIteration:
            break
        except Exception as error:  # whoever reads raises what he likes
            failure = error
            break
        waiting[index] = name, feeds
        group, is_full = _alike(waiting, index), len(waiting) + len(answered) >= MAX_WAITING * size
        if is_full and len(group) < size:
            group = _alike(waiting, min(waiting))[:size]
        if is_full or len(group) == size:
            answered.update(_answers(run, waiting, group, names))
        while following in answered:
            yield answered.pop(following)
            following += 1
    while waiting:
        answered.update(_answers(run, waiting, _alike(waiting, min(waiting))[:size], names))
    yield from (answered[index] for index in sorted(answered))
    if failure is not None:
        raise failure


def _alike(waiting: Mapping[int, tuple[str, Arrays]], index: int) -> list[int]:
    """The waiting items with the shapes of this one."""
    shapes = {name: value.shape for name, value in waiting[index][1].items()}
    return [n for n, (_, feeds) in waiting.items() if {key: value.shape for key, value in feeds.items()} == shapes]


def _answers(
    run: Run,
    waiting: dict[int, tuple[str, Arrays]],
    group: Sequence[int],
    names: tuple[Mapping[str, str], Mapping[str, str]],
) -> Iterator[tuple[int, tuple[str, Arrays]]]:
    """The answers to these items, which wait no longer."""
    taken = [waiting.pop(index) for index in group]
    inputs, outputs = names
    answer = run({to: np.stack([feeds[name] for _, feeds in taken]) for name, to in inputs.items()})
    for row, index in enumerate(group):
        yield index, (taken[row][0], {name: answer[to][row] for name, to in outputs.items()})


def batch_names(record: Mapping[str, Any], pipeline: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The names of the batch pipeline by those of `pipeline`, the signature of one picture: inputs, outputs."""
    pairs = (zip(pipeline[side], record["signature"][side], strict=True) for side in ("inputs", "outputs"))
    inputs, outputs = ({own["name"]: port["name"] for own, port in rows} for rows in pairs)
    return inputs, outputs


def answers(
    run: Run, items: Items, manifest: Mapping[str, Any], options: Any, refused: type[Exception]
) -> Iterator[tuple[str, Arrays]]:
    """Each item's name with the answer of the variant whose record is `options.record`.

    Where it takes batches, these have up to `options.batch_size` items.
    """
    record = options.record
    if options.batch_size is not None and options.batch_size < 1:
        raise refused(f"--batch-size is {options.batch_size}; it must be 1 or more")
    if takes_batches(record):
        return in_batches(run, items, batch_names(record, manifest["pipeline_signature"]), options.batch_size or 1)
    return one_by_one(run, items, record, refused)


def takes_batches(record: Mapping[str, Any]) -> bool:
    """Whether the pipeline of a variant takes batches."""
    return all(port["shape"][0] == "batch" for port in record["signature"]["inputs"])
