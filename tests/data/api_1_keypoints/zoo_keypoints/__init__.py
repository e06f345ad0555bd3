"""Points in pictures, and a small classifier taught by a larger one, for zoo."""
