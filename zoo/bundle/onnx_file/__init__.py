"""An ONNX file: read without executing it, its weights beside it, and whether it is safe to load."""
