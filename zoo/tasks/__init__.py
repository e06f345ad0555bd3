"""The built-in tasks; `plugin.py` declares them as anybody's plugin does.

May import every room of zoo but `zoo.cli`.
"""
