"""What listens to a training."""
