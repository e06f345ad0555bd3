"""Negative controls: mutants of the export, and how many the check rejects.

Imports the rooms up to `runtime`.
"""
