"""What the check of pictures has decoded, kept until somebody reads it: each picture is decoded once, where memory is.

Small pictures all fit; of large ones those that were checked first.  The others are decoded again when they are read.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt

from zoo.data.memory import free_memory

MAX_MEMORY_SHARE: Final = 0.05
"""Of the free memory."""
MAX_BYTES: Final = 256 * 10**6
"""What nobody reads stays as long as the card, so it must not be much."""


class DecodedPictures:
    """Pictures by the sha256 of their files; safe to use from several threads."""

    def __init__(self) -> None:
        self._room = int(min(MAX_MEMORY_SHARE * free_memory(), MAX_BYTES))
        self._levels: dict[str, npt.NDArray[np.uint8]] = {}
        self._lock = Lock()

    def keep(self, content: str, levels: npt.NDArray[np.uint8]) -> None:
        """Keep uint8 [height, width, 3], where there is room for it."""
        with self._lock:
            if levels.nbytes <= self._room and content not in self._levels:
                self._levels[content] = levels
                self._room -= levels.nbytes

    def take(self, content: str) -> npt.NDArray[np.uint8] | None:
        """The picture, which is not kept any longer; None where it is not here."""
        with self._lock:
            levels = self._levels.pop(content, None)
            self._room += levels.nbytes if levels is not None else 0
            return levels
