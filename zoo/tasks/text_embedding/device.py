"""Reading, showing and comparing for text embedding; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from zoo.data.embedding.compare import compare, show
from zoo.data.text.reading import read, read_text

__all__ = ["compare", "read", "read_text", "show"]
