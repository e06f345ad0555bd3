"""`zoo data`."""
