"""Texts with or without labels: CSV, TSV, JSON Lines and text files; their vocabularies."""
