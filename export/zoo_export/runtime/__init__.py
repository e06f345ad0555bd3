"""ONNX Runtime at work beside PyTorch.

Imports the rooms up to `measure`.
"""
