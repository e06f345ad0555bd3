"""The same as `runner` for models that read word pieces."""

from __future__ import annotations

from zoo.data.text.wordpiece_reading import read, read_text
from zoo.tasks.text_embedding.showing import compare, show

__all__ = ["compare", "read", "read_text", "show"]
