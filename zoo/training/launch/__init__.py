"""From what was asked for to a finished run."""
