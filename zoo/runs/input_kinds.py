"""What the kind of an input is called in files, and the class that such a kind means.

An input of zoo's own has a short kind that is never renamed.  An input of a plugin is called by the name of its class,
"zoo_pairs.inputs:PairInput".  A file may come from anybody, so such a name is followed only into the package of an
installed plugin of somebody else, which every command imports anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, Final

from zoo.api.problem import AudioInput, ImageInput, Input, LatentInput, TableInput, TokenInput
from zoo.registry.discovery import BUILT_IN, installed_candidates
from zoo.registry.references import resolve

KINDS: Final[Mapping[type[Input], str]] = {
    ImageInput: "image",
    TokenInput: "tokens",
    LatentInput: "latent",
    AudioInput: "audio",
    TableInput: "table",
}
"""What the `kind` of an input is in files.  No value is ever renamed."""
_CLASSES: Final[Mapping[str, type[Input]]] = {
    **{kind: made for made, kind in KINDS.items()},
    **{made.__name__: made for made in KINDS},  # so files of zoo 0.1 have it
}


class UnknownInput(ValueError):
    """A kind of input that no installed plugin has; the message is a sentence."""


def kind_of(input: Input) -> str:
    """What an input is called in files."""
    made = type(input)
    return KINDS.get(made) or f"{made.__module__}:{made.__qualname__}"


def class_of(kind: object) -> type[Any]:
    """The class that a kind in a file means; UnknownInput where it is of no installed plugin, or no input."""
    if not isinstance(kind, str):
        raise UnknownInput(f"the kind of its input is {kind!r}, which is no name")
    if kind in _CLASSES:
        return _CLASSES[kind]
    package = kind.partition(":")[0].partition(".")[0]
    strangers = (one.module for one in installed_candidates() if one.distribution != BUILT_IN)
    if ":" not in kind or package not in {module.partition(".")[0] for module in strangers}:
        raise UnknownInput(
            f"its input is a {kind!r}, which no installed plugin brings: install the plugin of its model"
        )
    try:
        made = resolve(kind)
    except (ImportError, AttributeError) as error:
        raise UnknownInput(f"its input is a {kind!r}, which the installed plugin does not have: {error}") from error
    if not (isinstance(made, type) and issubclass(made, Input) and is_dataclass(made)):
        raise UnknownInput(f"its input is a {kind!r}, which is no zoo.Input")
    return made
