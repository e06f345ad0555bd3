"""From a trained model to a file for the edge that is proved to give the same answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo_export.anew import verify as verify
    from zoo_export.publish import export as export

_HOMES = {"export": "zoo_export.publish", "verify": "zoo_export.anew"}

__all__ = ["export", "verify"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo_export' has no attribute {name!r}")
    from zoo.references import resolve  # noqa: PLC0415  torch is imported when somebody exports

    return resolve(f"{_HOMES[name]}:{name}")
