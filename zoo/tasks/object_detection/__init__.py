"""Where in a picture the things are, and what they are."""
