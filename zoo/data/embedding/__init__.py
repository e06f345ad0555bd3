"""Embeddings: their comparison, their agreement, and the metrics of verification and retrieval."""
