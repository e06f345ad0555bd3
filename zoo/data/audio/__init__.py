"""Sounds: wav files, mu-law codes, data sets of recordings."""
