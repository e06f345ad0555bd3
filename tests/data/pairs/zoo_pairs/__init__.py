"""Two pictures of different sizes to a distance: an input that only this package knows."""
