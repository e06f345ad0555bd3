"""Text as tensors: datasets, metrics, preprocessing and postprocessing of the text tasks."""
