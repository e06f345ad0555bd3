"""What a training leaves on disk: run folders, checkpoints, configs; written atomically and read without torch.

Imports `zoo.api` and `zoo.registry`.
"""
