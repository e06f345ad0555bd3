"""Data that ship with zoo."""
