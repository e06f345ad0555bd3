"""Reading and showing for image classification; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from zoo.data.class_ranking import record, show, top
from zoo.data.image.device import read

__all__ = ["read", "record", "show", "top"]
