"""The files of a bundle, written.

Imports the rooms up to `proof`.
"""
