"""A model zoo with a way to the edge."""
