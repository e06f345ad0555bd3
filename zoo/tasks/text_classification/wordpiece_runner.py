"""The same as `runner` for models that read word pieces."""

from __future__ import annotations

from zoo.data.text.wordpiece_reading import read, read_text
from zoo.tasks.text_classification.showing import ranked, show

__all__ = ["ranked", "read", "read_text", "show"]
