"""`zoo list`."""
