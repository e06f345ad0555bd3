"""The state_dict of what the library saved, with the names of zoo's models.  [torch]"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import (
    AutoModel,
    AutoModelForImageClassification,
    AutoModelForObjectDetection,
    AutoModelForSemanticSegmentation,
    AutoModelForSequenceClassification,
)
from transformers.utils import logging

from zoo import BadFile
from zoo_huggingface.cards import heads
from zoo_huggingface.folders import kind_of

PICTURES = {
    "ObjectDetection": AutoModelForObjectDetection,
    "SemanticSegmentation": AutoModelForSemanticSegmentation,
}


def encoder_state(path: Path) -> dict[str, Tensor]:
    """The state of `Encoder` from the model.safetensors of a folder; BadFile where it lacks something."""
    state = _state(AutoModel, path, optional=("pooler.",))
    return {f"encoder.layers.{name}": tensor for name, tensor in state.items() if not name.startswith("pooler.")}


def classifier_state(path: Path) -> dict[str, Tensor]:
    """The state of `TextClassifier`; BadFile where it lacks something."""
    state = _state(AutoModelForSequenceClassification, path, optional=())
    return {f"network.{name}": tensor for name, tensor in state.items()}


def picture_state(path: Path) -> dict[str, Tensor]:
    """The state of a network for pictures; without its head where the file has none."""
    kind = kind_of(json.loads((path.parent / "config.json").read_bytes()))
    optional = tuple(prefix.removeprefix("network.") for prefix in heads())
    state = _state(PICTURES.get(kind, AutoModelForImageClassification), path, optional=optional)
    return {f"network.{name}": tensor for name, tensor in state.items()}


def _state(kind: Any, path: Path, *, optional: tuple[str, ...]) -> dict[str, Tensor]:
    """The tensors of a folder by the library's names; without the optional ones that it has not."""
    with _quietly():
        try:
            model, info = kind.from_pretrained(
                path.parent,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype="float32",
                output_loading_info=True,
                ignore_mismatched_sizes=True,
            )
        except Exception as error:  # the library has a dozen for a configuration that does not fit
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise BadFile(f"{path.parent} cannot be read as its config.json says: {reason}") from error
    # the library fills what is missing with random numbers
    absent = {str(name) for name in info["missing_keys"]}
    wrong = sorted(name for name in absent if not name.startswith(optional))
    if wrong:
        raise BadFile(f"{path} lacks {_few(wrong)}")
    if odd := sorted(str(key[0] if isinstance(key, tuple) else key) for key in info["mismatched_keys"]):
        raise BadFile(f"{path} has other shapes than its config.json says: {_few(odd)}")
    return {name: tensor for name, tensor in model.state_dict().items() if name not in absent}


def _few(names: list[str]) -> str:
    return f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the library's progress bar and its warnings on the terminal."""
    enabled, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if enabled:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
