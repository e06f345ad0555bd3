"""The loop, its engine, trainers, callbacks, evaluation.

Imports the rooms from `zoo.api` to `zoo.models`.
"""
