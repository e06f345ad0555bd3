"""Reading, showing and comparing for image embedding; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from zoo.data.embedding.compare import compare, show
from zoo.data.image.device import read

__all__ = ["compare", "read", "show"]
