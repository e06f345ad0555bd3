"""Which of a list of classes a picture shows."""
