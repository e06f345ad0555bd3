"""The state_dict of an encoder that the library saved, with the names of zoo's models.  [torch]"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor
from transformers import AutoModel
from transformers.utils import logging

from zoo import BadFile


def encoder_state(path: Path) -> dict[str, Tensor]:
    """The state of `Encoder` from the model.safetensors of a folder; BadFile where it lacks something."""
    with _without_progress():
        model, info = AutoModel.from_pretrained(
            path.parent,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype="float32",
            output_loading_info=True,
        )
    # the library fills what is missing with random numbers
    missing = sorted(name for name in info["missing_keys"] if not name.startswith("pooler."))
    wrong = [*missing, *(str(key) for key in info["mismatched_keys"])]
    if wrong:
        raise BadFile(f"{path} lacks {', '.join(wrong[:3])}{f' and {len(wrong) - 3} more' if len(wrong) > 3 else ''}")
    state = model.state_dict()
    return {f"encoder.layers.{name}": tensor for name, tensor in state.items() if not name.startswith("pooler.")}


@contextmanager
def _without_progress() -> Iterator[None]:
    """Without the library's progress bar on the terminal."""
    enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if enabled:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
