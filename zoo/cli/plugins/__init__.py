"""`zoo plugins`."""
