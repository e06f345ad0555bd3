"""`python -m zoo`: the command, where no console script is on the path."""

from __future__ import annotations

import sys

from zoo.cli import main

sys.exit(main())
