"""Runtimes in a process of their own, with limits of memory and time and without a network."""
