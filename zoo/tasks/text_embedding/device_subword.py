"""Reading, showing and comparing for text embedding with the tokenizer of a tokenizer.json."""

from __future__ import annotations

from zoo.data.embedding.compare import compare, show
from zoo.data.text.subword.reading import read, read_text

__all__ = ["compare", "read", "read_text", "show"]
