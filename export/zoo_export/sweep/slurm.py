"""A SLURM array script for a sweep: one task a shard, all into one folder."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Final

SCRIPT: Final = """#!/bin/bash
#SBATCH --job-name=zoo-sweep
#SBATCH --array=1-{shards}
#SBATCH --cpus-per-task={threads}
#SBATCH --mem={memory_mb}M
#SBATCH --output=%x-%a.log
# Start it with: sbatch {name}
# zoo must be on the PATH: activate its environment first, or here.  A task fails where a model is not proved.
# A task that was ended is started again with: sbatch --array=NUMBER {name}; it goes on where it was.
set -euo pipefail
zoo sweep {arguments} --output {output} --shard "$SLURM_ARRAY_TASK_ID/{shards}"
"""
HEADROOM_MB: Final = 1_000
"""For the process that watches, above what a model may use."""


def array_script(path: Path, *, arguments: str, output: Path, shards: int, memory_mb: int, threads: int) -> str:
    """The text of the script, to be written to `path`; `arguments` are those of `zoo sweep`, quoted for a shell."""
    return SCRIPT.format(
        shards=shards,
        threads=threads,
        memory_mb=memory_mb + HEADROOM_MB,
        name=quote(path.name),
        arguments=arguments,
        output=quote(str(output)),
    )
