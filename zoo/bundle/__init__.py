"""A bundle without torch: its files, the sandboxed runtime, the judge and the report.

Imports `zoo.api`, `zoo.registry` and `zoo.runs`.
"""
