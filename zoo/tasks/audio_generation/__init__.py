"""Sounds like those of the data, sample by sample."""
