"""From two answers to numbers; no verdict.

Imports the rooms up to `reference`.
"""
