"""Run the commands of a Markdown file as a reader would: every ```console block, line by line, in one shell session.

A line beginning with "$ " is a command; the lines after it are what it prints and are not compared.
A command that fails ends the run with its exit code.  <!-- not run: reason --> before a block leaves it out.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"(?P<before><!-- not run:[^>]*-->\s*\n)?```console\n(?P<body>.*?)```", re.DOTALL)


def commands(text: str) -> list[str]:
    """The commands of a Markdown text, in order."""
    found: list[str] = []
    for block in BLOCK.finditer(text):
        if block["before"]:
            continue
        found += [line[2:] for line in block["body"].splitlines() if line.startswith("$ ")]
    return found


def main(path: str) -> int:
    lines = commands(Path(path).read_text(encoding="utf-8"))
    if not lines:
        print(f"{path} has no commands", file=sys.stderr)
        return 1
    # set -e alone lets a failing `a && b` pass unless b is what failed
    step = "printf '\\n$ %s\\n' {}\n{{\n{}\n}} || exit $?\n"
    script = "set -euo pipefail\n" + "".join(step.format(_quote(line), line) for line in lines)
    return subprocess.run(["bash", "-c", script], check=False).returncode


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
