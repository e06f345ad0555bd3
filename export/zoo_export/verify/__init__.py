"""The proof again, on files that exist.

Imports the rooms up to `bundle`.
"""
