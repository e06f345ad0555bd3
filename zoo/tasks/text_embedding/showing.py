"""Embeddings of texts made readable and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.data.embedding.compare import described, in_words, matches


def show(answer: Mapping[str, Any], problem: Mapping[str, Any]) -> str:  # noqa: ARG001  every task's
    """One line: size, length and the first numbers."""
    return in_words(answer["embedding"][0])


def compare(names: Sequence[str], answers: Sequence[Mapping[str, Any]], problem: Mapping[str, Any]) -> str:
    """A line for each pair: how similar they are."""
    return described(names, matches([answer["embedding"][0] for answer in answers], None), problem["facts"])
