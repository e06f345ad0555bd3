"""Answers that are unit vectors: comparing two of them, and how well that tells same from different."""
