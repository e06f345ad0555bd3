"""`zoo demo`."""
