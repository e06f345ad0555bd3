"""What an author writes against: specs, hooks, the protocols of tasks and trainers, errors.

Imports the standard library and pluggy alone.
"""
