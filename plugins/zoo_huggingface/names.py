"""The word pieces that bert_tiny@names was trained with, as the training names give them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PIECES: Final = tuple(
    Path(__file__).with_name("weights").joinpath("bert_tiny-names.txt").read_text(encoding="utf-8").splitlines()
)
