"""Many models exported and proved one after another: a row for each, in a file that can be continued and merged.

Imports `export`.
"""
