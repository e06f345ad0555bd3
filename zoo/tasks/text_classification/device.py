"""Reading and showing for text classification; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from zoo.data.class_ranking import show, top
from zoo.data.text.reading import read, read_text

__all__ = ["read", "read_text", "show", "top"]
