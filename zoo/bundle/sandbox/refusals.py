"""What a runtime in the sandbox says no to."""

from __future__ import annotations

from zoo.api.errors import BadFile, HashMismatch


class RuntimeRefused(BadFile):
    """A runtime's own refusal (an invalid graph, a wrong shape); the process is still alive."""

    kind = "runtime-refused"


class OperatorRefused(RuntimeRefused):
    """A runtime that does not know an operator of the graph."""

    kind = "operator-refused"

    def __init__(self, message: str, *, operator: str, node: str = "") -> None:
        super().__init__(message)
        self.operator = operator
        self.node = node


def changed(title: str) -> HashMismatch:
    """The bytes that are loaded are not those that the manifest names."""
    return HashMismatch(f"loading {title} failed: its sha256 is not the one in the manifest")
