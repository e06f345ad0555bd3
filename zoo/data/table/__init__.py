"""Tables of numbers: reading them, and what a device needs for it."""
