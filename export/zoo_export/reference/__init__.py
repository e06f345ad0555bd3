"""What is right: the fp64 oracle, the noise of fp32, and answers that are as valid.

Imports `subject` and `capture`.
"""
