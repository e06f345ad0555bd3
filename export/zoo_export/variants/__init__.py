"""Variants: the proved model in fewer bits, each measured, judged and put to mutants."""
