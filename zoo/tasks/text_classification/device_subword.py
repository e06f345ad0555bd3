"""Reading and showing for text classification with the tokenizer of a tokenizer.json; the task.py of such a bundle."""

from __future__ import annotations

from zoo.data.class_ranking import show, top
from zoo.data.text.subword.reading import read_text
from zoo.data.text.subword.reading_rows import read

__all__ = ["read", "read_text", "show", "top"]
