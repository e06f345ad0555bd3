"""Reading, showing and comparing for text embedding; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from zoo.tasks.text_embedding.showing import compare, show
from zoo.tasks.text_reading import read, read_text

__all__ = ["compare", "read", "read_text", "show"]
