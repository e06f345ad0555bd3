"""From a name to a module with parameters, and its answers.

Imports the rooms from `zoo.api` to `zoo.bundle`.
"""
