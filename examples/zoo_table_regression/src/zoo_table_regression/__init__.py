"""Regression of numbers from a table, for zoo."""
