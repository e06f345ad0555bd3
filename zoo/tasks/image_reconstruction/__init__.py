"""A picture through a narrow code and back."""
