"""Reading and showing for text classification; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from zoo.data.class_ranking import record, show, top
from zoo.data.text.reading import read_text
from zoo.data.text.reading_rows import read

__all__ = ["read", "read_text", "record", "show", "top"]
