"""Text as tensors: datasets, metrics and finishing of the text tasks."""
