"""Equal files in two splits: the metric then measures pictures that the model was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zoo.api.data import Split

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
    return [f"{len(leaked)} {word} are in two splits at once, such as {example}: the scores will flatter"]
