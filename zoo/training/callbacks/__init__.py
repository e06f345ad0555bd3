"""The built-in callbacks: live line, metrics.csv, checkpoints, pictures, TensorBoard."""
