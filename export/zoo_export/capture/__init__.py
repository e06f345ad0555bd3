"""From a module to ONNX: torch.export, composed to a pipeline, stripped and described.

Imports `subject`.
"""
