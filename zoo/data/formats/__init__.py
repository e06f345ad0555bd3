"""Recognising and checking the data people bring.  Torch-free; what a sample is stays the task's business."""
