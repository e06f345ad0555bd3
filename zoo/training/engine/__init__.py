"""Processes, devices, precision and threads."""
