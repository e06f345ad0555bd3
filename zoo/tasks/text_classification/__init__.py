"""Which of a list of classes a text belongs to."""
