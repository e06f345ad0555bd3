"""Tables of texts as the inputs of pipeline.onnx, row by row; what bundles carry needs only numpy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.data.text.reading import read_text
from zoo.data.text.rows_of_texts import rows_of_texts


def read_rows(path: Path, problem: Mapping[str, Any]) -> Any:
    """A text file as the inputs of pipeline.onnx; of a table every row by name.  ValueError says what is wrong."""
    texts = rows_of_texts(path)
    rows = [(name, read_text(text, problem)) for name, text in (texts if isinstance(texts, list) else ())]
    return rows if isinstance(texts, list) else read_text(texts, problem)


read = read_rows
"""As the module that a bundle carries must call it."""
