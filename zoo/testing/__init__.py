"""The conformance kit: checks for every plugin, as a test class for pytest and as `zoo plugins check NAME`.

    from zoo.testing import Conformance

    class TestAcme(Conformance):
        plugin = "acme"

pytest loads nothing of it by itself, and importing this module imports neither pytest nor torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.testing.conformance import Conformance as Conformance
    from zoo.testing.kit import check_plugin as check_plugin
    from zoo.testing.score import GROUPS as GROUPS
    from zoo.testing.score import Result as Result
    from zoo.testing.score import Score as Score

_HOMES = {
    "Conformance": "zoo.testing.conformance",
    "GROUPS": "zoo.testing.score",
    "Result": "zoo.testing.score",
    "Score": "zoo.testing.score",
    "check_plugin": "zoo.testing.kit",
}

__all__ = ["GROUPS", "Conformance", "Result", "Score", "check_plugin"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo.testing' has no attribute {name!r}")
    from zoo.registry.references import resolve  # noqa: PLC0415  nothing is imported before a name is used

    return resolve(f"{_HOMES[name]}:{name}")
