"""The command `zoo`: a file or a folder for each verb, and `terminal/`, which all of them share.

The program is in a file of its own: here the module `list` would hide the type.
"""

from __future__ import annotations

from zoo.cli.program import COMMANDS, cli, main

__all__ = ["COMMANDS", "cli", "main"]
