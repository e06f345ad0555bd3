"""Equal files in two splits: the metric then measures pictures that the model was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zoo.api.data import DataNote, Split, counted

Items = Mapping[Split, Iterable[tuple[str, str]]]
"""(name, sha256 of the contents) of every item of every split."""


def leak_notes(splits: Items, *, word: str) -> list[str]:
    """A sentence on the files whose contents are in more than one split; empty where there are none."""
    first: dict[str, tuple[Split, str]] = {}
    leaked: dict[str, str] = {}
    entries = ((split, name, content) for split, items in splits.items() for name, content in items if content)
    for split, name, content in entries:
        earlier = first.setdefault(content, (split, name))
        if earlier[0] != split:
            leaked.setdefault(content, f"{earlier[1]} and {name}")
    if not leaked:
        return []
    example = next(iter(leaked.values()))
    message = counted(len(leaked), f"{word[:-1]} is", f"{word} are")
    message += f" in two splits at once, such as {example}: the scores will flatter"
    return [DataNote(message, kind="leak", items=len(leaked), examples=[*leaked.values()][:5])]


def double_notes(splits: Items, *, word: str) -> list[str]:
    """A sentence on the files that are in one split more than once; empty where there are none."""
    doubles: list[str] = []
    for items in splits.values():
        first: dict[str, str] = {}
        for name, content in items:
            earlier = first.setdefault(content, name) if content else name
            if earlier != name:
                doubles.append(f"{earlier} and {name}")
    if not doubles:
        return []
    message = counted(len(doubles), f"{word[:-1]} is", f"{word} are")
    message += f" there more than once in a split, such as {doubles[0]}"
    return [DataNote(message, kind="duplicate", items=len(doubles), examples=doubles[:5])]
