"""Samples: the embedded data, the formats people bring, and pictures, texts, sounds and embeddings as arrays.

Imports `zoo.api`, `zoo.registry` and `zoo.runs`.
"""
