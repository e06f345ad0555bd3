"""Reading, showing and comparing for text embedding; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from zoo.data.text.reading import read, read_text
from zoo.tasks.text_embedding.showing import compare, show

__all__ = ["compare", "read", "read_text", "show"]
