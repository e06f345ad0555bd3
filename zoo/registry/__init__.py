"""Which plugins are installed and what they offer, by name.

Imports `zoo.api`.
"""
