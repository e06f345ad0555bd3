"""The loop: its steps, its progress, its checkpoints and its end."""
