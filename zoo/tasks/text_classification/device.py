"""Reading and showing for text classification; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from zoo.data.text.reading import read, read_text
from zoo.tasks.text_classification.showing import ranked, show

__all__ = ["ranked", "read", "read_text", "show"]
