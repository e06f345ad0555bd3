"""Reading and showing for text classification; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from zoo.tasks.text_classification.showing import ranked, show
from zoo.tasks.text_reading import read, read_text

__all__ = ["ranked", "read", "read_text", "show"]
