"""What a training leaves: measured, reported, published."""
