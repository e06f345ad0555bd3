"""Tables of texts that a tokenizer.json cuts, row by row; what bundles carry needs only numpy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.data.text.rows_of_texts import rows_of_texts
from zoo.data.text.subword.reading import Tokens, text_reader


def read_rows(path: Path, problem: Mapping[str, Any]) -> Tokens | list[tuple[str, Tokens]]:
    """A text file as the inputs of pipeline.onnx; of a table every row by name.  ValueError says what is wrong."""
    inputs, texts = text_reader(problem), rows_of_texts(path)
    return inputs(texts) if isinstance(texts, str) else [(name, inputs(text)) for name, text in texts]


read = read_rows
"""As the module that a bundle carries must call it."""
