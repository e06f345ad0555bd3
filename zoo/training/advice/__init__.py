"""What the data and the epochs tell about a training, and what zoo advises; torch-free."""
