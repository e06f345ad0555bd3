"""`zoo info`."""
